"""The signer of a cluster, installed by the chart: its signatures are cosign's, and its key is nowhere near a build."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.conftest import by_digest
from e2e.test_release import LABEL, helm
from e2e.test_scan import FOUND, VULNERABILITIES, found_in
from environment import ROOT
from functional.kube import Builds, Defaults, Kubectl
from install import CHART, NAMESPACE, RELEASE
from kubernetes import client
from operator_image import DOCKERFILE as OPERATOR_DOCKERFILE
from operator_image import LOCAL_PYTHON, copy_context, wheelhouse
from support.cosign_key import PASSWORD, encrypted_key
from support.git_server import make_repository, serve_git
from support.program_image import push_programs
from support.registry import Registry
from support.release import BY_KEY, cosign, statement
from support.vault import serve_vault
from support.watching import wait_for_build, wait_for_finish

#: Looks for what its push container has; fails if it is there.
DOCKERFILE = """FROM busybox
RUN ! ls /var/run/secrets/imagebuild-signer && ! env | grep SIGN && id > /who
"""
PLATFORMS = ["linux/amd64", "linux/arm64"]


@contextmanager
def installed(
    cluster: dict[str, str], kubectl: Kubectl, namespace: str, signer: dict[str, Any], **secret: str
) -> Iterator[None]:
    """A release with a signer, in a namespace of its own with the Secret `signing-key`."""
    system = f"{namespace}-signer"
    kubectl("create", "namespace", system)
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "signing-key"}, "stringData": secret}
    kubectl("-n", system, "create", "--filename=-", stdin=json.dumps(body))
    shown = helm(cluster, "get", "values", RELEASE, f"--namespace={NAMESPACE}", "--output=yaml")
    values: dict[str, Any] = {
        **yaml.safe_load(shown),
        "watchNamespaces": [namespace],
        "buildSelector": f"{LABEL}=signed",
        "crds": {"enabled": False},
        "signer": {"enabled": True, **signer},
    }
    options = [f"--namespace={system}", "--values=-", "--wait", "--timeout=120s"]
    helm(cluster, "install", "signing", str(ROOT / CHART), *options, stdin=yaml.safe_dump(values))
    yield
    helm(cluster, "uninstall", "signing", f"--namespace={system}", "--wait")
    kubectl("delete", "namespace", system, "--wait=false")


@pytest.fixture
def signing(cluster: dict[str, str], kubectl: Kubectl, namespace: str, tmp_path: Path) -> Iterator[Path]:
    """A release with a signer whose key is in a Secret; the folder with `cosign.pub`."""
    private, public = encrypted_key()
    (tmp_path / "cosign.pub").write_bytes(public)
    signer = {"key": {"secretName": "signing-key"}, "publicKey": public.decode()}
    keys = {"cosign.key": private, "cosign.password": PASSWORD}
    with installed(cluster, kubectl, namespace, signer, **keys):
        yield tmp_path


@pytest.fixture
def signing_by_kms(
    cluster: dict[str, str],
    kubectl: Kubectl,
    namespace: str,
    registry: Registry,
    host_address: str,
    tmp_path: Path,
) -> Iterator[Path]:
    """The same with a key in a KMS."""
    (tmp_path / "layout").mkdir()
    push_programs(registry, tmp_path / "layout", "kms/cosign:1", {"ko-app/cosign": "cosign"})
    with serve_vault(tmp_path, host_address) as vault:
        public = vault.make_key("images")
        (tmp_path / "cosign.pub").write_text(public)
        signer = {
            "key": {"kms": "hashivault://images", "cosignImage": by_digest(registry, "kms/cosign")},
            "publicKey": public,
            "replicaCount": 2,
            "env": [
                {"name": name, "valueFrom": {"secretKeyRef": {"name": "signing-key", "key": name}}}
                for name in vault.environment
            ],
        }
        with installed(cluster, kubectl, namespace, signer, **vault.environment):
            yield tmp_path


def test_with_a_kms_the_key_of_the_cluster_is_in_no_secret(
    signing_by_kms: Path, registry: Registry, builds: Builds, api: client.ApiClient, namespace: str
):
    output = {"images": [f"{registry.name}/{namespace}/kms:1"], "signing": {"cluster": {}}, "level": "SLSA3"}
    copied = {"inline": {"files": {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}}}
    builds.create({"source": copied, "output": output}, "kms", labels={LABEL: "signed"})
    status = wait_for_finish(api, namespace, "kms")
    assert (status["phase"], status.get("level")) == ("Succeeded", "SLSA3"), status
    here = f"{registry.address}/{namespace}/kms@{status['digest']}"
    cosign("verify", *BY_KEY, here, folder=signing_by_kms)
    statement(here, "slsaprovenance1", BY_KEY, signing_by_kms)


def test_what_the_cluster_signs_is_what_cosign_verifies(
    signing: Path,
    registry: Registry,
    builds: Builds,
    api: client.ApiClient,
    kubectl: Kubectl,
    namespace: str,
):
    image = f"{registry.name}/{namespace}/signed:1"
    fields: dict[str, Any] = {
        "source": {"inline": {"files": {"Dockerfile": DOCKERFILE}}},
        "output": {
            "images": [image],
            "attestations": {"sbom": "CycloneDX"},
            "signing": {"cluster": {}},
            "level": "SLSA3",
        },
    }
    created = builds.create(fields, "signed", labels={LABEL: "signed"})
    status = wait_for_finish(api, namespace, "signed")
    assert status["phase"] == "Succeeded", status
    assert (status["level"], status["engine"]) == ("SLSA3", "BuildKit")
    assert {each["kind"] for each in status["attestations"]} == {"provenance", "sbom", "signature"}

    here = f"{registry.address}/{namespace}/signed@{status['digest']}"
    cosign("verify", *BY_KEY, here, folder=signing)
    assert (
        statement(here, "cyclonedx", BY_KEY, signing)["predicate"]["metadata"]["component"]["version"]
        == status["digest"]
    )
    predicate = statement(here, "slsaprovenance1", BY_KEY, signing)["predicate"]
    parameters = predicate["buildDefinition"]["externalParameters"]
    assert parameters["metadata"] == {"namespace": namespace, "name": "signed"}
    assert predicate["runDetails"]["metadata"]["invocationId"] == created["metadata"]["uid"]
    # An index is signed as its images are. None of them runs anything: there is one kind of node.
    both = {**fields["output"], "images": [f"{registry.name}/{namespace}/both:1"], "platforms": PLATFORMS}
    copied = {"inline": {"files": {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}}}
    builds.create({"source": copied, "output": {**both, "platformNodes": "Any"}}, "both", labels={LABEL: "signed"})
    index = wait_for_finish(api, namespace, "both")
    assert (index["phase"], index["level"]) == ("Succeeded", "SLSA3"), index
    digests = [index["digest"], *(entry["digest"] for entry in index["platforms"])]
    assert len(set(digests)) == 3
    for digest in digests:
        there = f"{registry.address}/{namespace}/both@{digest}"
        cosign("verify", *BY_KEY, there, folder=signing)
        statement(there, "slsaprovenance1", BY_KEY, signing)
    log = kubectl("-n", f"{namespace}-signer", "logs", "deployment/signing-imagebuild-operator-signer")
    assert f"signed the provenance of {registry.name}/{namespace}/signed@{status['digest']}" in log
    assert PASSWORD not in log


TWICE = """FROM busybox
RUN mkdir /app && seq 1000 > /app/numbers && ln -s numbers /app/link && cp /bin/busybox /app/tool && id > /app/who
WORKDIR /app
"""


@pytest.mark.parametrize("platforms", [None, PLATFORMS])
def test_what_two_builds_have_made_is_signed_as_that(
    signing: Path,
    registry: Registry,
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    platforms: list[str] | None,
):
    """With one node, both are on it."""
    output: dict[str, Any] = {"images": [f"{registry.name}/{namespace}/twice:1"], "timestamp": "Zero"}
    output |= {"corroborate": "AnyNode", "signing": {"cluster": {}}, "level": "SLSA3"}
    dockerfile = TWICE
    if platforms:
        output |= {"platforms": platforms, "platformNodes": "Any"}
        # There is one kind of node, so none of them runs anything.
        dockerfile = "FROM scratch\nCOPY Dockerfile /\n"
    source = {"inline": {"files": {"Dockerfile": dockerfile}}}
    builds.create({"source": source, "output": output}, "twice", labels={LABEL: "signed"})
    status = wait_for_finish(api, namespace, "twice")
    assert (status["phase"], status.get("corroborated")) == ("Succeeded", "AnyNode"), status
    for part in status.get("platforms") or [status]:
        first, last = part["attempts"]
        assert (first["digest"], first["podName"] == last["podName"]) == (part["digest"], False)
        assert "contents" not in first
        here = f"{registry.address}/{namespace}/twice@{part['digest']}"
        [byproduct] = statement(here, "slsaprovenance1", BY_KEY, signing)["predicate"]["runDetails"]["byproducts"]
        assert byproduct["digest"] == {"sha256": part["digest"].removeprefix("sha256:")}
        assert byproduct["annotations"] == {
            "imagebuild.dev/pod": first["podName"],
            "imagebuild.dev/node": first["node"],
        }


@pytest.mark.shows("A70")
def test_the_second_build_waits_for_another_node(
    registry: Registry, builds: Builds, api: client.ApiClient, namespace: str
):
    output = {"images": [f"{registry.name}/{namespace}/other:1"], "timestamp": "Zero", "corroborate": "OtherNode"}
    builds.create(
        {"source": {"inline": {"files": {"Dockerfile": "FROM scratch\nCOPY . /\n"}}}, "output": output}, "other"
    )

    def waits(build: dict[str, Any]) -> bool:
        return bool(build.get("status", {}).get("reason") == "Unschedulable")

    status = wait_for_build(api, namespace, "other", waits)["status"]
    assert len(status["attempts"]) == 1
    assert "didn't match Pod's node affinity" in status["message"]
    assert "set output.corroborate to AnyNode" in status["message"]
    assert not registry.has(f"{registry.name}/{namespace}/other:1")


@pytest.mark.shows("A70")
def test_what_two_builds_have_not_made_alike_is_not_pushed(
    registry: Registry, builds: Builds, api: client.ApiClient, namespace: str
):
    run = "RUN mkdir /app && seq 1000 > /app/numbers && cat /proc/sys/kernel/random/uuid > /app/when"
    output = {"images": [f"{registry.name}/{namespace}/differs:1"], "timestamp": "Zero", "corroborate": "AnyNode"}
    source = {"inline": {"files": {"Dockerfile": f"FROM busybox\n{run}\n"}}}
    builds.create({"source": source, "output": output, "cache": {"enabled": False}}, "differs")
    status = wait_for_finish(api, namespace, "differs")
    assert (status["phase"], status["reason"]) == ("Failed", "NotReproducible"), status
    first, _ = status["attempts"]
    told = (
        f"differs from {first['digest']}, which {first['podName']} built on {first['node']} before: /app/when. Nothing"
    )
    assert told in status["message"]
    assert not registry.has(f"{registry.name}/{namespace}/differs:1")


def test_the_operator_image_is_built_scanned_and_signed_by_the_operator_that_it_then_replaces(
    signing: Path,
    cluster: dict[str, str],
    registry: Registry,
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    host_address: str,
    gate: dict[str, str],
):
    repository = signing / "git" / "operator.git"
    copy_context(repository)
    shutil.copytree(wheelhouse(), repository / "wheels")
    dockerfile = (ROOT / OPERATOR_DOCKERFILE).read_bytes()
    commit = make_repository(repository, {OPERATOR_DOCKERFILE: dockerfile})
    exceptions = {"onlyFixed": True, "ignore": ["CVE-2099-0001"]}
    Defaults(client.CustomObjectsApi(api), namespace).create({"limits": {"vulnerabilities": {**gate, **exceptions}}})
    arguments = {"PYTHON_IMAGE": f"docker.io/library/python:{LOCAL_PYTHON}", "WHEELS": "wheels"}
    name = f"{registry.name}/{namespace}/operator"
    with serve_git(signing / "git", address=host_address) as url:
        fields: dict[str, Any] = {
            "source": {"git": {"url": f"{url}/operator.git", "revision": commit}},
            "dockerfile": {"path": OPERATOR_DOCKERFILE},
            "buildArgs": [{"name": each, "value": value} for each, value in arguments.items()],
            "network": "None",
            "output": {
                "images": [f"{name}:1"],
                "timestamp": "Commit",
                "attestations": {"sbom": "SPDX"},
                "signing": {"cluster": {}},
                "level": "SLSA3",
            },
        }
        builds.create(fields, "operator", labels={LABEL: "signed"})
        status = wait_for_finish(api, namespace, "operator", timeout=300)
    assert (status["phase"], status.get("level")) == ("Succeeded", "SLSA3"), status

    here = f"{registry.address}/{namespace}/operator@{status['digest']}"
    cosign("verify", *BY_KEY, here, folder=signing)
    definition = statement(here, "slsaprovenance1", BY_KEY, signing)["predicate"]["buildDefinition"]
    assert commit in json.dumps(definition["resolvedDependencies"])
    packages = {each["name"] for each in statement(here, "spdxjson", BY_KEY, signing)["predicate"]["packages"]}
    assert {"imagebuild-operator", "kopf", "kubernetes"} <= packages
    assert found_in(statement(here, VULNERABILITIES, BY_KEY, signing)) == FOUND | {"CVE-2099-0001": "CRITICAL"}

    place, _, path = name.partition("/")
    image = yaml.safe_dump({"image": {"registry": place, "repository": path, "tag": "", "digest": status["digest"]}})
    options = [f"--namespace={namespace}-signer", "--reuse-values", "--values=-", "--wait", "--timeout=120s"]
    helm(cluster, "upgrade", "signing", str(ROOT / CHART), *options, stdin=image)
    pods = client.CoreV1Api(api).list_namespaced_pod(f"{namespace}-signer", field_selector="status.phase=Running")
    used = {container.image for pod in pods.items if pod.spec for container in pod.spec.containers}
    assert f"{name}@{status['digest']}" in used
    copied = {"inline": {"files": {"Dockerfile": "FROM busybox\nCOPY Dockerfile /\n"}}}
    output = {"images": [f"{registry.name}/{namespace}/next:1"], "signing": {"cluster": {}}}
    builds.create({"source": copied, "output": output}, "next", labels={LABEL: "signed"})
    after = wait_for_finish(api, namespace, "next")
    assert after["phase"] == "Succeeded", after
    cosign("verify", *BY_KEY, f"{registry.address}/{namespace}/next@{after['digest']}", folder=signing)
