"""One build as text, with bars of its phases."""

from datetime import UTC, datetime, timedelta

from imagebuild import Build
from kubectl_imagebuild.bars import bars
from kubectl_imagebuild.status_text import status
from kubectl_imagebuild.waterfall import Lane, Span, State

NOW = datetime(2026, 11, 25, 10, 5, tzinfo=UTC)


def build(**fields: object) -> Build:
    metadata = {"name": "app", "namespace": "team", "uid": "1", "creationTimestamp": "2026-11-25T10:00:00Z"}
    files = {"Dockerfile": "FROM busybox\nCOPY . /\nRUN make\nCMD x\n"}
    spec = {"source": {"inline": {"files": files}}, "output": {"images": ["registry.example.com/app:1"]}}
    return Build({"metadata": metadata, "spec": spec, "status": fields})


def test_the_status_of_a_failed_build():
    failed = build(
        phase="Failed",
        reason="RunCommandFailed",
        message="RUN make failed.",
        startTime="2026-11-25T10:00:20Z",
        completionTime="2026-11-25T10:00:40Z",
        duration="20s",
        engine="BuildKit",
        attempts=[
            {
                "podName": "a",
                "reason": "NodeLost",
                "message": "The node is gone.",
                "startTime": "2026-11-25T10:00:00Z",
                "completionTime": "2026-11-25T10:00:10Z",
            },
            {"podName": "b", "reason": "RunCommandFailed", "startTime": "2026-11-25T10:00:20Z"},
        ],
        timings={"scheduledMilliseconds": 1000, "pulledMilliseconds": 4000, "buildMilliseconds": 15000},
        cache={"hits": 3, "misses": 1},
        failure={
            "reason": "RunCommandFailed",
            "message": "RUN make failed.",
            "hint": "See the log.",
            "dockerfileLine": 3,
            "instruction": "RUN make",
            "logTail": "make: error\n",
        },
    )
    assert status(failed, NOW, 100).splitlines() == [
        "Name:       app",
        "Namespace:  team",
        "Phase:      Failed (RunCommandFailed)",
        "Message:    RUN make failed.",
        "Age:        5m",
        "Duration:   20s",
        "Engine:     BuildKit",
        "Image:      registry.example.com/app:1",
        "Attempt:    1: NodeLost The node is gone.",
        "Attempt:    2: RunCommandFailed",
        "Cache:      3 found, 1 not found",
        "",
        "Phases:",
        "  Attempt 1                 10.0s  |xxxxxxxxxx                              | NodeLost",
        "  Scheduling                 1.0s  |                    #                   |",
        "  Starting the pod           4.0s  |                     ####               |",
        "  Running the Dockerfile    15.0s  |                         xxxxxxxxxxxxxxx|",
        "",
        "RUN make failed.",
        "Dockerfile:3",
        "  1 |     FROM busybox",
        "  2 |     COPY . /",
        "  3 | >>> RUN make",
        "  4 |     CMD x",
        "Hint: See the log.",
        "",
        "End of the log:",
        "make: error",
    ]


def test_the_status_of_a_build_that_no_operator_has_seen():
    shown = status(build(), NOW, 100)
    assert "Phase:      not seen by an operator yet\n" in shown


def span(name: str, start: int, end: int | None, state: State = State.DONE, detail: str = "") -> Span:
    begin = NOW - timedelta(seconds=100)
    return Span(
        name, begin + timedelta(seconds=start), None if end is None else begin + timedelta(seconds=end), state, detail
    )


def test_bars_of_several_platforms_share_one_time():
    lanes = [
        Lane("linux/amd64", (span("Queued", 0, 50), span("Building", 50, None, State.RUNNING))),
        Lane("linux/arm64", (span("Queued", 0, 75), span("Building", 75, 80, State.CANCELLED, "Cancelled"))),
    ]
    assert bars(lanes, NOW, 45) == [
        "  linux/amd64",
        "  Queued      50.0s  |##########          |",
        "  Building    50.0s  |          >>>>>>>>>>|",
        "  linux/arm64",
        "  Queued      1m15s  |###############     |",
        "  Building     5.0s  |               -    | Cancelled",
    ]


def test_bars_of_a_narrow_terminal_and_of_nothing():
    assert bars([], NOW, 80) == bars([Lane("", ())], NOW, 80) == []
    assert bars([Lane("", (span("Queued", 0, 0),))], NOW, 1) == ["  Queued     0.0s  |#         |"]
