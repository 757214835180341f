"""Splitting a log into lines, and going on after a broken connection."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from imagebuild.log_line import LineSplitter, Position


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_chunks_make_the_same_lines_however_they_are_cut(chunks: list[bytes]):
    splitter = LineSplitter()
    lines = [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.end()
    whole = b"".join(chunks).split(b"\n")
    if not whole[-1]:
        whole.pop()
    assert lines == [line.decode(errors="replace").removesuffix("\r") for line in whole]


def test_a_long_line_is_cut_and_the_next_one_is_whole():
    splitter = LineSplitter(5)
    assert splitter.feed(b"123") + splitter.feed(b"45678") + splitter.feed(b"9\nnext\n") == ["12345", "next"]


def test_a_line_has_its_time():
    taken = Position().take("2026-11-25T10:00:01.123456789Z hello world")
    assert taken == (datetime(2026, 11, 25, 10, 0, 1, 123456, UTC), "hello world")


def test_an_empty_line_and_a_line_without_time():
    assert Position().take("2026-11-25T10:00:01Z") == (datetime(2026, 11, 25, 10, 0, 1, tzinfo=UTC), "")
    assert Position().take("unable to retrieve container logs") == (None, "unable to retrieve container logs")


LINES = [
    "2026-11-25T10:00:01.1Z a",
    "2026-11-25T10:00:01.09Z out of order",
    "2026-11-25T10:00:01.2Z b",
    "2026-11-25T10:00:01.2Z c",
    "2026-11-25T10:00:01.2Z c",
    "2026-11-25T10:00:02.000000001Z d",
    "2026-11-25T10:00:03Z e",
]


@given(st.lists(st.integers(0, len(LINES)), max_size=5))
def test_each_line_is_read_once_wherever_the_connection_breaks(breaks: list[int]):
    position = Position()
    read: list[str] = []
    for cut in (*breaks, len(LINES)):
        since = position.resume()
        again = [line for line in LINES if not since or line[:19] >= since[:19]]
        # A connection that breaks early has brought less than the one before.
        taken = [position.take(line) for line in again[: max(cut - (len(LINES) - len(again)), 0)]]
        read += [line[1] for line in taken if line is not None]
    expected = [line.partition(" ")[2] for line in LINES]
    assert read == expected


def test_a_node_may_have_any_time_zone():
    position = Position()
    lines = ["2026-11-25T23:59:59.5-05:00 a", "2026-11-26T06:00:00.25+01:00 b"]
    assert [position.take(line) for line in lines] == [
        (datetime(2026, 11, 26, 4, 59, 59, 500_000, UTC), "a"),
        (datetime(2026, 11, 26, 5, 0, 0, 250_000, UTC), "b"),
    ]
    assert position.resume() == "2026-11-26T05:00:00Z"
    assert position.take(lines[1]) is None
    assert position.take("2026-11-26T06:00:00.3+01:00 c") == (datetime(2026, 11, 26, 5, 0, 0, 300_000, UTC), "c")
