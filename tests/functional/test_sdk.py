"""The SDK against a real API server; and the example of docs/how-to/python.md."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.kubelet import DIGEST, PUSHED, Kubelet, running, terminated
from functional.node import Node, serve_node
from functional.operator_process import OperatorProcess
from imagebuild import (
    AsyncClient,
    Build,
    Changed,
    Client,
    ConfigError,
    DeletedError,
    ExistsError,
    ForbiddenError,
    Interrupted,
    InvalidError,
    Listed,
    LogLine,
    NotFoundError,
    Phase,
    Removed,
    UnreachableError,
    WaitTimeoutError,
    image_build,
    rebuild,
)
from kubernetes import client
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.pages import blocks
from support.waiting import until

IMAGE = "registry.example.com/team/app:1"
FILES = {"Dockerfile": "FROM scratch\nCOPY . /\n"}
ALREADY_LONG_ENOUGH = 0.2


@pytest.fixture
def sdk(kubeconfig: Path, builds: Builds) -> Iterator[Client]:
    """A client for the test's namespace."""
    with Client(builds.namespace, kubeconfig=str(kubeconfig)) as made:
        yield made


@pytest.fixture
def node(api: client.ApiClient, namespace: str, tmp_path: Path) -> Iterator[Node]:
    """A node that has logs."""
    with serve_node(api, f"node-{namespace}", tmp_path) as served:
        yield served


def refusing(calls: int) -> Callable[[Call], Fault]:
    """What an API server does that has just started and knows no roles yet: it refuses the first calls."""
    left = iter(range(calls))
    return lambda _: NOTHING if next(left, None) is None else Fault(reaches=False, status=403)


def log(*lines: str) -> str:
    return "".join(f"2026-11-25T10:00:0{number}.5Z {line}\n" for number, line in enumerate(lines))


def test_create_get_list_cancel_and_delete(sdk: Client):
    made = sdk.create(image_build([IMAGE], files=FILES, name="app"))
    assert (made.name, made.namespace, made.phase, made.outputs) == ("app", sdk.namespace, None, (IMAGE,))
    again = sdk.create(rebuild(made, changes={"target": "prod"}))
    assert again.name.startswith("app-")
    assert again.spec["target"] == "prod"
    assert {build.name for build in sdk.list()} == {"app", again.name}
    assert sdk.list(selector="no=such") == []
    assert "app" in {build.name for build in sdk.list(all_namespaces=True) if build.namespace == sdk.namespace}
    assert sdk.cancel("app").spec["cancel"] is True
    sdk.delete(again.name)
    with pytest.raises(NotFoundError, match=f'"{again.name}" not found'):
        sdk.get(again.name)


def test_what_the_api_server_refuses(sdk: Client):
    sdk.create(image_build([IMAGE], files=FILES, name="app"))
    with pytest.raises(ExistsError, match='"app" already exists'):
        sdk.create(image_build([IMAGE], files=FILES, name="app"))
    with pytest.raises(InvalidError, match="without http://"):
        sdk.create(image_build(["http://registry.example.com/App"], files=FILES))
    unknown = image_build([IMAGE], files=FILES)
    unknown["spec"]["dockerFile"] = "x"
    with pytest.raises(InvalidError, match=r"unknown field \"spec.dockerFile\""):
        sdk.create(unknown)
    with pytest.raises(ValueError, match="no ImageBuild"):
        sdk.create({"apiVersion": "v1", "kind": "ConfigMap"})


def test_a_user_without_permission(token: Path, api: client.ApiClient, sdk: Client):
    client.RbacAuthorizationV1Api(api).delete_namespaced_role_binding("operator", sdk.namespace)
    with Client(sdk.namespace, kubeconfig=str(token)) as powerless:
        with pytest.raises(ForbiddenError, match="cannot list resource") as caught:
            powerless.list()
        assert "ClusterRole edit" in caught.value.hint


def test_a_kubeconfig_that_is_missing_or_lacks_the_context(kubeconfig: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nowhere"):
        Client(kubeconfig=str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="no-such-context"):
        Client(kubeconfig=str(kubeconfig), context="no-such-context")


def test_wait_returns_the_result(sdk: Client, operator: OperatorProcess, kubelet: Kubelet):
    assert operator.is_running()
    sdk.create(image_build([IMAGE], files=FILES, name="app"))
    with pytest.raises(WaitTimeoutError, match="has not ended"):
        sdk.wait("app", timeout=ALREADY_LONG_ENOUGH)
    kubelet.report(kubelet.pod(), "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    done = sdk.wait("app", timeout=30)
    assert (done.phase, done.digest, done.succeeded) == (Phase.SUCCEEDED, DIGEST, True)
    assert [(image.reference, image.digest) for image in done.images] == [(IMAGE, DIGEST)]


def test_wait_ends_when_the_build_is_deleted_or_replaced(sdk: Client):
    for act in (lambda: None, lambda: sdk.create(image_build([IMAGE], files=FILES, name="app"))):
        sdk.create(image_build([IMAGE], files=FILES, name="app"))
        changes = sdk.watch("app")
        assert next(changes).phase is None
        sdk.delete("app")
        act()
        with pytest.raises(DeletedError, match="app was"):
            next(changes)
    sdk.delete("app")


def test_follow_yields_the_lines_of_all_containers_once_and_the_build_at_both_ends(
    sdk: Client, operator: OperatorProcess, kubelet: Kubelet, node: Node
):
    assert operator.is_running()
    sdk.create(image_build([IMAGE], files=FILES, name="app"))
    items = sdk.follow("app")
    first = next(items)
    assert isinstance(first, Build)
    pod = kubelet.pod()
    name = pod["metadata"]["name"]
    kubelet.bind(pod, node.name)
    # The node closes each connection after what there is, so that the same lines are read again and again.
    node.logs[f"{name}/build"] = log("one")
    kubelet.report(pod, "Pending", build=running())
    lines = (item for item in items if isinstance(item, LogLine))
    assert next(lines).text == "one"
    node.logs[f"{name}/build"] = log("one", "two", "")
    line = next(lines)
    assert (line.text, line.container, line.pod, line.attempt) == ("two", "build", name, 1)
    assert line.time is not None
    assert not next(lines).text
    node.logs[f"{name}/push"] = log("pushed")
    kubelet.report(pod, "Running", build=terminated(0, "{}"), push=running())
    line = next(lines)
    assert (line.text, line.container) == ("pushed", "push")
    kubelet.report(pod, "Succeeded", push=PUSHED)
    assert list(lines) == []


def test_the_last_item_of_follow_is_the_result(sdk: Client, operator: OperatorProcess, kubelet: Kubelet):
    assert operator.is_running()
    sdk.create(image_build([IMAGE], files=FILES, name="app"))
    kubelet.report(kubelet.pod(), "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    *_, last = sdk.follow("app")
    assert isinstance(last, Build)
    assert (last.phase, last.digest) == (Phase.SUCCEEDED, DIGEST)
    assert list(sdk.follow("app"))[-1] == last


def test_logs_of_a_running_build_end(sdk: Client, operator: OperatorProcess, kubelet: Kubelet, node: Node):
    assert operator.is_running()
    sdk.create(image_build([IMAGE], files=FILES, name="app"))
    assert sdk.logs("app") == ()
    pod = kubelet.pod()
    kubelet.bind(pod, node.name)
    node.logs[pod["metadata"]["name"]] = log("one", "two")
    kubelet.report(pod, "Pending", build=running())
    assert [line.text for line in sdk.logs("app")] == ["one", "two"]


def test_watches_survive_an_outage_of_the_api_server(proxy: ApiProxy, builds: Builds, tmp_path: Path):
    builds.create(spec(), "app")
    with Client(builds.namespace, kubeconfig=str(proxy.kubeconfig(tmp_path / "proxy.yaml"))) as sdk:
        changes = sdk.watch("app")
        assert next(changes).reason == ""
        with ThreadPoolExecutor() as pool:
            change = pool.submit(next, changes)
            until(lambda: proxy.watches)
            proxy.is_down = True
            proxy.cut_watches()
            builds.patch_status({"phase": "Queued", "reason": "Limit"}, "app")
            until(lambda: proxy.refused)
            proxy.fault = refusing(2)
            proxy.is_down = False
            assert change.result(30).reason == "Limit"


def test_a_log_is_read_on_after_the_start_of_the_api_server(
    proxy: ApiProxy, builds: Builds, operator: OperatorProcess, kubelet: Kubelet, node: Node, tmp_path: Path
):
    assert operator.is_running()
    with Client(builds.namespace, kubeconfig=str(proxy.kubeconfig(tmp_path / "proxy.yaml"))) as sdk:
        builds.create(spec(), "app")
        lines = (item for item in sdk.follow("app") if isinstance(item, LogLine))
        pod = kubelet.pod()
        name = pod["metadata"]["name"]
        kubelet.bind(pod, node.name)
        node.logs[f"{name}/build"] = log("one")
        kubelet.report(pod, "Pending", build=running())
        assert next(lines).text == "one"
        proxy.fault = refusing(2)
        node.logs[f"{name}/build"] = log("one", "two")
        assert next(lines).text == "two"
        proxy.fault = refusing(2)
        # The first read of another container's log is refused too.
        node.logs[f"{name}/push"] = log("pushed")
        kubelet.report(pod, "Running", build=terminated(0, "{}"), push=running())
        assert next(lines).text == "pushed"
        kubelet.report(pod, "Succeeded", push=PUSHED)
        assert list(lines) == []


def test_a_log_that_may_not_be_read_is_an_error(
    proxy: ApiProxy, builds: Builds, operator: OperatorProcess, kubelet: Kubelet, node: Node, tmp_path: Path
):
    assert operator.is_running()
    with Client(builds.namespace, kubeconfig=str(proxy.kubeconfig(tmp_path / "proxy.yaml"))) as sdk:
        proxy.fault = lambda call: Fault(reaches=False, status=403) if call.path.endswith("/log") else NOTHING
        builds.create(spec(), "app")
        items = sdk.follow("app")
        assert isinstance(next(items), Build)
        pod = kubelet.pod()
        kubelet.bind(pod, node.name)
        kubelet.report(pod, "Pending", build=running())
        with pytest.raises(ForbiddenError):
            list(items)


def test_a_request_during_an_outage_fails(proxy: ApiProxy, builds: Builds, tmp_path: Path):
    kubeconfig = proxy.kubeconfig(tmp_path / "proxy.yaml")
    proxy.is_down = True
    with Client(builds.namespace, kubeconfig=str(kubeconfig)) as sdk, pytest.raises(UnreachableError, match="answer"):
        sdk.list()


def test_the_client_for_asyncio(kubeconfig: Path, builds: Builds):
    async def work() -> list[Phase | None]:
        async with AsyncClient(builds.namespace, kubeconfig=str(kubeconfig)) as sdk:
            await sdk.create(image_build([IMAGE], files=FILES, name="app"))
            changes = sdk.watch("app")
            seen = [(await anext(changes)).phase]
            await asyncio.to_thread(builds.patch_status, {"phase": "Cancelled"}, "app")
            return seen + [build.phase async for build in changes]

    assert asyncio.run(work()) == [None, Phase.CANCELLED]


def test_the_client_leaves_no_thread_behind(kubeconfig: Path):
    before = threading.active_count()
    for _ in range(3):
        with Client("default", kubeconfig=str(kubeconfig)):
            assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_the_example_of_the_page_prints_the_log_and_the_result(
    kubeconfig: Path, operator: OperatorProcess, kubelet: Kubelet, node: Node, namespace: str
):
    assert operator.is_running()
    (example,) = blocks("how-to/python.md", "python")
    program = example.replace("team-a", namespace)
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        pod = kubelet.pod()
        kubelet.bind(pod, node.name)
        node.logs[f"{pod['metadata']['name']}/build"] = log("compiled")
        kubelet.report(pod, "Pending", build=running())
        assert process.stdout
        assert process.stdout.readline() == "compiled\n"
        kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
        assert process.stdout.read() == f"Succeeded {DIGEST}\n"
    assert process.returncode == 0


def test_a_watch_of_all_builds_survives_an_outage(proxy: ApiProxy, builds: Builds, tmp_path: Path):
    builds.create(spec(), "app")
    with Client(builds.namespace, kubeconfig=str(proxy.kubeconfig(tmp_path / "proxy.yaml"))) as sdk:
        changes = sdk.watch_all()
        first = next(changes)
        assert isinstance(first, Listed)
        assert [build.name for build in first.builds] == ["app"]
        builds.patch_status({"phase": "Building"}, "app")
        second = next(changes)
        assert isinstance(second, Changed)
        assert second.build.phase is Phase.BUILDING
        proxy.is_down = True
        proxy.cut_watches()
        assert isinstance(next(changes), Interrupted)
        builds.delete_all()
        builds.create(spec(), "b")
        proxy.fault = refusing(2)
        proxy.is_down = False
        third = next(change for change in changes if not isinstance(change, Interrupted))
        assert isinstance(third, Listed)
        assert [build.name for build in third.builds] == ["b"]
        builds.delete_all()
        fourth = next(changes)
        assert isinstance(fourth, Removed)
        assert fourth.build.name == "b"
