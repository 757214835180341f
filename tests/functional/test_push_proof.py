"""The container `check` is left out of builds whose push an earlier one has proven."""

import json

import pytest
from functional.kube import Builds, spec
from functional.kubelet import PUSHED, Json, Kubelet, terminated
from kubernetes import client
from support.watching import wait_for_finish

OK = terminated(0, "{}")
REFUSED = terminated(73, json.dumps({"reason": "RegistryUnauthorized", "message": "The password is wrong."}), "Error")


def init_containers(pod: Json) -> list[str]:
    return [container["name"] for container in pod["spec"]["initContainers"]]


def builds_in_a_row(builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str) -> list[list[str]]:
    """The init containers of four builds; the push of the third is refused."""
    pods: list[Json] = []
    for name, push in {"first": PUSHED, "second": PUSHED, "third": REFUSED, "fourth": PUSHED}.items():
        builds.create(spec(), name=name)
        pod = kubelet.pod_after(*pods)
        pods.append(pod)
        kubelet.report(pod, "Failed" if push is REFUSED else "Succeeded", build=OK, push=push)
        phase = wait_for_finish(api, namespace, name)["phase"]
        assert phase == ("Failed" if push is REFUSED else "Succeeded")
    return [init_containers(pod) for pod in pods]


@pytest.mark.usefixtures("operator")
def test_a_build_is_checked_unless_one_like_it_has_pushed(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    found = builds_in_a_row(builds, kubelet, api, namespace)
    assert found == [["check", "build"], ["build"], ["build"], ["check", "build"]]


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("settings", [{"builder": {"pushProofSeconds": 0}}])
def test_every_build_is_checked_if_no_push_is_proof_enough(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    assert builds_in_a_row(builds, kubelet, api, namespace) == [["check", "build"]] * 4
