"""What a small sketch of a set tells about another set."""

import base64
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.corroborate.sketch import difference, sketch_of

NUMBERS = st.integers(0, 2**64 - 1)


def changed(random: Random, files: int) -> tuple[set[int], set[int]]:
    """The elements of two images that share 100 files, and have some otherwise."""
    both = {random.getrandbits(64) for _ in range(100)}
    return tuple(both | {random.getrandbits(64) for _ in range(files)} for _ in range(2))  # type: ignore[return-value]


@pytest.mark.parametrize(("files", "least"), [(1, 100), (5, 99), (20, 95)])
def test_a_few_changed_files_are_nearly_always_all_found(files: int, least: int):
    random = Random(1)
    pairs = [changed(random, files) for _ in range(100)]
    found = [(difference(mine, sketch_of(theirs)), mine, theirs) for mine, theirs in pairs]
    assert all(set(each.here) == mine - theirs for each, mine, theirs in found if each.is_whole)
    assert sum(each.is_whole for each, _, _ in found) >= least


@given(st.sets(NUMBERS, max_size=300), st.sets(NUMBERS, max_size=300))
def test_what_is_found_is_true_however_much_there_is(mine: set[int], theirs: set[int]):
    found = difference(mine, sketch_of(theirs))
    assert found.here <= mine - theirs
    assert found.there <= theirs - mine
    if found.is_whole:
        assert (set(found.here), set(found.there)) == (mine - theirs, theirs - mine)


def test_a_sketch_fits_into_a_message():
    assert len(sketch_of(range(100_000))) < 1200


@pytest.mark.parametrize("sketch", ["", "x", "AAAA", base64.b64encode(b"x" * 11).decode(), sketch_of([1])[:-4], "é"])
def test_what_is_no_sketch(sketch: str):
    with pytest.raises(ValueError, match=r"it is (no sketch|a sketch of another size)"):
        difference([1], sketch)
