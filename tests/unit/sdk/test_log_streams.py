"""Which logs are read next."""

from typing import Any

from imagebuild import Build, LogLine
from imagebuild.log_streams import InOrder, Stream, next_streams

RUNNING: dict[str, Any] = {"running": {}}
WAITING = {"waiting": {"reason": "PodInitializing"}}
ENDED = {"terminated": {"exitCode": 0}}


def pod(name: str, platform: str = "", phase: str = "Pending", created: str = "1", **states: object) -> dict[str, Any]:
    labels = {"imagebuild.dev/platform": platform} if platform else {}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels, "creationTimestamp": created},
        "spec": {"initContainers": [{"name": "check"}, {"name": "build"}], "containers": [{"name": "push"}]},
        "status": {"phase": phase, "initContainerStatuses": [{"name": n, "state": s} for n, s in states.items()]},
    }


def build(**status: object) -> Build:
    return Build({"metadata": {"name": "app", "namespace": "team", "uid": "1"}, "status": status})


def stream(name: str, container: str, platform: str = "", attempt: int = 1) -> Stream:
    return Stream(name, f"uid-{name}", container, platform, attempt)


def test_a_container_that_has_not_started_is_waited_for():
    assert next_streams(build(), [pod("a", check=WAITING)], set()) == []


def test_the_logs_of_all_containers_that_have_started_are_read():
    pods = [pod("a", check=ENDED, build=RUNNING)]
    assert next_streams(build(), pods, set()) == [stream("a", "check"), stream("a", "build")]
    assert next_streams(build(), pods, {stream("a", "check")}) == [stream("a", "build")]
    assert next_streams(build(), pods, {stream("a", "check"), stream("a", "build")}) == []


def test_a_container_that_never_started_is_passed_over_once_the_pod_has_ended():
    pods = [pod("a", phase="Failed", build=ENDED)]
    assert next_streams(build(), pods, set()) == [stream("a", "build")]
    assert next_streams(build(), pods, {stream("a", "build")}) == []


def test_platforms_are_read_at_the_same_time_and_attempts_have_numbers():
    attempts = {"attempts": [{"podName": "a"}]}
    status = {"platforms": [{"platform": "linux/amd64", **attempts}, {"platform": "linux/arm64"}]}
    pods = [
        pod("c", "linux-arm64", check=RUNNING, created="3"),
        pod("b", "linux-amd64", check=RUNNING, created="2"),
        pod("a", "linux-amd64", check=ENDED, created="1"),
    ]
    assert next_streams(build(**status), pods, set()) == [
        stream("a", "check", "linux-amd64", 1),
        stream("b", "check", "linux-amd64", 2),
        stream("c", "check", "linux-arm64", 1),
    ]


def test_a_container_is_passed_over_once_a_later_one_has_started():
    assert next_streams(build(), [pod("a", build=RUNNING)], set()) == [stream("a", "build")]


def test_the_logs_of_sidecars_are_not_read():
    sidecar = pod("a", check=WAITING)
    sidecar["spec"]["containers"].append({"name": "mesh"})
    sidecar["status"]["containerStatuses"] = [{"name": "mesh", "state": RUNNING}]
    assert next_streams(build(), [sidecar], set()) == []


def line(text: str) -> LogLine:
    return LogLine(text, None, "", "")


def test_lines_of_a_container_wait_for_the_end_of_the_log_of_the_one_before():
    order = InOrder()
    build_log, push_log, other = stream("a", "build"), stream("a", "push"), stream("b", "build")
    for each in (build_log, push_log, other):
        order.open(each)
    assert order.line(push_log, line("pushed")) == []
    assert order.line(build_log, line("compiled")) == [line("compiled")]
    assert order.line(other, line("of another pod")) == [line("of another pod")]
    assert order.end(build_log) == [line("pushed")]
    assert order.line(push_log, line("done")) == [line("done")]
    assert order.end(push_log) == order.end(other) == []
    assert not order


def test_a_log_that_ends_before_the_one_of_the_container_before():
    order = InOrder()
    logs = [stream("a", name) for name in ("check", "build", "push")]
    for each in logs:
        order.open(each)
    assert order.line(logs[2], line("pushed")) == order.end(logs[2]) == order.end(logs[1]) == []
    assert order
    assert order.end(logs[0]) == [line("pushed")]
    assert not order
