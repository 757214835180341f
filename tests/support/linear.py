"""Proves that a function takes time proportional to the size of its input, by a ratio and not by a duration."""

from collections.abc import Callable
from time import thread_time
from typing import Final, TypeVar

Input = TypeVar("Input")

#: How much larger the larger input is. Quadratic time would be longer by the square of it.
GROWTH: Final = 8
#: How much longer than proportional it may take: caches, allocation, a busy machine.
MARGIN: Final = 3
#: Pairs of runs at most; one good pair proves it, since noise only ever adds.
RUNS: Final = 8


def assert_linear(function: Callable[[Input], object], make: Callable[[int], Input], size: int) -> None:
    """Fail unless the time of a function grows no faster than its input.

    Args:
        function: What is measured, in processor time of this thread.
        make: Makes an input of about a size.
        size: That of the smaller input.
    """
    small, large = make(size), make(GROWTH * size)
    shortest, longer = float("inf"), float("inf")
    for _ in range(RUNS):
        shortest = min(shortest, _seconds(function, small))
        longer = min(longer, _seconds(function, large))
        if longer <= MARGIN * GROWTH * shortest:
            return
    raise AssertionError(f"{GROWTH} times the input took {longer / shortest:.0f} times as long: {str(small)[:80]!r}…")


def _seconds(function: Callable[[Input], object], value: Input) -> float:
    begin = thread_time()
    function(value)
    return thread_time() - begin
