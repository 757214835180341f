"""Steps of a build from its log and its status, and what a terminal and a log show of them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from imagebuild import Build, LogLine
from kubectl_imagebuild.frame import Row, Style, elapsed, failed_lines, final, live
from kubectl_imagebuild.plain_text import PlainText
from kubectl_imagebuild.screen_text import columns
from kubectl_imagebuild.steps import MOST_STEPS, TAIL, Board, State

START = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
CHECKED = "kaniko-shim: registry.example.com/app:1 can be pushed"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def build(phase: str | None, message: str = "", **fields: object) -> Build:
    return Build({"metadata": {"name": "app"}, "status": {"phase": phase, "message": message, **fields}})


def line(seconds: float, text: str, container: str = "build", pod: str = "p", platform: str = "") -> LogLine:
    return LogLine(text, at(seconds), container, pod, platform)


def step(stage: int, number: int, instruction: str, stages: int = 2, steps: int = 6) -> str:
    return f'kaniko-shim: progress: stage={stage}/{stages} step={number}/{steps} instruction="{instruction}"'


#: A build of two stages: time, and either a state or a container and a line of its log.
STORY: list[tuple[float, Any]] = [
    (0, build(None)),
    (1, build("Queued", "Waiting: the namespace runs its limit of 1 build.")),
    (3, build("Preparing", "Pod app-1 is being prepared.")),
    (5, ("check", CHECKED)),
    (5.2, ("check", "kaniko-shim: done in 0.2 s")),
    (6, build("Building", "Pod app-1 is building.")),
    (6, ("build", step(1, 1, "FROM golang AS build"))),
    (6.5, ("build", "Using caching version of cmd: RUN apt-get update")),
    (7, ("build", step(1, 2, "RUN apt-get update"))),
    (7.1, ("build", "Found cached layer, extracting to filesystem")),
    (8, ("build", step(1, 3, "RUN make"))),
    (8.5, ("build", "Running: [/bin/sh -c make]")),
    (9, ("build", "\x1b[31mcc main.c\x1b[0m")),
]


def tell(board: Board | PlainText, story: Iterable[tuple[float, Any]], delay: float = 0.0) -> list[str]:
    printed = []
    for seconds, what in story:
        now = at(seconds + delay)
        known = what if isinstance(what, Build | LogLine) else line(seconds, what[1], what[0])
        shown = board.change(known, now) if isinstance(known, Build) else board.log(known, now)
        printed += shown if isinstance(shown, list) else []
    return printed


def told(story: Iterable[tuple[float, Any]], delay: float = 0.0) -> Board:
    board = Board()
    tell(board, story, delay)
    return board


def summary(board: Board, now: datetime) -> list[tuple[str, str, float]]:
    return [(each.title, str(each.state), round(each.seconds(now), 1)) for each in board.steps]


def test_the_steps_of_a_build_with_their_times():
    assert summary(told(STORY), at(10)) == [
        ("[internal] wait for an operator", "done", 1.0),
        ("[internal] wait for a turn", "done", 2.0),
        ("[internal] start the pod", "done", 2.0),
        ("[check] check push access", "done", 0.2),
        ("[build 1/6] FROM golang AS build", "done", 1.0),
        ("[build 2/6] RUN apt-get update", "cached", 1.0),
        ("[build 3/6] RUN make", "running", 2.0),
    ]


def test_a_log_that_is_read_late_or_from_a_node_with_another_clock_has_the_same_times():
    # The log of a minute ago arrives at once.
    lines = [(seconds, what) for seconds, what in STORY if not isinstance(what, Build)]
    board = Board()
    for seconds, what in lines:
        board.log(line(seconds, what[1], what[0]), at(69))
    assert summary(board, board.node_time(at(70)))[-1] == ("[build 3/6] RUN make", "running", 2.0)


def test_the_clock_of_a_node_does_not_change_how_long_the_rest_took():
    # The node is 10 minutes ahead.
    board = Board()
    for seconds, what in [*STORY, (12, build("Failed"))]:
        if isinstance(what, Build):
            board.change(what, at(seconds))
        else:
            board.log(line(seconds + 600, what[1], what[0]), at(seconds))
    same = told([*STORY, (12, build("Failed"))])
    assert texts(final(board, at(20), 60)) == texts(final(same, at(20), 60))


def test_a_success_ends_each_step_with_its_last_line():
    board = told(
        [
            *STORY,
            (12, ("push", "pushed")),
            (13, ("push", "kaniko-shim: done in 1.0 s")),
            (15, build("Succeeded")),
        ]
    )
    assert summary(board, at(20))[-2:] == [
        ("[build 3/6] RUN make", "done", 1.0),
        ("[push] push the image", "done", 1.0),
    ]


def test_a_failure_and_a_cancellation_end_the_step_that_runs():
    for phase, state in (("Failed", State.FAILED), ("Cancelled", State.CANCELLED)):
        board = told([*STORY, (12, build(phase))])
        assert [each.state for each in board.steps[-2:]] == [State.CACHED, state]
    assert failed_lines(told([*STORY, (12, build("Failed"))])) == ("[build 3/6] RUN make", ("cc main.c",))
    assert failed_lines(told(STORY)) == ("", ())


def test_stages_that_nobody_needs_are_one_cached_step():
    board = told(
        [
            (0, ("build", step(1, 1, "FROM golang AS build"))),
            (1, ("build", "Eliminating stage 'golang' [idx: '0'], all consumers are served from cache")),
            (2, ("build", step(2, 5, "FROM scratch"))),
            (3, ("build", step(2, 6, "COPY --from=build /app /"))),
        ]
    )
    assert [(each.title, str(each.state)) for each in board.steps] == [
        ("[build 1/6] FROM golang AS build", "done"),
        ("[2-4/6] not needed", "cached"),
        ("[stage 2/2 5/6] FROM scratch", "done"),
        ("[stage 2/2 6/6] COPY --from=build /app /", "running"),
    ]


def test_a_cut_instruction_is_found_in_the_cache():
    board = told(
        [
            (0, ("build", "Using caching version of cmd: RUN make the very long target")),
            (1, ("build", step(1, 2, "RUN make the very…"))),
            (2, ("build", step(1, 3, "RUN another…"))),
        ]
    )
    assert [str(each.state) for each in board.steps] == ["done", "cached", "running"]


def test_a_retry_is_a_failed_step_and_the_next_pod_follows():
    lost = [{"reason": "NodeLost", "message": "The node is gone."}]
    board = told(
        [
            *STORY,
            (12, build("Pending", "Attempt 1 failed.", attempts=lost)),
            (14, build("Preparing", attempts=lost)),
            (16, line(16, CHECKED, "check", "q")),
        ]
    )
    assert [(each.title, str(each.state)) for each in board.steps[-5:]] == [
        ("[build 3/6] RUN make", "failed"),
        ("[attempt 1] NodeLost: The node is gone.", "failed"),
        ("[internal] wait for the next attempt", "done"),
        ("[internal] start the pod", "done"),
        ("[check] check push access", "running"),
    ]


def test_a_pod_that_replaces_another_ends_its_step():
    board = told(
        [
            (0, line(0, step(1, 1, "FROM a"), pod="p", platform="linux-amd64")),
            (0, line(0, step(1, 1, "FROM a"), pod="q", platform="linux-arm64")),
            (5, line(5, step(1, 1, "FROM a"), pod="r", platform="linux-amd64")),
        ]
    )
    assert [str(each.state) for each in board.steps] == ["failed", "running", "running"]


def test_the_steps_of_all_platforms_run_side_by_side():
    board = told(
        [
            (0, line(0, step(1, 1, "FROM a", 1, 2), pod="p", platform="linux-amd64")),
            (1, line(1, step(1, 1, "FROM a", 1, 2), pod="q", platform="linux-arm64")),
            (2, line(2, step(1, 2, "RUN b", 1, 2), pod="p", platform="linux-amd64")),
            (3, line(3, "pushing", "index", pod="r")),
        ]
    )
    assert [(each.title, str(each.state)) for each in board.steps] == [
        ("[linux/amd64 1/2] FROM a", "done"),
        ("[linux/arm64 1/2] FROM a", "running"),
        ("[linux/amd64 2/2] RUN b", "running"),
        ("[push] push the index of all platforms", "running"),
    ]


@pytest.mark.parametrize("sends", [True, False])
def test_how_to_send_the_context_is_told_unless_this_program_sends_it(sends: bool):  # noqa: FBT001 - a parameter
    text = PlainText(sends=sends)
    message = "linux/amd64: Waiting for the build context. Send the directory DIR: kubectl exec"
    shown = text.change(build("Preparing", message), at(1))
    assert (f"#1 {message}" in shown) is not sends


def test_an_upload_is_a_step_with_its_size_and_rate():
    board = told(STORY[:3])
    board.sent(0, 40_000_000, at(4))
    board.sent(10_000_000, 40_000_000, at(6))
    assert board.steps[-1].detail == "10.0 MB of 40.0 MB (25 %), 5.0 MB/s, 6 s left"
    assert board.steps[-2].state is State.DONE
    # The pod is not said to start while it receives.
    board.change(build("Preparing", reason="AwaitingUpload"), at(6))
    board.sent(40_000_000, 40_000_000, at(8))
    assert summary(board, at(9))[-1] == ("[upload] send the build context", "done", 4.0)
    # The pod of a retry gets it again.
    board.change(build("Pending", attempts=[{"reason": "NodeLost"}]), at(9))
    board.sent(40_000_000, 40_000_000, at(10))
    assert [each.title for each in board.steps].count("[upload] send the build context") == 2


def test_a_command_that_prints_progress_lines_fills_no_memory():
    board = Board()
    for number in range(MOST_STEPS + 500):
        board.log(line(number, step(1, number, "RUN x", steps=999_999)), at(number))
    for number in range(500):
        board.log(line(number, f"output {number}"), at(number))
    assert len(board.steps) == MOST_STEPS
    assert len(board.steps[-1].lines) == TAIL


def test_a_json_log_has_the_same_steps():
    board = Board()
    own = 'progress: stage=1/1 step=2/3 instruction="RUN a"'
    for number, (stream, text) in enumerate((("shim", own), ("executor", "hello"))):
        structured = json.dumps({"time": "t", "phase": "p", "stream": stream, "message": text})
        board.log(line(number, structured), at(number))
    board.log(line(2, '{"not": "ours"}'), at(2))
    assert [each.title for each in board.steps] == ["[2/3] RUN a"]
    assert list(board.steps[0].lines) == ["hello", '{"not": "ours"}']


def texts(rows: Iterable[Row]) -> list[str]:
    return [row.text for row in rows]


def test_a_frame_has_the_last_lines_below_the_step_that_runs():
    assert live(told(STORY), at(10), 60, 30) == [
        Row("[+] app 10.0s (6/7) Building"),
        Row(" => [internal] wait for an operator                    1.0s", Style.DONE),
        Row(" => [internal] wait for a turn                         2.0s", Style.DONE),
        Row(" => [internal] start the pod                           2.0s", Style.DONE),
        Row(" => [check] check push access                          0.2s", Style.DONE),
        Row(" => [build 1/6] FROM golang AS build                   1.0s", Style.DONE),
        Row(" => CACHED [build 2/6] RUN apt-get update              1.0s", Style.DONE),
        Row(" => [build 3/6] RUN make                               2.0s", Style.RUNNING),
        Row("     cc main.c", Style.QUIET),
    ]


def test_a_small_terminal_shows_what_runs_and_what_ended_last():
    board = told(STORY)
    board.note = "Cancelling the build."
    assert texts(live(board, at(10), 40, 6)) == [
        "[+] app 10.0s (6/7) Building",
        " => 6 steps before",
        " => [build 3/6] RUN make           2.0s",
        "     cc main.c",
        "Cancelling the build.",
    ]


@pytest.mark.parametrize("width", [1, 5, 20, 80])
@pytest.mark.parametrize("height", [1, 2, 3, 7, 24, 300])
def test_each_frame_fits(width: int, height: int):
    board = told(STORY)
    for number in range(200):
        board.log(line(10 + number, step(1, number, f"RUN 你好 {number}", steps=200)), at(10 + number))
        board.log(line(10 + number, "你好" * 100), at(10 + number))
    board.note = "x" * 200
    rows = live(board, at(300), width, height)
    assert len(rows) <= max(height - 1, 1)
    assert all(columns(row.text) < max(width, 2) for row in rows)
    assert len(final(board, at(300), width)) == 1 + len(board.steps)


def test_after_the_end_all_steps_are_listed():
    board = told([*STORY, (12, build("Failed"))])
    assert texts(final(board, at(99), 50))[0] == "[+] app 12.0s (7/7) Failed"
    assert final(board, at(99), 50)[-1] == Row(" => ERROR [build 3/6] RUN make               4.0s", Style.FAILED)


def test_durations():
    assert [elapsed(seconds) for seconds in (0, 12.34, 59.9, 61, 3599, 3700)] == [
        "0.0s",
        "12.3s",
        "59.9s",
        "1m01s",
        "59m59s",
        "1h01m",
    ]


def test_plain_progress_numbers_the_steps():
    assert tell(PlainText(), [*STORY, (12, build("Failed"))]) == [
        "#1 [internal] wait for an operator",
        "#1 DONE 1.0s",
        "#2 [internal] wait for a turn",
        "#2 Waiting: the namespace runs its limit of 1 build.",
        "#2 DONE 2.0s",
        "#3 [internal] start the pod",
        "#3 Pod app-1 is being prepared.",
        "#3 DONE 2.0s",
        "#4 [check] check push access",
        f"#4 0.000 {CHECKED}",
        "#4 0.200 kaniko-shim: done in 0.2 s",
        "#4 DONE 0.2s",
        "#5 [build 1/6] FROM golang AS build",
        "#5 0.500 Using caching version of cmd: RUN apt-get update",
        "#5 DONE 1.0s",
        "#6 [build 2/6] RUN apt-get update",
        "#6 0.100 Found cached layer, extracting to filesystem",
        "#6 CACHED",
        "#7 [build 3/6] RUN make",
        "#7 0.500 Running: [/bin/sh -c make]",
        "#7 1.000 \x1b[31mcc main.c\x1b[0m",
        "#7 ERROR after 4.0s",
    ]
