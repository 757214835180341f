"""Which differences a warning explains: a warning about one thing excuses no other."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from truth.differences import Difference


@dataclass(frozen=True)
class _Explanation:
    """A warning, and the differences that somebody who has read it expects."""

    warning: re.Pattern[str]
    expects: Callable[[Difference], bool]


def _kinds(*kinds: str) -> Callable[[Difference], bool]:
    return lambda difference: difference.place != "config" and difference.kind in kinds


def _config(*names: str) -> Callable[[Difference], bool]:
    return lambda difference: difference.place == "config" and difference.kind in names


def _missing(*kinds: str) -> Callable[[Difference], bool]:
    return lambda difference: difference.kind == "missing" and difference.buildkit.startswith(kinds)


_TABLE = (
    _Explanation(re.compile(r"without its pipes and devices"), _missing("fifo", "character device", "block device")),
    _Explanation(re.compile(r"start.interval", re.IGNORECASE), _config("Healthcheck StartInterval")),
    _Explanation(re.compile(r"set-user-ID|set-group-ID|--chmod=\d*[1-7]\d{3}"), _kinds("mode")),
    _Explanation(re.compile(r"\bUSER\b.*group", re.DOTALL), _kinds("owner", "content")),
)

_LENIENCIES = (
    (
        re.compile(r"^TARGET=\d+: Docker finds a target by its name only"),
        re.compile(r"target stage .* could not be found"),
    ),
    (re.compile(r"Docker finds the stage \S+ by its name in lower case only"), re.compile(r"failed to resolve source")),
)
"""Warnings that Docker would have refused something, and BuildKit's errors about it."""


def foretold(error: str, warnings: Iterable[str]) -> bool:
    """Whether a warning says that Docker refuses what BuildKit has refused with this error."""
    matching = [refusal for warning, refusal in _LENIENCIES if any(warning.search(each) for each in warnings)]
    return any(refusal.search(error) for refusal in matching)


def unexplained(differences: Iterable[Difference], warnings: Iterable[str]) -> Iterator[Difference]:
    """The differences that no warning names."""
    matching = [each for each in _TABLE if any(each.warning.search(warning) for warning in warnings)]
    for difference in differences:
        if not any(each.expects(difference) for each in matching):
            yield difference
