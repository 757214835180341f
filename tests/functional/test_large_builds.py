"""ImageBuilds that are as large as the CRD allows: thousands may wait, and the operator has 512 MiB."""

import re
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.watching import wait_for_build

#: Together three times the operator's limit while they are parsed, and more than its limit if it kept them.
COUNT = 600
TEXT = "# " + "x" * 80 + "\n"
LIMIT = 512 * 1024 * 1024


def large(name: str) -> dict[str, object]:
    """A spec of 300 KB, whose build does not start."""
    text = TEXT * (90_000 // len(TEXT))
    return {
        **spec(),
        "suspend": True,
        "source": {"inline": {"files": {"a": text}}},
        "dockerfile": {"inline": f"FROM scratch\nCOPY {name} /\n{text}"},
        "buildArgs": [{"name": f"A{number}", "value": text[:10_000]} for number in range(9)],
    }


def is_suspended(build: dict[str, Any]) -> bool:
    return bool(build.get("status", {}).get("reason") == "Suspended")


@pytest.mark.shows("A50")
def test_hundreds_of_large_builds_that_wait_take_little_memory_at_the_start_and_at_a_resync(
    builds: Builds, operator: OperatorProcess, api: client.ApiClient, namespace: str, kubelet: Kubelet
):
    operator.stop()
    for number in range(COUNT):
        builds.create(large(f"b{number}"), f"b{number}")
    operator.start()
    for number in (0, COUNT - 1):
        wait_for_build(
            api, namespace, f"b{number}", lambda build: build.get("status", {}).get("reason") == "Suspended", 240
        )
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{operator.pid}/status").read_text())[0]) * 1024
    assert peak < LIMIT / 2, f"{peak / 2**20:.0f} MiB"
    # One of them starts with all of its spec.
    builds.patch({"spec": {"suspend": False}}, "b7")
    wait_for_build(api, namespace, "b7", lambda build: "podName" in build.get("status", {}), 60)
    pod = kubelet.pod()
    variables = {each["name"]: each.get("value", "") for each in pod["spec"]["initContainers"][-1]["env"]}
    assert variables["DOCKERFILE_CONTENT"].startswith("FROM scratch\nCOPY b7 /\n")
