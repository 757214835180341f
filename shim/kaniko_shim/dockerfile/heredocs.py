"""Converts heredocs of COPY and ADD, for an executor without them, to files next to the context."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.capabilities import Feature, Support
from kaniko_shim.dockerfile.run.command import chomped, place_of_heredoc
from kaniko_shim.dockerfile.syntax.instruction import Heredoc
from kaniko_shim.dockerfile.syntax.stages import Stages

_COPYING = frozenset({"COPY", "ADD"})


@dataclass(frozen=True, slots=True)
class Converted:
    """The converted heredocs of a Dockerfile.

    Attributes:
        files: by path below the directory of heredocs: content and mode.
        copied: whether any of the files is copied into the image.
    """

    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    copied: bool = False


def convert_heredocs(stages: Stages, support: Support) -> Converted:
    """The files for the heredocs of COPY and ADD that the executor does not support.

    Args:
        stages: the Dockerfile's.
        support: the executor's.
    """
    if support.has(Feature.HEREDOCS):
        return Converted()
    files = {
        place_of_file(heredoc): (chomped(heredoc), 0o644)
        for stage in stages.stages
        for instruction in stage.instructions
        if instruction.keyword in _COPYING
        for heredoc in instruction.heredocs
    }
    return Converted(files, bool(files))


def place_of_file(heredoc: Heredoc) -> str:
    """The path of the file that a heredoc of COPY or ADD becomes, below the directory of heredocs."""
    return place_of_heredoc(heredoc, heredoc.word)
