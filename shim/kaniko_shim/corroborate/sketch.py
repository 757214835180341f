"""A set, small enough for a termination message, from which another set can tell in what the two differ. Pure.

An invertible Bloom lookup table: each element is in one cell of each part, added to what is there. Of the difference of
two tables, cells with one element give it away, and taken out of its other cells, it frees further ones.
https://arxiv.org/abs/1101.2245; https://doi.org/10.1145/2018436.2018462 on differences of sets
"""

import base64
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

#: Nearly always enough for 20 files that differ. More would not fit into the message.
_PARTS: Final = 4
_CELLS: Final = 20
_CELL: Final = struct.Struct(">BQH")


@dataclass(frozen=True, slots=True)
class Difference:
    """What two sets do not share.

    Attributes:
        here: elements of this one alone.
        there: of the other alone.
        is_whole: whether these are all; there were too many if not.
    """

    here: frozenset[int]
    there: frozenset[int]
    is_whole: bool


def sketch_of(elements: Iterable[int]) -> str:
    """The sketch of a set of numbers of 64 bits."""
    cells = _empty()
    for element in set(elements):
        _add(cells, element, 1)
    return base64.b64encode(b"".join(_CELL.pack(*cell) for cell in cells)).decode()


def difference(elements: Iterable[int], sketch: str) -> Difference:
    """In what a set differs from another, of which there is a sketch.

    Raises:
        ValueError: it is no sketch.
    """
    cells = _read(sketch)
    for element in set(elements):
        _add(cells, element, -1)
    here, there = set[int](), set[int]()
    pure = [cell for cell in cells if _is_pure(cell)]
    while pure:
        count, element, _ = pure.pop()
        if element in here or element in there:
            continue
        (there if count == 1 else here).add(element)
        pure += [cell for cell in _add(cells, element, -1 if count == 1 else 1) if _is_pure(cell)]
    return Difference(frozenset(here), frozenset(there), not any(any(cell) for cell in cells))


_Cell = tuple[int, int, int]
"""How many elements, modulo 256; the exclusive or of them, and of their checksums."""


def _empty() -> list[_Cell]:
    return [(0, 0, 0)] * (_PARTS * _CELLS)


def _read(sketch: str) -> list[_Cell]:
    try:
        cells = list(_CELL.iter_unpack(base64.b64decode(sketch, validate=True)))
    except (ValueError, struct.error) as error:
        raise ValueError("it is no sketch") from error
    if len(cells) != _PARTS * _CELLS:
        raise ValueError("it is a sketch of another size")
    return [(count, element, check) for count, element, check in cells]


def _add(cells: list[_Cell], element: int, times: int) -> list[_Cell]:
    """Add an element, or take it out; its cells after that."""
    places, check = _hash(element)
    for place in places:
        count, elements, checks = cells[place]
        cells[place] = ((count + times) % 256, elements ^ element, checks ^ check)
    return [cells[place] for place in places]


def _is_pure(cell: _Cell) -> bool:
    count, element, check = cell
    return count in {1, 255} and _hash(element)[1] == check


def _hash(element: int) -> tuple[list[int], int]:
    """The cells of an element, and its checksum."""
    check, *numbers = struct.unpack(f">{1 + _PARTS}H", hashlib.sha256(element.to_bytes(8)).digest()[: 2 + 2 * _PARTS])
    return [part * _CELLS + number % _CELLS for part, number in enumerate(numbers)], check
