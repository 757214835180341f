"""Several installations in one cluster, each with the ImageBuilds that its label selector selects."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from functional.autopilot import Autopilot
from functional.invariants import check
from functional.kube import Builds, spec
from functional.kubelet import PUSHED, Kubelet, running, terminated
from functional.operator_process import OperatorProcess, Settings
from kubernetes import client
from support.api_proxy import ApiProxy
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_deletion, wait_for_finish


@dataclass(frozen=True)
class Install:
    """An operator with its selector, and all that it asks of the API server."""

    operator: OperatorProcess
    proxy: ApiProxy

    def written_to(self) -> set[str | None]:
        """The names of the builds that it has written anything for."""
        return {call.build for call in self.proxy.writes}

    def writes(self, method: str, resource: str) -> list[str]:
        """The paths of its writes of a kind of object."""
        return [call.path for call in self.proxy.writes if call.method == method and f"/{resource}" in call.path]


Installer = Callable[..., Install]


@pytest.fixture(params=["namespaced", "cluster-wide"])
def install(
    request: pytest.FixtureRequest,
    kubeconfig: Path,
    crd: Path,
    namespace: str,
    api: client.ApiClient,
    tmp_path: Path,
) -> Iterator[Installer]:
    """Start operators; none may ever log a traceback."""
    assert crd.exists()
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)
    watched = namespace if request.param == "namespaced" else ""
    with ApiProxy(kubeconfig).running() as one, ApiProxy(kubeconfig).running() as other:
        proxies = [one, other]
        started: list[OperatorProcess] = []

        def install(team: str, **settings: Settings) -> Install:
            proxy = proxies.pop()
            given = {"buildSelector": f"team={namespace}-{team}", **settings}
            made = OperatorProcess(proxy.kubeconfig(tmp_path / team), watched, tmp_path / f"{team}.log", given)
            made.start()
            started.append(made)
            return Install(made, proxy)

        yield install
        for operator in started:
            if operator.is_running():
                operator.stop(signal.SIGKILL)
    for operator in started:
        assert operator.surprises() == []


@pytest.fixture
def label(namespace: str) -> Callable[[str], dict[str, str]]:
    """The label of a team's builds; of no other test's, since cluster-wide operators see those too."""
    return lambda team: {"team": f"{namespace}-{team}"}


Label = Callable[[str], dict[str, str]]


def test_each_build_has_one_pod_and_is_written_by_its_own_installation_alone(
    install: Installer, label: Label, builds: Builds, api: client.ApiClient, namespace: str
):
    builds.create(spec(), name="stranger", labels=label("c"))
    installs = {team: install(team) for team in "ab"}
    names = {team: {f"build-{team}-{number}" for number in range(5)} for team in "ab"}
    with Autopilot(api, namespace).flying() as pilot:
        for team, made in names.items():
            for name in made:
                builds.create(spec(), name=name, labels=label(team))
        for name in names["a"] | names["b"]:
            pilot.wait(name, "Succeeded")
    assert {team: one.written_to() for team, one in installs.items()} == names
    assert [kind for kind, build in pilot.builds if build["metadata"]["name"] == "stranger"] == ["ADDED"]
    pilot.builds = [event for event in pilot.builds if event[1]["metadata"]["name"] != "stranger"]
    assert len([kind for kind, _ in pilot.pods if kind == "ADDED"]) == 10
    check(pilot)


def test_a_build_that_is_relabelled_while_it_runs_changes_hands_with_its_pod(
    install: Installer, label: Label, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    first, second = install("a", admission={"maxRunning": 1}), install("b")
    builds.create(spec(), name="moving", labels=label("a"))
    pod = kubelet.pod()
    kubelet.report(pod, "Running", build=running())
    wait_for_build(api, namespace, "moving", lambda build: phase(build) == "Building")
    until(lambda: "is building" in first.operator.log)
    builds.create(spec(), name="next", labels=label("a"))
    wait_for_build(api, namespace, "next", lambda build: phase(build) == "Queued")

    # Nobody's: its place is free, and its pod and its status stay as they are.
    builds.patch({"metadata": {"labels": {"team": None}}}, name="moving")
    kubelet.pod_after(pod)
    kubelet.report(pod, "Running", build=terminated(0, "{}"), push=running())
    builds.create(spec(), name="other", labels=label("b"))
    wait_for_build(api, namespace, "other", phase)
    assert phase(builds.get("moving")) == "Building"
    assert pod["metadata"]["name"] in kubelet.pods()

    builds.patch({"metadata": {"labels": label("b")}}, name="moving")
    wait_for_build(api, namespace, "moving", lambda build: phase(build) == "Pushing")
    kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    assert wait_for_finish(api, namespace, "moving")["podName"] == pod["metadata"]["name"]
    until(lambda: pod["metadata"]["name"] not in kubelet.pods())
    # Each writes a line when the API server has taken its write.
    lines = {one: [line for line in one.operator.log.splitlines() if "moving" in line] for one in (first, second)}
    assert not [line for line in lines[first] if "pushing" in line.lower() or "succeeded" in line.lower()]
    assert not [line for line in lines[second] if "is building" in line]
    assert first.writes("DELETE", "pods") == []
    # Twice where it looks again before it is told that the pod has gone.
    assert {path.rpartition("/")[2] for path in second.writes("DELETE", "pods")} == {pod["metadata"]["name"]}
    assert len(first.writes("POST", "pods")) == 2  # for `moving` and `next`
    assert len(second.writes("POST", "pods")) == 1  # for `other`


def test_history_is_that_of_an_installations_own_builds(
    install: Installer, label: Label, builds: Builds, api: client.ApiClient, namespace: str
):
    first, second = install("a", history={"succeeded": 0}), install("b", history={"succeeded": 1})
    with Autopilot(api, namespace).flying() as pilot:
        builds.create(spec(), name="kept", labels=label("b"))
        pilot.wait("kept", "Succeeded")
        builds.create(spec(), name="passing", labels=label("a"))
        wait_for_deletion(api, namespace, "passing")
    assert phase(builds.get("kept")) == "Succeeded"
    assert {path.rpartition("/")[2] for path in first.writes("DELETE", "imagebuilds")} == {"passing"}
    assert second.writes("DELETE", "imagebuilds") == []
