"""Secrets are masked in everything that is printed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kaniko_shim.log.masking import Masker, mask_url


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://user:pa:ss@h.example/x", "https://***@h.example/x"),
        ("fetch http://token@h/x now", "fetch http://***@h/x now"),
        ("https://h/x?X-Amz-Signature=abc&y=1", "https://h/x?X-Amz-Signature=***&y=1"),
        ("https://h/x?a=1&sig=abc%3D&token=t", "https://h/x?a=1&sig=***&token=***"),
        ("https://h/x?access_token=abc", "https://h/x?access_token=***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("mail me@h.example?x=1", "mail me@h.example?x=1"),
        ("https://h.example/a@b?design=1", "https://h.example/a@b?design=1"),
    ],
)
def test_urls_are_masked(text: str, masked: str):
    assert mask_url(text) == masked
    assert Masker().mask(text) == masked


def test_secrets_are_masked_whole_and_line_by_line():
    masker = Masker(["hunter2", "hunter22", "first line\nsecond line", "abc", ""])
    assert masker.mask("a hunter22 b hunter2 abc") == "a *** b *** abc"
    assert masker.mask("second line") == "***"


def test_a_short_line_of_a_secret_is_not_looked_for_by_itself():
    masker = Masker(["strict=\ntrue\nlong enough\n", "short\n"])
    assert masker.mask("--watch=true, long enough, short") == "--watch=true, ***, ***"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_survives(secret: str, before: str, after: str):
    # Shorter ones, blank ends and several lines have rules of their own; stars are what masks are made of.
    assume(secret.strip() == secret and len(secret.splitlines()) == 1 and "*" not in secret)
    assert secret not in Masker([secret]).mask(before + secret + after)
