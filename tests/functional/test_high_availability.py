"""Several operators that share a Lease: one acts, and when it goes another takes over."""

import asyncio
import re
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from functional.autopilot import Autopilot
from functional.invariants import FINAL, check
from functional.kube import Builds, spec
from functional.operator_process import OperatorProcess
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.worker import MAX_CONCURRENT_RECONCILES
from imagebuild_operator.leader.leader import Leadership
from imagebuild_operator.settings import LeaseSettings
from imagebuild_operator.telemetry.prometheus import Metrics
from kubernetes import client
from kubernetes.aio.config import kube_config
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.metrics import value
from support.waiting import until
from support.watching import phase, states, wait_for_build

Start = Callable[..., OperatorProcess]


@pytest.fixture
def start(kubeconfig: Path, crd: Path, namespace: str, api: client.ApiClient, tmp_path: Path) -> Iterator[Start]:
    """Start operators that share a Lease; none may ever log a traceback."""
    assert crd.exists()
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)
    started: list[OperatorProcess] = []

    def start(seconds: int = 2, kubeconfig: Path = kubeconfig) -> OperatorProcess:
        lease = {"leaseName": "operator", "leaseNamespace": namespace, "leaseSeconds": seconds}
        made = OperatorProcess(
            kubeconfig, namespace, tmp_path / f"operator-{len(started)}.log", {"leaderElection": lease}
        )
        made.start()
        started.append(made)
        return made

    yield start
    for operator in started:
        if operator.is_running():
            operator.stop(signal.SIGKILL)
    for operator in started:
        assert operator.surprises() == []


class Lease:
    """The Lease, as the test sees it."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = client.CoordinationV1Api(api)
        self._namespace = namespace

    def wait(self, reached: Callable[[client.V1LeaseSpec], object], timeout: float = 30) -> client.V1LeaseSpec:
        """Watch it until its spec has reached a state."""
        last = None
        for event in states(self._api.list_namespaced_lease, self._namespace, timeout=timeout):
            last = cast("client.V1LeaseSpec", event["object"].spec)
            if last.holder_identity and reached(last):
                return last
        raise AssertionError(f"the lease has not got there within {timeout} s: {last}")

    def holder(self, *operators: OperatorProcess) -> OperatorProcess:
        """Which of the operators holds it, once one of them does."""
        found = self.wait(lambda spec: [one for one in operators if is_of(one, spec.holder_identity)])
        return next(one for one in operators if is_of(one, found.holder_identity))


def is_of(operator: OperatorProcess, identity: str | None) -> bool:
    return identity in re.findall(r"(\S+) is a standby", operator.log)


def stands_by(operator: OperatorProcess) -> bool:
    return "is a standby" in operator.log


@pytest.fixture
def lease(api: client.ApiClient, namespace: str) -> Lease:
    return Lease(api, namespace)


@pytest.mark.shows("F23")
def test_when_the_holder_is_killed_another_takes_over(
    start: Start, lease: Lease, builds: Builds, api: client.ApiClient, namespace: str
):
    names: list[str] = []
    operators = [start(), start()]
    holder = lease.holder(*operators)
    with Autopilot(api, namespace).flying() as pilot:
        for number in range(3):
            made = [f"build-{number}-{count}" for count in range(5)]
            for name in made:
                builds.create(spec(), name=name)
            names += made
            [other] = [one for one in operators if one is not holder]
            until(partial(stands_by, other))
            # At another point of the burst each time.
            wait_for_build(api, namespace, made[2 * number], phase)
            holder.stop(signal.SIGKILL)
            assert lease.holder(other) is other
            operators, holder = [other, start()], other
        for name in names:
            pilot.wait(name, *FINAL)
    check(pilot)


@pytest.mark.shows("F3")
def test_builds_that_a_leader_has_begun_do_not_begin_again_when_old_lists_and_watches_show_them_as_new(
    start: Start, proxy: ApiProxy, builds: Builds, api: client.ApiClient, namespace: str, tmp_path: Path
):
    """The leader creates a pod without reading the build once more only where nobody else can have started it."""
    start(60, proxy.kubeconfig(tmp_path / "kubeconfig"))
    names = [f"well-{number}" for number in range(10)]
    expired: set[str] = set()

    def expire_each_watch_once(call: Call) -> Fault:
        if not call.is_watch or call.path in expired:
            return NOTHING
        expired.add(call.path)
        return Fault(lines=(b'{"type":"ERROR","object":{"kind":"Status","code":410}}',))

    def reads() -> set[str]:
        return {call.path.rpartition("/")[2] for call in proxy.calls if call.method == "GET"}

    with Autopilot(api, namespace).flying() as pilot:
        builds.create(spec(), name="well-first")
        pilot.wait("well-first", *FINAL)
        for name in names:
            builds.create(spec(), name=name)
        for name in names:
            pilot.wait(name, *FINAL)
        until(lambda: {pod["metadata"]["name"] for kind, pod in pilot.pods if kind == "DELETED"} >= pods_of(pilot))
        assert "well-first" in reads()
        assert not reads() & set(names)
        proxy.is_stale = True
        proxy.fault = expire_each_watch_once
        proxy.cut_watches()
        builds.create(spec(), name="well-last")
        pilot.wait("well-last", *FINAL)
    check(pilot)
    assert len(expired) >= 2


def pods_of(pilot: Autopilot) -> set[str]:
    """The names of all build pods that were seen."""
    return {pod["metadata"]["name"] for _, pod in pilot.pods}


@pytest.mark.shows("F24")
def test_one_that_is_stopped_hands_over_at_once(
    start: Start, lease: Lease, builds: Builds, api: client.ApiClient, namespace: str
):
    first, second = start(20), start(20)
    holder = lease.holder(first, second)
    other = second if holder is first else first
    builds.create(spec())
    wait_for_build(api, namespace, "hello", phase)
    assert [value(one.metrics(), "imagebuild_leader") for one in (holder, other)] == [1, 0]
    until(lambda: other.probe("/readyz")[0] == 200)
    holder.stop()
    # Less than the lease, which is therefore not waited for.
    spec_now = lease.wait(lambda spec: is_of(other, spec.holder_identity), timeout=15)
    assert spec_now.lease_transitions == 1
    until(lambda: value(other.metrics(), "imagebuild_leader") == 1)
    with Autopilot(api, namespace).flying() as pilot:
        pilot.wait("hello", "Succeeded")
    check(pilot)


@pytest.mark.shows("F25")
def test_one_that_was_stopped_in_the_middle_of_its_work_writes_nothing_after_its_lease(
    start: Start,
    lease: Lease,
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    kubeconfig: Path,
    tmp_path: Path,
):
    with ApiProxy(kubeconfig).running() as proxy, Autopilot(api, namespace).flying() as pilot:
        first = start(kubeconfig=proxy.kubeconfig(tmp_path / "kubeconfig"))
        assert lease.holder(first) is first
        second = start()
        until(partial(stands_by, second))
        names = [f"build-{number}" for number in range(20)]
        for name in names:
            builds.create(spec(), name=name)
        # In the middle of its writes.
        until(lambda: len(proxy.writes) > 17)
        first.send(signal.SIGSTOP)
        assert lease.holder(second) is second
        before = len(proxy.writes)
        builds.create(spec(), name="later")
        first.send(signal.SIGCONT)
        for name in (*names, "later"):
            pilot.wait(name, *FINAL)
        until(lambda: "no longer holds" in first.log)
        # What was under way when it was stopped may have come through only now; of what came later it wrote nothing.
        assert "later" not in {call.build for call in proxy.writes[before:]}
        assert len(proxy.writes) - before <= MAX_CONCURRENT_RECONCILES
        assert first.is_running()
    check(pilot)


@pytest.mark.shows("F26")
def test_a_holder_that_the_api_server_can_not_be_reached_from_stands_by_and_another_acts(
    start: Start,
    lease: Lease,
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    kubeconfig: Path,
    tmp_path: Path,
):
    with ApiProxy(kubeconfig).running() as proxy, Autopilot(api, namespace).flying() as pilot:
        first = start(kubeconfig=proxy.kubeconfig(tmp_path / "kubeconfig"))
        assert lease.holder(first) is first
        second = start()
        builds.create(spec(), name="before")
        with proxy.silent():
            builds.create(spec(), name="meanwhile")
            assert lease.holder(second) is second
            pilot.wait("meanwhile", *FINAL)
            until(lambda: "no longer holds" in first.log)
        pilot.wait("before", *FINAL)
        # It is there again, and takes over in its turn.
        second.stop()
        assert lease.holder(first) is first
        builds.create(spec(), name="after")
        pilot.wait("after", *FINAL)
    check(pilot)


def test_an_election_that_an_unexpected_exception_ends_says_so(
    kubeconfig: Path, namespace: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
    broken = ZeroDivisionError()
    ended = asyncio.Event()

    def begin() -> None:
        raise broken

    async def end() -> None:
        ended.set()

    async def take_part() -> None:
        cluster = await Cluster.connect(Metrics())
        leadership = Leadership(cluster, LeaseSettings(namespace, "operator"), "it", begin, end)
        leadership.start()
        assert await asyncio.to_thread(until, lambda: leadership.failure) is broken
        await leadership.stop()
        assert ended.is_set()
        await cluster.close()

    asyncio.run(take_part())
    assert f"The election for Lease {namespace}/operator ended unexpectedly" in caplog.text
