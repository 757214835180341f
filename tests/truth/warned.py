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


def _config(*names: str) -> Callable[[Difference], bool]:
    return lambda difference: difference.place == "config" and difference.kind in names


def _kinds(*kinds: str) -> Callable[[Difference], bool]:
    return lambda difference: difference.place != "config" and difference.kind in kinds


def _special_bits(difference: Difference) -> bool:
    modes = difference.buildkit[-3:], difference.ours[-3:]
    return difference.place != "config" and difference.kind == "mode" and modes[0] == modes[1]


def _text(difference: Difference) -> bool:
    """What a variable's value can become: a file's content, or a text of the configuration."""
    return difference.kind == "content" or difference.place == "config"


_TABLE = (
    _Explanation(re.compile(r"this executor ignores --start-interval"), _config("Healthcheck StartInterval")),
    _Explanation(re.compile(r"this executor leaves out the image's author"), _config("author")),
    _Explanation(re.compile(r"this executor ignores the first digit of the --chmod"), _special_bits),
    _Explanation(re.compile(r"this executor keeps the (value that ENV gave|ARG) \S+"), _text),
    _Explanation(re.compile(r": --chown="), _kinds("owner")),
    _Explanation(re.compile(r"--chmod=\d+ gives new directories"), _kinds("mode")),
)

_LENIENCIES = (
    (
        re.compile(r"^TARGET=\d+: Docker finds a target by its name only"),
        re.compile(r"target stage .* could not be found"),
    ),
    (re.compile(r"Docker finds the stage \S+ by its name in lower case only"), re.compile(r"failed to (resolve source|parse stage name)")),
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
