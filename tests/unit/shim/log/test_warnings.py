from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.log.warnings import LONGEST, MOST, Warnings


def test_each_is_told_once_and_stands_on_one_line():
    warnings = Warnings()
    assert [warnings.add(text) for text in ("a\n b", "a b", "c")] == ["a b", "", "c"]
    assert warnings.texts == ("a b", "c")


def test_of_many_the_last_one_counts_the_others():
    warnings = Warnings()
    for number in range(8):
        warnings.add(f"warning {number}")
    assert warnings.texts == ("warning 0", "warning 1", "warning 2", "warning 3", "4 more warnings; see the log.")


@given(st.lists(st.text(max_size=2 * LONGEST), max_size=2 * MOST))
def test_they_stay_few_and_short(texts: list[str]):
    warnings = Warnings()
    for text in texts:
        warnings.add(text)
    assert len(warnings.texts) <= MOST
    assert all(len(text) <= LONGEST and "\n" not in text for text in warnings.texts)
