"""The log that is kept for the page."""

from datetime import UTC, datetime

import pytest
from imagebuild import LogLine
from kubectl_imagebuild.serve import log_buffer
from kubectl_imagebuild.serve.log_buffer import LogBuffer
from kubectl_imagebuild.serve.streams import event

TIME = datetime(2026, 11, 25, 10, tzinfo=UTC)
MILLISECONDS = 1_795_600_800_000


def line(text: str, container: str = "build", platform: str = "") -> LogLine:
    return LogLine(text, TIME, container, "pod", platform)


@pytest.fixture
def buffer() -> LogBuffer:
    return LogBuffer("uid", lambda: None)


def test_lines_have_numbers_and_streams(buffer: LogBuffer):
    for each in (line("a", "check"), line("kaniko-shim: b"), line("c"), line("d", "build", "linux-arm64")):
        buffer.add(each)
    assert buffer.streams == [("check", "", 1), ("build", "", 1), ("build", "linux-arm64", 1)]
    assert buffer.page(1, 2) == [("b", MILLISECONDS, 1), ("c", MILLISECONDS, 1)]
    assert buffer.page(3, 10) == [("d", MILLISECONDS, 2)]
    assert (buffer.first, buffer.end) == (0, 4)


def test_only_the_last_lines_are_kept(buffer: LogBuffer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_buffer, "MAX_LINES", 3)
    for number in range(5):
        buffer.add(line(str(number)))
    assert (buffer.first, buffer.end) == (2, 5)
    assert [text for text, *_ in buffer.page(0, 10)] == ["2", "3", "4"]


def test_all_lines_together_are_bounded(buffer: LogBuffer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_buffer, "MAX_CHARACTERS", 25)
    for number in range(4):
        buffer.add(line(str(number) * 10))
    assert [text[0] for text, *_ in buffer.page(0, 10)] == ["2", "3"]


def test_a_long_line_is_cut(buffer: LogBuffer):
    buffer.add(line("x" * 10_000))
    ((text, *_),) = buffer.page(0, 1)
    assert text == "x" * log_buffer.MAX_LINE + " … (the line has 10000 characters)"


def test_the_state_has_the_steps(buffer: LogBuffer):
    buffer.add(line('kaniko-shim: progress: stage=1/1 step=1/1 instruction="RUN make"'))
    (step,) = buffer.state()["steps"]
    assert (step["instruction"], step["line"], step["start"], step["end"]) == ("RUN make", 0, MILLISECONDS, None)


def test_an_event_is_one_line_whatever_is_in_it():
    assert event("lines", ["a\nb\r\n\u2028c"], "e-1") == 'id: e-1\nevent: lines\ndata: ["a\\nb\\r\\n\u2028c"]\n\n'
