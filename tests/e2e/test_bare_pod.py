"""The builder image in a pod of the user's own, without the operator: also that of docs/how-to/standalone.md."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from environment import ROOT
from functional.kube import Kubectl
from install import NAMESPACE as INSTALLED
from kaniko_shim.request.variables.table import TABLE
from kubernetes import client
from support.file_server import FileServer, tar_gz
from support.registry import Registry
from support.watching import wait_for_pod

CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETFCAP", "SETGID", "SETUID"]


def bare_pod(image: str, variables: dict[str, str]) -> dict[str, Any]:
    """A pod that does the whole job in one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare"},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "builder",
                    "image": image,
                    "env": [{"name": name, "value": value} for name, value in variables.items()],
                    "securityContext": {"capabilities": {"drop": ["ALL"], "add": CAPABILITIES}},
                }
            ],
        },
    }


def builder_settings(kubectl: Kubectl) -> dict[str, Any]:
    """What the chart was installed with for builds."""
    settings = kubectl(
        "-n", INSTALLED, "get", "configmap", "--selector", "app.kubernetes.io/component=operator",
        "--output", r"jsonpath={.items[0].data.settings\.yaml}",
    )  # fmt: skip
    return dict(yaml.safe_load(settings)["builder"])


def builder_image(kubectl: Kubectl) -> str:
    """The builder image that the chart was installed with."""
    return str(builder_settings(kubectl)["image"])


def documented_pod() -> dict[str, Any]:
    """The pod of docs/how-to/standalone.md."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "how-to" / "standalone.md").read_text(), re.DOTALL)
    (pod,) = (block for block in map(yaml.safe_load, blocks) if block.get("kind") == "Pod")
    return dict(pod)


def test_the_documented_pod_builds_and_pushes(
    api: client.ApiClient,
    namespace: str,
    registry: Registry,
    hub: Registry,
    private_registry: Registry,
    files: FileServer,
    kubectl: Kubectl,
    cluster: dict[str, str],
):
    files.files["/documented.tar.gz"] = tar_gz({"Dockerfile": "FROM busybox\nRUN echo made > /made\n"})
    image = f"{private_registry.name}/{namespace}/documented:1"
    values = {
        "OUTPUT_IMAGE": image,
        "SOURCE_GET_URL": f"{files.url}/documented.tar.gz",
        "REGISTRY_CA": Path(cluster["REGISTRY_CA"]).read_text(),
        "INSECURE_REGISTRIES": registry.host,
        "REGISTRY_MIRRORS": hub.name,
    }
    pod = documented_pod()
    added = {
        "check": ["SKIP_TLS_VERIFY_REGISTRIES"],
        "build": ["INSECURE_REGISTRIES", "REGISTRY_MIRRORS"],
        "push": ["REGISTRY_CA"],
    }
    values["SKIP_TLS_VERIFY_REGISTRIES"] = private_registry.name
    for container in (*pod["spec"]["initContainers"], *pod["spec"]["containers"]):
        container["image"] = builder_image(kubectl)
        named = [{**entry, "value": values[entry["name"]]} if "value" in entry else entry for entry in container["env"]]
        more = [{"name": name, "value": values[name]} for name in added[container["name"]]]
        container["env"] = [*named, *more]
    kubectl(
        "-n", namespace, "create", "secret", "generic", "push", "--type=kubernetes.io/dockerconfigjson",
        f"--from-literal=.dockerconfigjson={cluster['REGISTRY_AUTH']}",
    )  # fmt: skip
    kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(pod))
    ended = wait_for_pod(api, namespace, lambda pod: pod["status"]["phase"] in {"Succeeded", "Failed"}, timeout=120)
    assert ended["status"]["phase"] == "Succeeded", ended["status"]
    report = json.loads(ended["status"]["containerStatuses"][0]["state"]["terminated"]["message"])
    assert report["digest"] == private_registry.digest(image)
    assert private_registry.files(image)["/made"].content == b"made\n"


def test_empty_variables_are_unset_ones(
    api: client.ApiClient, namespace: str, registry: Registry, hub: Registry, files: FileServer, kubectl: Kubectl
):
    files.files["/context.tar.gz"] = tar_gz({"Dockerfile": "FROM busybox\nRUN echo made > /made\n"})
    image = f"{registry.name}/{namespace}/bare:1"
    needed = {
        "OUTPUT_IMAGE": image,
        "SOURCE_GET_URL": f"{files.url}/context.tar.gz",
        "INSECURE_REGISTRIES": registry.host,
        "REGISTRY_MIRRORS": hub.name,
    }
    empty = {variable.name: "" for variable in TABLE if variable.name not in needed}
    assert len(empty) > 10
    pod = bare_pod(builder_image(kubectl), {**needed, **empty})
    kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(pod))
    pod = wait_for_pod(api, namespace, lambda pod: pod["status"]["phase"] in {"Succeeded", "Failed"}, timeout=120)
    report = json.loads(pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"])
    assert report["outcome"] == "Succeeded", report
    assert report["digest"] == registry.digest(image)
    assert registry.files(image)["/made"].content == b"made\n"
