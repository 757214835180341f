"""A RUN chooses what is redacted, so redacting must not take longer than reading."""

from collections.abc import Callable
from itertools import product

import pytest
from imagebuild_operator.api.redact import head, redact, tail
from support.linear import assert_linear

#: Everything that a pattern looks for, in pieces.
PIECES = [
    "-----BEGIN ",
    "-----END ",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "PRIVATE KEY",
    "A" * 16 + "\n",
    "A",
    " ",
    "\n",
    "-eyJ",
    "eyJaaaaaaaa.",
    ".",
    "://",
    "a@",
    "?token",
    "&sig=",
    "secret",
    "authorization",
    ": bearer ",
    '"auth"',
    '"auth":"',
    "'",
]


def repeated(*pieces: str) -> Callable[[int], str]:
    whole = "".join(pieces)
    return lambda size: whole * (size // len(whole) + 1)


def run_of(piece: str, before: str = "", after: str = "") -> Callable[[int], str]:
    return lambda size: before + piece * (size // len(piece) + 1) + after


@pytest.mark.parametrize("piece", PIECES)
def test_whatever_is_repeated(piece: str):
    for other in PIECES:
        assert_linear(redact, repeated(piece, other), 2048)
        assert_linear(redact, run_of(piece, before=other, after=other), 2048)
        assert_linear(redact, run_of(piece, before=other), 2048)


@pytest.mark.parametrize(
    ("before", "after"), list(product(["", "eyJaaaaaaaa.", "-----BEGIN "], ["", "-----END ", "-----"]))
)
@pytest.mark.shows("F30")
def test_what_stalled_the_operator(before: str, after: str):
    assert_linear(redact, run_of("A", before, after), 8192)
    assert_linear(redact, run_of("AAAAAAAAAAAAAAAA ", before, after), 8192)
    assert_linear(redact, run_of("PRIVATE KEY", before, after), 8192)


@pytest.mark.parametrize("cut", [head, tail])
@pytest.mark.parametrize("text", ["a" * 9000, "a " * 4500, "a\n" * 4500, "", "short"])
def test_a_cut_is_at_a_blank_and_never_in_a_word(cut: Callable[[str, int], str], text: str):
    found = cut(text, 4096)
    assert len(found) <= 4096
    assert found in {text, ""} or found.split() == ["a"] * len(found.split())


def test_a_cut_leaves_no_part_of_a_secret_at_its_edge():
    url = "https://bob:hunter22-and-much-more@example.com/x.git"
    for at in range(len(url)):
        assert "hunter" not in redact(head("x " * 50 + url, 100 + at))
        assert "much-more" not in redact(tail(f"{url}\n" + "x " * 50, 101 + at))
