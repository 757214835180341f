"""A line is cut where it is very long, and no secret with it."""

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kaniko_shim.log.lines import LONGEST, OVERLAP, Lines
from kaniko_shim.log.masking import Masker, mask_url
from support.linear import assert_linear

SECRET = "hunter2-and-much-more-that-nobody-may-see"
FORMS = {
    "known": SECRET,
    "known, with a blank": SECRET.replace("-", " "),
    "user": f"https://me:{SECRET}@example.com/x",
    "user with an at sign": f"https://me:@{SECRET}@example.com/x",
    "query": f"https://example.com/x?a=b&X-Amz-Signature={SECRET}&c=d",
    "header": f"authorization: bearer {SECRET} ",
}
KNOWN = {"known", "known, with a blank"}


def parts_of(line: bytes, masker: Masker, size: int) -> list[str]:
    got = list[str]()
    lines = Lines(got.append, masker)
    for begin in range(0, len(line), size):
        lines.feed(line[begin : begin + size])
    lines.end()
    return got


@pytest.mark.parametrize("form", FORMS)
@given(before=st.integers(-80, 4), filler=st.sampled_from(["a", "é", " ", "a b"]), size=st.integers(1000, 70_000))
@example(before=-20, filler="a", size=65_536)
def test_no_secret_is_cut_in_two(form: str, before: int, filler: str, size: int):
    masker = Masker([FORMS[form]] if form in KNOWN else [])
    for round_ in (1, 2):
        start = (filler * (round_ * LONGEST))[: round_ * LONGEST + before].encode()
        written = "".join(map(masker.mask, parts_of(start + FORMS[form].encode() + b"z" * LONGEST, masker, size)))
        assert "***" in written
        for piece in re.split("[- ]", SECRET):
            assert piece not in written


@given(st.binary(max_size=40), st.integers(1, 90_000), st.binary(max_size=40), st.integers(20_000, 140_000))
def test_a_long_line_is_the_same_however_it_arrives(begin: bytes, length: int, end: bytes, size: int):
    line = begin + (b"?sig=a@://b " * length)[: 3 * length] + end
    masker = Masker(["b ?s"])
    assert parts_of(line, masker, size) == parts_of(line, masker, len(line))


@given(st.integers(0, 3))
def test_no_character_is_cut_in_two(before: int):
    got = parts_of(b"a" * before + "\N{EARTH GLOBE EUROPE-AFRICA}".encode() * LONGEST, Masker(), 4096)
    assert "".join(got) == "a" * before + "\N{EARTH GLOBE EUROPE-AFRICA}" * LONGEST
    assert max(len(part.encode()) for part in got) <= LONGEST + OVERLAP


def test_a_secret_longer_than_a_line_is_masked():
    secret = "s" * 100_000
    assert "".join(map(Masker([secret]).mask, parts_of(f"a{secret}b".encode(), Masker([secret]), 4096))) == "a***b"


def test_a_secret_that_is_no_utf_8_is_masked():
    secret = b"\xff\xfesecret\xfd".decode("utf-8", "surrogateescape")
    got = parts_of(b"it is \xff\xfesecret\xfd.", Masker([secret]), 100)
    assert list(map(Masker([secret]).mask, got)) == ["it is ***."]


PIECES = ["://", "a@", "?sig=", "&token", "token", "authorization", ": bearer ", " ", "a", "\r"]


def repeated(*pieces: str) -> Callable[[int], str]:
    whole = "".join(pieces)
    return lambda size: whole * (size // len(whole) + 1)


@pytest.mark.parametrize("piece", PIECES)
def test_what_a_run_prints_is_masked_in_linear_time(piece: str):
    for other in PIECES:
        for more in ("", *PIECES):
            assert_linear(mask_url, repeated(piece, other, more), 2048)


@pytest.mark.parametrize("piece", ["://a&sig=b@c", "?sig=a@://b", "authorization: bearer ://a@", "a"])
def test_what_a_run_prints_is_cut_in_linear_time(piece: str):
    masker = Masker(["a@"])
    line = repeated(piece)
    assert_linear(lambda content: parts_of(content, masker, 65_536), lambda size: line(size).encode(), 150_000)
