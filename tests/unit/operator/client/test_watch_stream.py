import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.client.watch_stream import complete_lines, parse_event


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def lines(chunks: Iterable[bytes]) -> list[bytes]:
    async def read() -> list[bytes]:
        return [line async for line in complete_lines(stream(chunks))]

    return asyncio.run(read())


@given(
    st.lists(st.binary().map(lambda line: b"{" + line.replace(b"\n", b"")), max_size=5), st.lists(st.integers(0, 60))
)
def test_lines_come_whole_wherever_the_stream_is_cut(expected: list[bytes], cuts: list[int]):
    whole = b"".join(line + b"\n" for line in expected)
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    assert lines(whole[a:b] for a, b in pairwise(places)) == expected


def test_a_last_line_that_was_cut_off_is_none():
    assert lines([b'{"a": 1}\n\n{"b"']) == [b'{"a": 1}']


@pytest.mark.parametrize(
    "line", [b"<html>", b"\xff", b"{}", b"7", b'["ADDED"]', b'{"type": "ADDED", "object": 7}', b"[" * 9999]
)
def test_a_line_that_is_no_event_is_an_error(line: bytes):
    with pytest.raises(ClusterError, match="the watch sent"):
        parse_event(line)
