"""Steps, read from a log."""

from datetime import UTC, datetime, timedelta

import pytest
from imagebuild import LogLine
from kubectl_imagebuild.serve.steps import Step, StepLog, message

START = datetime(2026, 11, 25, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def read(*lines: tuple[float, str], container: str = "build", pod: str = "a") -> StepLog:
    log = StepLog()
    for number, (seconds, text) in enumerate(lines):
        log.read(LogLine(text, at(seconds), container, pod), number)
    return log


def step(number: int, text: str) -> str:
    return f'kaniko-shim: progress: stage=1/1 step={number}/2 instruction="{text}"'


def test_a_step_ends_when_the_next_one_begins():
    log = read((0, "fetching"), (1, step(1, "FROM busybox")), (3, step(2, "RUN make")), (4, "cc -c a.c"))
    assert log.steps == [
        Step(1, 2, 1, 1, "FROM busybox", line=1, start=at(1), end=at(3)),
        Step(2, 2, 1, 1, "RUN make", line=2, start=at(3)),
    ]
    log.end(at(9))
    assert log.steps[-1].end == at(9)


def test_a_step_that_is_announced_again_is_the_same():
    log = read((1, step(1, "RUN make")), (2, step(1, "RUN make")))
    assert [each.start for each in log.steps] == [at(1)]


def test_the_log_of_the_next_container_ends_a_step():
    log = read((1, step(1, "RUN make")))
    assert log.read(LogLine("pushing", at(5), "push", "a"), 1)
    assert log.steps[0].end == at(5)
    assert not log.read(LogLine("pushed", at(6), "push", "a"), 2)


def test_a_step_is_cached_if_the_executor_says_so():
    log = read((1, step(1, "RUN make")), (2, "INFO[0001] Found cached layer, extracting to filesystem"))
    assert log.steps[0].cached
    assert not read((1, "INFO[0001] Found cached layer, extracting to filesystem")).steps


def test_a_cached_step_is_named_while_an_earlier_one_runs():
    said = (1.5, "Using caching version of cmd: RUN make")
    log = read((1, step(1, "FROM busybox")), said, (2, step(2, "RUN make")))
    assert [each.cached for each in log.steps] == [False, True]


def test_platforms_run_at_the_same_time():
    log = StepLog()
    for number, platform in enumerate(("linux-amd64", "linux-arm64")):
        log.read(LogLine(step(1, "RUN make"), at(number), "build", platform, platform, 2), number)
    assert [(each.platform, each.attempt, each.end) for each in log.steps] == [
        ("linux-amd64", 2, None),
        ("linux-arm64", 2, None),
    ]


@pytest.mark.parametrize(
    "text",
    ["progress: stage=1/1 step=x/2", f"progress: {'9' * 5000}", "progress: stage=1/1 step=1/2 and more", ""],
)
def test_other_lines_announce_nothing(text: str):
    assert read((1, text)).steps == []


def test_the_message_of_a_line_in_either_format():
    structured = '{"time": "t", "phase": "p", "stream": "shim", "message": "hello"}'
    assert [message(text) for text in (structured, "kaniko-shim: hello", "hello")] == ["hello"] * 3
    for text in ('{"a": 1}', "{not json", '{"message": "a", "more": 1}'):
        assert message(text) == text
