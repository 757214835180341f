"""Samples of benchmark cases, taken in turn, and what sums them up."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: Fewer samples than this say nothing about the slowest percent.
ENOUGH_FOR_P99: Final = 20


@dataclass(frozen=True)
class Summary:
    """What sums up some samples.

    Attributes:
        median: The middle one.
        low: First quartile.
        high: Third quartile.
        p99: Of every hundred samples, all but the slowest is below it; None where there are too few samples.
        count: How many samples.
    """

    median: float
    low: float
    high: float
    p99: float | None
    count: int


def summarise(samples: Sequence[float]) -> Summary:
    """Sum up at least one sample."""
    if len(samples) == 1:
        return Summary(samples[0], samples[0], samples[0], None, 1)
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    enough = len(samples) >= ENOUGH_FOR_P99
    p99 = statistics.quantiles(samples, n=100, method="inclusive")[98] if enough else None
    return Summary(median, low, high, p99, len(samples))


def seconds(action: Callable[[], object]) -> float:
    """The time that a call takes."""
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def alternately(cases: Mapping[str, Callable[[], float]], rounds: int, warmup: int = 1) -> dict[str, list[float]]:
    """Run each case once per round, so that what slows the machine down hits all of them.

    Args:
        cases: By name, a function that gives one sample. Wrap what is to be timed as a whole in `seconds`.
        rounds: Samples of each case.
        warmup: Rounds before these whose samples are dropped.
    """
    samples: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(warmup + rounds):
        # Every other round backwards: no case always follows the same one.
        for name in list(cases)[:: 1 if number % 2 == 0 else -1]:
            gc.collect()
            sample = cases[name]()
            if number >= warmup:
                samples[name].append(sample)
    return samples
