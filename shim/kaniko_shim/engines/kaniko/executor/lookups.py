"""Counts what the executor found in its cache, and what it did not find."""

from collections import Counter

_MOST_INSTRUCTIONS = 10_000
"""Different instructions that are counted; a RUN may print as many as it likes."""


class Lookups:
    """Hits, or misses, by instruction.

    Before the first stage, some executors look up the layers of all stages, and then again those of the stages that
    they build. So what counts of the same instruction is the larger of both numbers.
    """

    def __init__(self) -> None:
        self._ahead = Counter[int]()
        self._during = Counter[int]()

    def add(self, instruction: str, *, ahead: bool) -> None:
        """Count one; `ahead` is whether no stage has started."""
        count_bounded(self._ahead if ahead else self._during, instruction)

    @property
    def number(self) -> int:
        """How many there are."""
        return (self._ahead | self._during).total()


def count_bounded(counter: Counter[int], instruction: str) -> None:
    """Count an instruction by its hash, since the text may be long."""
    key = hash(instruction)
    if key in counter or len(counter) < _MOST_INSTRUCTIONS:
        counter[key] += 1
