"""The operator's log, as a collector reads it."""

import json

import pytest
from functional.kube import Builds, spec
from functional.kubelet import PUSHED, Kubelet, running, terminated
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_finish


@pytest.mark.parametrize("settings", [{"log": {"format": "json"}}])
def test_each_change_is_one_line_keyed_by_build_and_attempt(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    uid = builds.create(spec())["metadata"]["uid"]
    first = kubelet.pod()
    wait_for_build(api, namespace, "hello", phase)
    report = json.dumps({"reason": "RegistryUnavailable", "message": "https://bob:hunter22@r.example.com is away"})
    kubelet.report(first, "Failed", build=terminated(70, report, "Error"))
    second = kubelet.pod_after(first)
    kubelet.report(second, "Running", build=running())
    wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Building")
    kubelet.report(second, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    wait_for_finish(api, namespace, "hello")
    # The status is written before the line.
    until(lambda: '"phase": "Succeeded"' in operator.log)
    operator.stop()
    lines = [json.loads(line) for line in operator.log.splitlines()]
    assert "hunter22" not in operator.log
    told = [line for line in lines if line.get("uid") == uid]
    assert {(line["namespace"], line["name"], line["severity"]) for line in told} == {(namespace, "hello", "info")}
    assert [(line["attempt"], line["phase"], line.get("reason")) for line in told] == [
        (1, "Preparing", None),
        (1, "Pending", "RegistryUnavailable"),
        (2, "Preparing", None),
        (2, "Building", None),
        (2, "Succeeded", None),
    ]
