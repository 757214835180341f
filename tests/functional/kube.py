"""What a test needs of a real API server: kubectl, the Python client, and ImageBuilds of one namespace."""

import copy
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from kubernetes import client

GROUP, VERSION, PLURAL, DEFAULTS = "imagebuild.dev", "v1alpha1", "imagebuilds", "imagebuilddefaults"
Json = dict[str, Any]
#: Runs a command of Helm on the release of a test; what it printed.
Helm = Callable[..., str]


def spec(**fields: object) -> Json:
    """Give the least spec that is accepted, with `fields` added or replaced; a field set to None is left out."""
    whole: Json = {
        "source": {"inline": {"files": {"Dockerfile": "FROM scratch\nCOPY . /\n"}}},
        "output": {"images": ["registry.example.com/team/app:1"]},
    }
    whole.update(copy.deepcopy(fields))
    return {key: value for key, value in whole.items() if value is not None}


@dataclass(frozen=True)
class Kubectl:
    """kubectl of one cluster."""

    program: Path
    kubeconfig: Path

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and give what it printed.

        Raises:
            AssertionError: it failed; the message holds its standard error.
        """
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl, whatever comes of it."""
        command = [str(self.program), "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)


def kubeconfig_of_user(kubectl: Kubectl, namespace: str, resources: str, path: Path) -> Path:
    """Write the kubeconfig of a user who may see, create and change these resources of a namespace, and no more."""
    kubectl("-n", namespace, "create", "serviceaccount", "builder")
    rights = ("--verb=get,list,watch,create,patch", f"--resource={resources}")
    kubectl("-n", namespace, "create", "role", "builder", *rights)
    account = f"--serviceaccount={namespace}:builder"
    kubectl("-n", namespace, "create", "rolebinding", "builder", "--role=builder", account)
    token = kubectl("-n", namespace, "create", "token", "builder")
    path.write_text(kubectl("config", "view", "--raw", "--flatten"))
    changed = ("--kubeconfig", str(path), "config")
    kubectl(*changed, "set-credentials", "builder", f"--token={token.strip()}")
    kubectl(*changed, "set-context", "--current", "--user=builder")
    return path


@dataclass(frozen=True)
class Builds:
    """The ImageBuilds of one namespace."""

    api: client.CustomObjectsApi
    namespace: str

    def create(
        self,
        spec: Json | None,
        name: str = "hello",
        status: Json | None = None,
        labels: Mapping[str, str] | None = None,
        **annotations: str,
    ) -> Json:
        """Create an ImageBuild under strict validation, as kubectl does; annotations are the project's own."""
        metadata: Json = {"name": name, "labels": dict(labels or {})}
        metadata["annotations"] = {f"{GROUP}/{key}": value for key, value in annotations.items()}
        body: Json = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ImageBuild", "metadata": metadata}
        body |= {part: value for part, value in (("spec", spec), ("status", status)) if value is not None}
        made = self.api.create_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURAL, body, field_validation="Strict"
        )
        return cast("Json", made)

    def refusal(self, spec: Json | None) -> str:
        """Give the message with which the API server refuses an ImageBuild.

        Raises:
            AssertionError: it was accepted.
        """
        try:
            created = self.create(spec)
        except client.ApiException as error:
            return message(error)
        raise AssertionError(f"accepted: {json.dumps(created['spec'])}")

    def get(self, name: str = "hello") -> Json:
        """Read an ImageBuild."""
        return cast("Json", self.api.get_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, name))

    def patch(self, change: Json, name: str = "hello") -> Json:
        """Merge a change into an ImageBuild."""
        changed = self.api.patch_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURAL, name, change, field_validation="Strict"
        )
        return cast("Json", changed)

    def patch_status(self, status: Json, name: str = "hello") -> Json:
        """Merge a change into an ImageBuild's status."""
        changed = self.api.patch_namespaced_custom_object_status(
            GROUP, VERSION, self.namespace, PLURAL, name, {"status": status}, field_validation="Strict"
        )
        return cast("Json", changed)

    def delete_all(self) -> None:
        """Delete the namespace's ImageBuilds."""
        self.api.delete_collection_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL)


@dataclass(frozen=True)
class Defaults:
    """The ImageBuildDefaults of one namespace."""

    api: client.CustomObjectsApi
    namespace: str

    def get(self) -> Json:
        """Read them."""
        return cast("Json", self.api.get_namespaced_custom_object(GROUP, VERSION, self.namespace, DEFAULTS, "default"))

    def create(self, spec: Json, name: str = "default") -> Json:
        """Create them under strict validation."""
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "ImageBuildDefaults",
            "metadata": {"name": name},
            "spec": spec,
        }
        made = self.api.create_namespaced_custom_object(
            GROUP, VERSION, self.namespace, DEFAULTS, body, field_validation="Strict"
        )
        return cast("Json", made)

    def refusal(self, spec: Json, name: str = "default") -> str:
        """Give the message with which the API server refuses them.

        Raises:
            AssertionError: they were accepted.
        """
        try:
            created = self.create(spec, name)
        except client.ApiException as error:
            return message(error)
        raise AssertionError(f"accepted: {json.dumps(created)}")

    def replace(self, spec: Json) -> None:
        """Give them another spec, whatever the operator writes about the one before meanwhile."""
        while True:
            try:
                self.api.replace_namespaced_custom_object(
                    GROUP,
                    VERSION,
                    self.namespace,
                    DEFAULTS,
                    "default",
                    {**self.get(), "spec": spec},
                    field_validation="Strict",
                )
            except client.ApiException as error:
                if error.status != HTTPStatus.CONFLICT:
                    raise
            else:
                return

    def delete_all(self) -> None:
        """Delete them."""
        self.api.delete_collection_namespaced_custom_object(GROUP, VERSION, self.namespace, DEFAULTS)


def message(error: client.ApiException) -> str:
    """Give the sentence of an API server's refusal."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (KeyError, TypeError, ValueError):
        return str(error)
