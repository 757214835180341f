"""Matches a sequence of steps against a text in time linear in the text.

Python's regular expressions try the ways to divide a text among several `*` one after the other, which takes forever
for some patterns. This automaton follows all of them at once, and remembers the transitions that it has computed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Accepts = Callable[[str], bool]
"""Whether a character belongs to a set."""

_MOST_TRANSITIONS = 4096


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a pattern.

    Attributes:
        accepts: the characters that the step takes; None if it takes nothing.
        repeats: whether it takes any number of them, also none.
        skips: how many of the steps behind it may be left out together.
        begins: whether it holds only at the text's beginning.
    """

    accepts: Accepts | None
    repeats: bool = False
    skips: int = 0
    begins: bool = False


@dataclass(slots=True)
class Automaton:
    """A pattern that a whole text must match."""

    steps: Sequence[Step]
    _moves: dict[tuple[int, str], int] = field(default_factory=dict)

    def matches(self, text: str) -> bool:
        """Whether the steps take the whole text."""
        # Bit n of a state says that the steps before n have taken what was read so far.
        state = self._closure(1, beginning=True)
        moves = self._moves
        for character in text:
            following = moves.get((state, character))
            if following is None:
                following = self._move(state, character)
            if not following:
                return False
            state = following
        return bool(state >> len(self.steps) & 1)

    def _move(self, state: int, character: str) -> int:
        following = 0
        for place, step in enumerate(self.steps):
            if state >> place & 1 and step.accepts and step.accepts(character):
                following |= 1 << (place if step.repeats else place + 1)
        following = self._closure(following)
        if len(self._moves) >= _MOST_TRANSITIONS:
            self._moves.clear()
        self._moves[state, character] = following
        return following

    def _closure(self, state: int, *, beginning: bool = False) -> int:
        """A state with all that follow without reading a character."""
        for place, step in enumerate(self.steps):
            if state >> place & 1 and (step.repeats or (step.accepts is None and (beginning or not step.begins))):
                state |= 1 << (place + 1) | 1 << (place + 1 + step.skips)
        return state
