"""Finds and reads ignore files; what is wrong with one ends the job."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from imagebuild_dockerignore import find, rules, selection
from imagebuild_dockerignore.errors import IgnoreFileError
from imagebuild_dockerignore.rules import IgnoreRules
from imagebuild_dockerignore.selection import Selection

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason


def find_rules(root: Path, context: Path, dockerfile: str) -> IgnoreRules:
    """The rules of a context, as imagebuild_dockerignore finds them.

    Raises:
        JobError: SourceInvalid; the file has a malformed line.
    """
    with _translated():
        return find.find_rules(root, context, dockerfile)


def pattern_rules(patterns: Sequence[str], name: str) -> IgnoreRules:
    """The rules that patterns of a flag make.

    Raises:
        JobError: SourceInvalid; a pattern is malformed.
    """
    with _translated():
        return rules.pattern_rules(patterns, name)


def select(directory: Path, sub_path: str, dockerfile: str) -> Selection:
    """What is copied of a directory, as imagebuild_dockerignore selects it.

    Raises:
        JobError: SourceInvalid; the ignore file has a malformed line.
    """
    with _translated():
        return selection.select(directory, sub_path, dockerfile)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IgnoreFileError as error:
        raise JobError(Reason.SOURCE_INVALID, str(error), hint=error.hint) from error
