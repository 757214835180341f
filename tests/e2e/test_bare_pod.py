"""The builder image in a pod of the user's own, without the operator: whoever knows only the variables."""

import json
from typing import Any

from e2e.registry import Registry
from e2e.serving import FileServer, tar_gz
from functional.kube import Kubectl
from kaniko_shim.variables import TABLE
from kubernetes import client
from support.watching import wait_for_pod

CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP", "SETGID", "SETUID"]


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


def test_empty_variables_are_unset_ones(
    api: client.ApiClient, namespace: str, registry: Registry, files: FileServer, kubectl: Kubectl
):
    files.files["/context.tar.gz"] = tar_gz({"Dockerfile": "FROM busybox\nRUN echo made > /made\n"})
    image = f"{registry.name}/{namespace}/bare:1"
    needed = {
        "OUTPUT_IMAGE": image,
        "SOURCE_GET_URL": f"{files.url}/context.tar.gz",
        "INSECURE_REGISTRIES": registry.name,
        "REGISTRY_MIRRORS": registry.name,
    }
    empty = {variable.name: "" for variable in TABLE if variable.name not in needed}
    assert len(empty) > 10
    builder = kubectl(
        "-n", "imagebuild-system", "get", "deployment", "--output",
        'jsonpath={.items[0].spec.template.spec.containers[0].env[?(@.name=="IMAGEBUILD_BUILDER_IMAGE")].value}',
    )  # fmt: skip
    kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(bare_pod(builder, {**needed, **empty})))
    pod = wait_for_pod(api, namespace, lambda pod: pod["status"]["phase"] in {"Succeeded", "Failed"}, timeout=120)
    report = json.loads(pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"])
    assert report["outcome"] == "Succeeded", report
    assert report["digest"] == registry.digest(image)
    assert registry.files(image)["/made"].content == b"made\n"
