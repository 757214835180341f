"""Whatever happens to the operator or to its calls: one pod for each attempt, one end for each build.

Each build has one fault of its own, named in its name; many run at once. docs/explanation/reliability.md lists the
faults.
"""

import itertools
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from functional.autopilot import Autopilot
from functional.invariants import FINAL, check
from functional.kube import Builds, spec
from functional.operator_process import Deaths, OperatorProcess
from kubernetes import client
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.waiting import until
from support.watching import phase, wait_for_build

#: For each kind of build, its writes without a fault, Events aside; the autopilot knows what its name means.
WRITES = {
    # pod, Preparing, Building, Pushing, Succeeded, pod's deletion
    "well": 6,
    # pod, Preparing, Building, Pending; pod, Preparing, Building, Pushing, Succeeded, pod's deletion
    "again": 10,
    # pod, Preparing, Building, Building (being stopped), pod's deletion, Cancelled
    "endless": 6,
    # as well, and its own deletion
    "ttl": 7,
}
SECRET = "c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU"


@dataclass
class Scene:
    """An operator behind a proxy, and builds for it."""

    proxy: ApiProxy
    operator: OperatorProcess
    builds: Builds
    api: client.ApiClient
    namespace: str
    names: list[str] = field(default_factory=list)

    def create(self, name: str) -> None:
        extra: dict[str, Any] = {"ttlSecondsAfterFinished": 0} if name.startswith("ttl") else {}
        secret = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "token"}}}
        self.names.append(name)
        self.builds.create(spec(buildArgs=[secret], **extra), name=name)

    def wait_for_all(self, pilot: Autopilot) -> None:
        """Wait until every build has come to its end, and what expires is gone."""
        for name in self.names:
            pilot.wait(name, *(["Gone"] if name.startswith("ttl") else FINAL))

    def wait_for(self, name: str, reached: str) -> None:
        wait_for_build(self.api, self.namespace, name, lambda body: phase(body) == reached)

    def check(self, pilot: Autopilot) -> None:
        check(pilot)
        text = f"{pilot.pods}{pilot.builds}{self.operator.log}"
        assert SECRET not in text
        assert "Traceback" not in self.operator.log, self.operator.log
        ends = {body["metadata"]["name"]: phase(body) for _, body in pilot.builds if phase(body) in FINAL}
        assert ends == {name: "Cancelled" if name.startswith("endless") else "Succeeded" for name in self.names}


@pytest.fixture
def scene(kubeconfig: Path, builds: Builds, namespace: str, api: client.ApiClient, tmp_path: Path) -> Iterator[Scene]:
    core = client.CoreV1Api(api)
    core.create_namespaced_service_account(
        namespace, client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    )
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="secret"), string_data={"token": SECRET})
    core.create_namespaced_secret(namespace, secret)
    with ApiProxy(kubeconfig).running() as proxy:
        config = proxy.kubeconfig(tmp_path / "kubeconfig")
        operator = OperatorProcess(config, namespace, tmp_path / "operator.log", {"watches": {"silenceSeconds": 2}})
        yield Scene(proxy, operator, builds, api, namespace)
        if operator.is_running():
            operator.stop(signal.SIGKILL)


class Crashes:
    """Kills the operator at the write that a build's name says, once for each build."""

    def __init__(self, operator: OperatorProcess) -> None:
        self.deaths = Deaths(operator)
        self.hit: list[str] = []

    def fault(self, call: Call) -> Fault:
        if not call.is_write or not call.build or not self.deaths.is_up:
            return NOTHING
        _, nth, when, _ = call.build.split("-")
        if int(nth) != call.nth or call.build in self.hit or (call.body or {}).get("kind") == "Event":
            return NOTHING
        self.deaths.is_up = False
        self.hit.append(call.build)
        return (
            Fault(before=self.deaths.kill, reaches=False, status=0)
            if when == "before"
            else Fault(after=self.deaths.kill, status=0)
        )


@pytest.mark.shows("F1")
def test_a_crash_before_or_after_any_write_loses_and_repeats_nothing(scene: Scene):
    crashes = Crashes(scene.operator)
    scene.proxy.fault = crashes.fault
    scene.operator.start()
    left = set(each_write("before", "after"))
    with crashes.deaths.survived(), Autopilot(scene.api, scene.namespace).flying() as pilot:
        # A write that was under way when another build's crash came is tried again with another build.
        for attempt in range(10):
            for name in sorted(left):
                scene.create(f"{name}-{attempt}")
            scene.wait_for_all(pilot)
            left -= {name.rpartition("-")[0] for name in crashes.hit}
            if not left:
                break
    scene.check(pilot)
    assert not left


def each_write(*what: str) -> Iterator[str]:
    """A name for each write of each kind of build, and each thing that is done to it."""
    for kind, writes in WRITES.items():
        for nth, fault in itertools.product(range(1, writes + 1), what):
            yield f"{kind}-{nth}-{fault}"


#: What is answered instead of what the API server says; `lost` is a write that was taken, but its answer not heard.
ANSWERS = {
    "lost": Fault(status=0),
    "409": Fault(status=409, reaches=False),
    "429": Fault(status=429, reaches=False, headers={"Retry-After": "1"}),
    "500": Fault(status=500, reaches=False),
    "takenandfailed": Fault(status=500),
}


@pytest.mark.shows("F2", "F6", "F7", "F8")
def test_any_answer_to_any_write_is_outlived(scene: Scene):
    hit: list[str] = []

    def fault(call: Call) -> Fault:
        # The autopilot's last build has no fault.
        if not call.is_write or call.build not in scene.names or (call.body or {}).get("kind") == "Event":
            return NOTHING
        _, nth, what = call.build.split("-")
        if int(nth) != call.nth:
            return NOTHING
        hit.append(call.build)
        return ANSWERS[what]

    scene.proxy.fault = fault
    scene.operator.start()
    with Autopilot(scene.api, scene.namespace).flying() as pilot:
        for name in each_write(*ANSWERS):
            scene.create(name)
        scene.wait_for_all(pilot)
    scene.check(pilot)
    assert sorted(hit) == sorted(scene.names)


@pytest.mark.shows("F8")
def test_a_server_that_is_away_fails_no_build(scene: Scene):
    scene.operator.start()
    with Autopilot(scene.api, scene.namespace).flying() as pilot:
        for number in range(5):
            scene.create(f"well-{number}")
            scene.create(f"again-{number}")
        scene.wait_for("well-0", "Building")
        scene.proxy.is_down = True
        scene.proxy.cut_watches()
        scene.create("well-meanwhile")
        until(lambda: scene.proxy.refused >= 4)
        scene.proxy.is_down = False
        scene.wait_for_all(pilot)
    scene.check(pilot)


@pytest.mark.shows("F5", "F9")
def test_watches_that_break_stall_or_repeat_themselves_miss_nothing(scene: Scene):
    proxy = scene.proxy
    proxy.repeats = True
    scene.operator.start()
    with Autopilot(scene.api, scene.namespace).flying() as pilot:
        for number in range(5):
            scene.create(f"well-{number}")
            scene.create(f"endless-{number}")
            proxy.cut_watches()
            scene.wait_for(f"well-{number}", "Building")
        before = proxy.watches
        with proxy.silent():
            scene.create("well-in-silence")
            until(lambda: proxy.watches > before + 1)
        scene.wait_for_all(pilot)
    scene.check(pilot)


@pytest.mark.shows("F3")
def test_lists_that_are_old_bring_nothing_back_to_life(scene: Scene):
    scene.operator.start()
    for number in range(5):
        scene.create(f"well-{number}")
        scene.wait_for(f"well-{number}", "Preparing")
    scene.operator.stop(signal.SIGKILL)
    # What the next operator reads is what the last one is told again, when all of it has passed.
    scene.proxy.forget_lists()
    scene.operator.start()
    with Autopilot(scene.api, scene.namespace).flying() as pilot:
        scene.wait_for_all(pilot)
        scene.operator.stop(signal.SIGKILL)
        scene.proxy.is_stale = True
        scene.proxy.fault = lambda call: Fault(hold=1.0) if call.is_watch else NOTHING
        scene.operator.start()
        scene.create("well-last")
        scene.wait_for_all(pilot)
    scene.check(pilot)


@pytest.mark.shows("F21")
def test_an_older_server_that_cannot_select_by_fields_lists_everything(scene: Scene):
    def fault(call: Call) -> Fault:
        is_selected = "/imagebuilds" in call.path and call.query.get("fieldSelector")
        return Fault(status=400, reaches=False) if is_selected else NOTHING

    scene.proxy.fault = fault
    scene.operator.start()
    with Autopilot(scene.api, scene.namespace).flying() as pilot:
        for name in ("well-1", "again-1", "endless-1", "ttl-1"):
            scene.create(name)
        scene.wait_for_all(pilot)
    scene.check(pilot)


def test_what_is_finished_is_read_once_at_the_start_and_not_again(scene: Scene):
    finished = {"phase": "Succeeded", "completionTime": "2026-11-24T08:00:00Z"}
    for number in range(20):
        scene.builds.create(spec(), name=f"old-{number}")
        scene.builds.patch_status(finished, name=f"old-{number}")
    scene.operator.start()
    scene.builds.create(spec(), name="new")
    wait_for_build(scene.api, scene.namespace, "new", lambda body: phase(body) == "Preparing")
    scene.builds.patch({"metadata": {"labels": {"touched": "yes"}}}, name="old-0")
    scene.builds.patch({"metadata": {"labels": {"touched": "yes"}}}, name="new")
    wait_for_build(scene.api, scene.namespace, "new", lambda body: phase(body) == "Preparing")
    lists = [call for call in scene.proxy.calls if call.is_list and call.path.endswith("/imagebuilds")]
    resync = [call for call in lists if "fieldSelector" in call.query]
    assert len(resync) == 1
    # kopf's, one page.
    assert len(lists) == 2
    assert {call.build for call in scene.proxy.writes} == {"new"}
