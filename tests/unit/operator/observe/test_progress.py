import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.time import parse_time
from imagebuild_operator.decide.attempt import BUSY, decide
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.observe.progress import MAX_INSTRUCTION, UNREAD, Log, Progress, next_read, parse_progress
from support.builds import POD, SETTINGS, a_build, a_pod, after, ended, recorded, running, waiting

LINE = 'progress: stage=1/2 step=3/9 instruction="RUN make"'
LINE_AT = f"2026-11-24T08:00:12.345678901Z {LINE}"
BUILDING = a_pod(phase="Running", node="node1", build=running(10))


def structured(message: str, stream: str = "shim") -> str:
    return json.dumps({"time": "now", "phase": "p", "stream": stream, "message": message})


@pytest.mark.parametrize(
    ("log", "seen"),
    [
        ("", None),
        (LINE, Progress(3, 9, 1, 2, "RUN make")),
        (f"kaniko-shim: {LINE}\n", Progress(3, 9, 1, 2, "RUN make")),
        (f"{LINE}\nprogress: stage=2/2 step=1/4\nmake: done\n", Progress(1, 4, 2, 2)),
        ('progress: stage=1/1 step=1/1 instruction=""', Progress(1, 1, 1, 1)),
        ('progress: stage=1/1 step=1/1 instruction="RUN echo "a" \\"', Progress(1, 1, 1, 1, 'RUN echo "a" \\')),
        (
            'progress: stage=1/1 step=1/1 instruction="RUN a\x1b[31m\tb\x85c\u2028d"',
            Progress(1, 1, 1, 1, "RUN a [31m b c d"),
        ),
        (
            structured(LINE),
            Progress(3, 9, 1, 2, "RUN make"),
        ),
        (structured(LINE, "executor"), None),
        ('{"message": "progress: stage=1/2', None),
        ('{"message": ["progress: "]}', None),
        ('["progress: "]', None),
        ("progress: stage=1/2 step=half", None),
        ("progress: stage=1/2 step=12345678/9", None),
        (f"output of a RUN: {LINE}", None),
        (f"progress: nothing\n{LINE}\nprogress: nothing\n", Progress(3, 9, 1, 2, "RUN make")),
    ],
)
def test_the_last_line_that_tells_of_a_step_counts(log: str, seen: Progress | None):
    assert parse_progress(log) == seen


@pytest.mark.parametrize(
    ("times", "start"),
    [
        (["08:00:01Z step=1/9", "08:00:03.123456789Z step=3/9"], "08:00:03"),
        (["10:00:03+02:00 step=3/9"], "08:00:03"),
        (["08:00:03Z step=3/9", "08:00:07Z make: done", "08:00:09.5Z step=3/9", "08:00:11Z make: done"], "08:00:03"),
        (["08:00:01Z step=3/9", "08:00:05Z step=4/9", "08:00:09Z step=3/9"], "08:00:09"),
        (["step=3/9"], None),
        (["08:99:03Z step=3/9"], None),
    ],
)
def test_a_step_begins_with_its_first_line(times: list[str], start: str | None):
    lines = (re.sub(r"^(?=\d)", "2026-11-24T", text).replace("step=", "progress: stage=1/2 step=") for text in times)
    seen = parse_progress("\n".join(lines))
    assert seen == Progress(3, 9, 1, 2, start=parse_time(f"2026-11-24T{start}Z") if start else None)


@given(st.text(), st.text())
def test_no_log_breaks_it_and_what_it_shows_is_short_and_printable(noise: str, instruction: str):
    line = f'progress: stage=1/2 step=3/9 instruction="{instruction}"'
    for log in (
        noise,
        f"{noise}\n{line}\n",
        f"{line}\n{noise}",
        structured(line),
        "{" + noise,
    ):
        seen = parse_progress(log)
        assert seen is None or seen.instruction is None or len(seen.instruction) <= MAX_INSTRUCTION
        assert seen is None or seen.instruction is None or not any(ord(c) < 32 for c in seen.instruction)


def test_each_wait_is_as_long_as_the_build_has_run():
    reads: list[float] = []
    last = next_read(BUILDING, None)
    while last is not None and len(reads) < 9:
        reads.append((last - after(10)).total_seconds())
        last = next_read(BUILDING, last)
    assert reads == [5, 10, 20, 40, 80, 160, 280, 400, 520]


@pytest.mark.parametrize(
    "pod",
    [
        a_pod(),
        a_pod(build=waiting("PodInitializing")),
        a_pod(check=running()),
        a_pod(build=ended(0), push=running()),
        a_pod(phase="Failed", build=running()),
        a_pod(deletion=after(40), build=running()),
    ],
)
def test_no_log_is_read_but_of_a_build_that_runs(pod: PodFacts):
    assert next_read(pod, None) is None
    assert next_read(pod, after(0)) is None


def test_progress_is_written_once_for_each_step_and_goes_with_the_build():
    build = a_build()
    build = recorded(build, decide(ReconcileInput(build, [BUILDING], SETTINGS, after(11))))
    assert "progress" not in build.status
    made = decide(ReconcileInput(build, [BUILDING], SETTINGS, after(15), logs={POD: Log(LINE_AT, after(15))}))
    step = {"summary": "3/9", "step": 3, "steps": 9, "stage": 1, "stages": 2, "instruction": "RUN make"}
    assert made.status == {"progress": {**step, "startTime": "2026-11-24T08:00:12Z"}}
    assert made.events == ()
    build = recorded(build, made)
    later = LINE_AT.replace("08:00:12", "08:00:17")
    for text in (LINE_AT, later, LINE, "nothing", None):
        logs = {POD: Log(text, after(20))}
        assert decide(ReconcileInput(build, [BUILDING], SETTINGS, after(20), logs=logs)).status is None
    pushing = a_pod(phase="Running", node="node1", build=ended(0, "{}"), push=running(60))
    made = decide(ReconcileInput(build, [pushing], SETTINGS, after(60)))
    assert made.status
    assert (made.status["phase"], made.status["progress"]) == ("Pushing", None)
    failed = a_pod(phase="Failed", node="node1", build=ended(7, '{"reason": "RunCommandFailed"}'))
    made = decide(ReconcileInput(build, [failed], SETTINGS, after(60)))
    assert made.status
    assert (made.status["phase"], made.status["progress"]) == ("Failed", None)


def test_a_new_attempt_does_not_show_the_steps_of_the_last():
    build = a_build(status={"phase": "Building", "podName": POD, "progress": {"step": 7, "steps": 9}})
    made = decide(
        ReconcileInput(build, [a_pod(phase="Failed", reason="Evicted", build=ended(143))], SETTINGS, after(60))
    )
    assert made.status
    assert (made.status["phase"], made.status["progress"]) == ("Pending", None)


@pytest.mark.parametrize(
    ("now", "log", "seconds"),
    [
        (11, UNREAD, 4),
        (15, Log(LINE, after(15)), 5),
        (16, Log(None, after(15)), 4),
        (200, Log(None, after(170)), 90),
        (100, UNREAD, BUSY),
        (600, Log(None, after(590)), 60),
    ],
)
def test_a_running_build_is_looked_at_when_its_log_is_due(now: float, log: Log, seconds: float):
    assert decide(ReconcileInput(a_build(), [BUILDING], SETTINGS, after(now), logs={POD: log})).requeue_after == seconds
