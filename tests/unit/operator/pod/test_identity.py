"""A pod that somebody else made under the name of a build pod is recognized, and the operator's own never mistaken."""

from copy import deepcopy
from typing import Any

import pytest
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.identity import difference
from imagebuild_operator.pod.manifest import build_pod
from support.builds import SETTINGS, a_build

Json = dict[str, Any]


def manifest() -> Json:
    build = a_build({"output": {"images": ["registry.example/team/app:1"], "pushSecretRef": {"name": "push"}}})
    return build_pod(build, parse_spec(build.spec), SETTINGS.defaults)


def push(pod: Json) -> Json:
    return dict(pod["spec"]["containers"][0])


def test_what_admission_adds_is_no_difference():
    pod = deepcopy(manifest())
    pod["spec"]["containers"][0]["env"].append({"name": "AWS_ROLE_ARN", "value": "x"})
    token = {"name": "token", "mountPath": "/var/run/secrets/eks.amazonaws.com/serviceaccount", "readOnly": True}
    pod["spec"]["containers"][0]["volumeMounts"].append(token)
    pod["spec"]["containers"].append({"name": "istio-proxy", "image": "istio"})
    pod["spec"]["volumes"].append({"name": "token", "projected": {}})
    pod["spec"]["initContainers"] = [each for each in pod["spec"]["initContainers"] if each["name"] != "check"]
    pod["spec"]["tolerations"] = [{"key": "node.kubernetes.io/not-ready"}]
    assert difference(pod, manifest()) == ""


FORGERIES: dict[str, Json] = {
    "image": {"image": "evil.example/builder"},
    "command": {"command": ["/bin/sh", "-c", "echo forged > /dev/termination-log"]},
    "args": {"args": ["push", "--help"]},
    "env": {"env": []},
    "envFrom": {"envFrom": [{"configMapRef": {"name": "x"}}]},
    "securityContext": {"securityContext": {"runAsUser": 0}},
    "lifecycle": {"lifecycle": {"postStart": {"exec": {"command": ["/bin/sh"]}}}},
    "volumeMounts": {"volumeMounts": [{"name": "x", "mountPath": "/kaniko/.Shim"}]},
}


@pytest.mark.shows("A51")
@pytest.mark.parametrize("name", FORGERIES)
def test_another_container_is_noticed(name: str):
    pod = deepcopy(manifest())
    pod["spec"]["containers"][0] |= FORGERIES[name]
    assert difference(pod, manifest()) == f"its container push has other {name}"


@pytest.mark.shows("A51")
def test_a_variable_that_is_set_twice_is_noticed():
    pod = deepcopy(manifest())
    pod["spec"]["containers"][0]["env"].append({"name": "OUTPUT_IMAGE", "value": "evil.example/app:1"})
    assert difference(pod, manifest()) == "its container push has other env"


@pytest.mark.shows("A51")
@pytest.mark.parametrize("kind", ["initContainers", "containers"])
def test_a_missing_container_is_noticed(kind: str):
    pod = deepcopy(manifest())
    pod["spec"][kind] = [{"name": "other", "image": "x"}]
    assert difference(pod, manifest()).startswith("it has no container ")


@pytest.mark.shows("A51")
def test_volumes_and_namespaces_count_too():
    pod = deepcopy(manifest())
    pod["spec"]["volumes"][0] = {"name": "layout", "persistentVolumeClaim": {"claimName": "x"}}
    assert difference(pod, manifest()) == "its volume layout is another"
    pod = deepcopy(manifest())
    pod["spec"]["shareProcessNamespace"] = True
    assert difference(pod, manifest()) == "it has shareProcessNamespace"
