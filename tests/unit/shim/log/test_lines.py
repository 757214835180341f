"""Output arrives in chunks and leaves in lines."""

import time

from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.log.lines import LONGEST, OVERLAP, Lines
from kaniko_shim.log.masking import Masker


@given(st.lists(st.binary(max_size=50)))
def test_lines_are_the_same_however_they_arrive(chunks: list[bytes]):
    whole = b"".join(chunks)
    got, expected = list[str](), list[str]()
    lines = Lines(got.append, Masker())
    for chunk in chunks:
        lines.feed(chunk)
    lines.end()
    at_once = Lines(expected.append, Masker())
    at_once.feed(whole)
    at_once.end()
    assert got == expected
    assert len(got) == whole.count(b"\n") + (not whole.endswith(b"\n") and bool(whole))


def test_an_endless_line_is_handed_on_in_parts():
    got = list[str]()
    lines = Lines(got.append, Masker())
    for _ in range(100):
        lines.feed(b"word " * 1000)
    lines.end()
    assert "".join(got) == "word " * 100_000
    assert max(map(len, got)) <= LONGEST + OVERLAP
    assert all(part.strip().endswith("word") for part in got)


def test_the_time_is_linear_even_if_bytes_come_one_by_one():
    def seconds(count: int) -> float:
        best = float("inf")
        for _ in range(3):
            lines = Lines(lambda _: None, Masker())
            begin = time.process_time()
            for _ in range(count):
                lines.feed(b"a")
            best = min(best, time.process_time() - begin)
        return best

    # Sixteen times as much; squared it would be 256 times.
    assert seconds(64_000) < 64 * max(seconds(4000), 0.0005)
