"""What a small sketch of a set tells about another set."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.corroborate.sketch import Difference, difference, sketch_of

NUMBERS = st.integers(0, 2**64 - 1)
#: Of the 78 cells, this many fail less than once in ten thousand times.
FEW = st.sets(NUMBERS, max_size=12)


@given(st.sets(NUMBERS, max_size=200), FEW, FEW)
def test_a_few_differences_are_all_found(both: set[int], mine: set[int], theirs: set[int]):
    mine, theirs = mine - both - theirs, theirs - both - mine
    found = difference(both | mine, sketch_of(both | theirs))
    assert found == Difference(frozenset(mine), frozenset(theirs), is_whole=True)


@given(st.sets(NUMBERS, max_size=300), st.sets(NUMBERS, max_size=300))
def test_what_is_found_is_true_however_much_there_is(mine: set[int], theirs: set[int]):
    found = difference(mine, sketch_of(theirs))
    assert found.here <= mine - theirs
    assert found.there <= theirs - mine
    if found.is_whole:
        assert (set(found.here), set(found.there)) == (mine - theirs, theirs - mine)


def test_thirty_changed_files_fit_into_a_message():
    many = set(range(10_000, 30_000))
    sketch = sketch_of(many | set(range(30)))
    assert len(sketch) < 1200
    found = difference(many | set(range(100, 130)), sketch)
    assert found == Difference(frozenset(range(100, 130)), frozenset(range(30)), is_whole=True)


@pytest.mark.parametrize("sketch", ["", "x", "AAAA", base64.b64encode(b"x" * 11).decode(), sketch_of([1])[:-4], "é"])
def test_what_is_no_sketch(sketch: str):
    with pytest.raises(ValueError, match=r"it is (no sketch|a sketch of another size)"):
        difference([1], sketch)
