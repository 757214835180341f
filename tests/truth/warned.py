"""Which differences a warning explains: a warning about one thing excuses no other."""

import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from truth.differences import Difference


@dataclass(frozen=True)
class _Explanation:
    """A warning, and the differences that somebody who has read it expects.

    Attributes:
        always: whether one of them is there whenever the warning is; a variable may not be used.
    """

    warning: re.Pattern[str]
    expects: Callable[[Difference, re.Match[str]], bool]
    always: bool = True


def _config(*names: str) -> Callable[[Difference, re.Match[str]], bool]:
    return lambda difference, _: difference.place == "config" and difference.kind in names


def _of_files(kind: str, fits: Callable[[str, str], bool]) -> Callable[[Difference, re.Match[str]], bool]:
    """Differences of a kind whose two values, BuildKit's and ours, fit."""
    return lambda each, _: each.place != "config" and each.kind == kind and fits(each.buildkit, each.ours)


def _group_of_user(buildkit: str, ours: str) -> bool:
    user, _, group = ours.partition(":")
    return user == group and buildkit.startswith(f"{user}:")


def _without_write(buildkit: str, ours: str) -> bool:
    return int(ours, 8) & 0o777 in {int(buildkit, 8) & 0o755, 0o755}


def _is_special_file(difference: Difference, _: re.Match[str]) -> bool:
    return difference.kind == "missing" and difference.buildkit.startswith(("fifo", "character device", "block device"))


def _same_permissions(buildkit: str, ours: str) -> bool:
    return buildkit[-3:] == ours[-3:]


def _owner(difference: Difference, warning: re.Match[str]) -> bool:
    """An owner that BuildKit sets because the flag says so; a name is one of the image's."""
    owner = warning["owner"]
    return difference.kind == "owner" and (difference.buildkit == owner or not owner[:1].isdigit() or ":" not in owner)


def _on_the_way(difference: Difference, warning: re.Match[str]) -> bool:
    """The owner of a directory, or of one above it."""
    return difference.kind == "owner" and f"{warning['directory']}/".startswith(f"{difference.place}/")


def _text(difference: Difference, _: re.Match[str]) -> bool:
    """What a variable's value can become: a file's content, or a text of the configuration."""
    return difference.kind == "content" or difference.place == "config"


def _link(difference: Difference, _: re.Match[str]) -> bool:
    kinds = ("type", "mode", "owner", "content", "target", "missing", "extra")
    return difference.place != "config" and difference.kind in kinds


_TABLE = (
    _Explanation(re.compile(r"without its pipes and devices"), _is_special_file),
    _Explanation(re.compile(r"copies them as separate files"), _of_files("hard links", operator.ne)),
    _Explanation(re.compile(r"this executor ignores --start-interval"), _config("Healthcheck StartInterval")),
    _Explanation(re.compile(r"this executor leaves out the image's author"), _config("author")),
    _Explanation(
        re.compile(r"this executor ignores the first digit of the --chmod"), _of_files("mode", _same_permissions)
    ),
    _Explanation(re.compile(r"this executor keeps the (value that ENV gave|ARG) \S+"), _text, always=False),
    _Explanation(re.compile(r"--chown=.* gives the files the group \d+"), _of_files("owner", _group_of_user)),
    _Explanation(
        re.compile(r"--chown=.* leaves the symbolic links"), _of_files("owner", lambda _buildkit, ours: ours == "0:0")
    ),
    _Explanation(
        re.compile(r"ADD gives the symbolic links"), _of_files("owner", lambda _buildkit, ours: ours == "0:0")
    ),
    _Explanation(re.compile(r"ADD leaves out the named pipes"), _is_special_file),
    _Explanation(re.compile(r"--chown=(?P<owner>\S+) does not change the owners"), _owner),
    _Explanation(re.compile(r"--chmod=\d+ gives directories"), _of_files("mode", _without_write)),
    _Explanation(re.compile(r"--chown=.* with --link does not change"), _of_files("owner", operator.ne)),
    _Explanation(re.compile(r"--chown=.* also changes the owner of the destination"), _of_files("owner", operator.ne)),
    _Explanation(re.compile(r"COPY --from gives the directory (?P<directory>\S+) the owner"), _on_the_way),
    _Explanation(
        re.compile(r"COPY --from leaves the symbolic links"),
        _of_files("owner", lambda _buildkit, ours: ours == "0:0"),
    ),
    _Explanation(re.compile(r"COPY --from copies the link"), _link),
    _Explanation(re.compile(r"COPY --from gives the destination the mode"), _of_files("mode", operator.ne)),
    _Explanation(re.compile(r"COPY --from drops the set-user-ID"), _of_files("mode", _same_permissions)),
    _Explanation(
        re.compile(r"COPY --from drops the capabilities"),
        _of_files("xattrs", lambda buildkit, _ours: "security.capability" in buildkit),
    ),
    _Explanation(
        re.compile(r"set-user-ID and set-group-ID bits of .* of the build context are lost"),
        _of_files("mode", _same_permissions),
        always=False,
    ),
    _Explanation(re.compile(r"COPY --from copies hard links"), _of_files("hard links", operator.ne)),
)

_LENIENCIES = (
    (re.compile(r"# check=.* has no effect"), re.compile(r"lint violation found")),
    (
        re.compile(r"^TARGET=\d+: Docker finds a target by its name only"),
        re.compile(r"target stage .* could not be found"),
    ),
    (
        re.compile(r"Docker finds the stage \S+ by its name in lower case only"),
        re.compile(r"failed to (resolve source|parse stage name)"),
    ),
)
"""Warnings that Docker would have refused something, and BuildKit's errors about it."""


def foretold(error: str, warnings: Collection[str]) -> bool:
    """Whether a warning says that Docker refuses what BuildKit has refused with this error."""
    matching = [refusal for warning, refusal in _LENIENCIES if any(warning.search(each) for each in warnings)]
    return any(refusal.search(error) for refusal in matching)


def false(differences: Collection[Difference], warnings: Iterable[str]) -> Iterator[str]:
    """The warnings that name a difference which is not there."""
    for warning in warnings:
        matches = [(each, match) for each in _TABLE if each.always and (match := each.warning.search(warning))]
        if matches and not any(
            each.expects(difference, match) for each, match in matches for difference in differences
        ):
            yield warning


def unexplained(differences: Iterable[Difference], warnings: Collection[str]) -> Iterator[Difference]:
    """The differences that no warning names."""
    found = [(each, match) for each in _TABLE for warning in warnings if (match := each.warning.search(warning))]
    for difference in differences:
        if not any(each.expects(difference, match) for each, match in found):
            yield difference
