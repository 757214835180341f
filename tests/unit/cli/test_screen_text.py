"""Text for a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubectl_imagebuild.screen_text import clean, columns, cut


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m and \x1b[1;4mbold\x1b[m", "red and bold"),
        ("a\x1b[2J\x1b[H\x1b[10Ab", "ab"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bc\x1b7\x1b(Bx", "x"),
        ("\x9b31mx\x90q\x9cy", "xy"),
        ("a\tb\r\b\x00c\x7f", "a    bc"),
        ("\u202eevil\u2066\u200b\ufeff", "evil"),
        ("caf\u00e9 \u4f60\u597d", "caf\u00e9 \u4f60\u597d"),
        ("a lone \x1b", "a lone "),
        ("\x1b[", ""),
    ],
)
def test_nothing_is_left_that_a_terminal_obeys(text: str, shown: str):
    assert clean(text) == shown


@given(st.text())
def test_no_text_keeps_a_control_character(text: str):
    shown = clean(text)
    assert not set(shown) & {chr(number) for number in (*range(32), *range(127, 160), 0x202E)}
    assert clean(shown) == shown


def test_columns_of_wide_and_of_combining_characters():
    assert [columns(text) for text in ("abc", "\u4f60\u597d", "e\u0301", "\U0001f680")] == [3, 4, 1, 2]


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 4, "abc\u2026"),
        ("\u4f60\u597d\u4f60", 4, "\u4f60\u2026"),
        ("\u4f60\u597d", 4, "\u4f60\u597d"),
        ("abc", 0, ""),
        ("abc", 1, "\u2026"),
    ],
)
def test_the_beginning_that_fits(text: str, most: int, shown: str):
    assert cut(text, most) == shown


@given(st.text(), st.integers(-3, 30))
def test_what_is_cut_fits(text: str, most: int):
    assert columns(cut(text, most)) <= max(most, 0)
