"""Converts heredocs for an executor without them: to a RUN in exec form, or to a file next to the context."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.capabilities import Feature, Support
from kaniko_shim.dockerfile.edits import Edit, replaced
from kaniko_shim.dockerfile.syntax.instruction import Heredoc, Instruction
from kaniko_shim.dockerfile.syntax.parse import parse_heredoc
from kaniko_shim.dockerfile.syntax.stages import DEFAULT_SHELL, Stages, shell_of

_COPYING = frozenset({"COPY", "ADD"})
_SCRIPT = "script"
_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Converted:
    """The converted heredocs of a Dockerfile.

    Attributes:
        edits: RUNs in place of those with heredocs.
        files: by path below the directory of heredocs: content and mode.
        copied: whether any of the files is copied into the image.
    """

    edits: tuple[Edit, ...] = ()
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    copied: bool = False


def convert_heredocs(stages: Stages, support: Support, directory: str) -> Converted:
    """Convert the heredocs that the executor does not support.

    RUN follows BuildKit: a heredoc alone is a script for the shell, or a program if it begins with #!; with words
    around it, the shell reads all of it. An executor that has heredocs understands them, but for a quoted word of RUN.

    Args:
        stages: the Dockerfile's.
        support: the executor's.
        directory: where files are to lie.
    """
    edits = list[Edit]()
    files = dict[str, tuple[str, int]]()
    copied = False
    shells = dict[int, tuple[str, ...]]()
    for stage in stages.stages:
        base = stages.base(stage)
        shell = shells[base.index] if base else DEFAULT_SHELL
        for instruction in stage.instructions:
            shell = shell_of(instruction) or shell
            if not is_converted(instruction, support):
                continue
            if instruction.keyword == "RUN":
                words, script = _run(instruction, shell, directory)
                files |= script
                edits.append(replaced(instruction, f"{_head(instruction)}{_json(words)}"))
            else:
                files |= {place_of_file(each): (_chomped(each), 0o644) for each in instruction.heredocs}
                copied = True
        shells[stage.index] = shell
    return Converted(tuple(edits), files, copied)


def is_converted(instruction: Instruction, support: Support) -> bool:
    """Whether an instruction has heredocs that the executor does not support."""
    if not instruction.heredocs:
        return False
    if instruction.keyword == "RUN":
        return not support.has(Feature.HEREDOCS) or any(heredoc.quoted for heredoc in instruction.heredocs)
    return instruction.keyword in _COPYING and not support.has(Feature.HEREDOCS)


def place_of_file(heredoc: Heredoc) -> str:
    """The path of the file that a heredoc of COPY or ADD becomes, below the directory of heredocs."""
    return _place(heredoc, heredoc.word)


def _run(
    instruction: Instruction, shell: tuple[str, ...], directory: str
) -> tuple[Sequence[str], dict[str, tuple[str, int]]]:
    first = instruction.heredocs[0]
    if not parse_heredoc(instruction.rest):
        documents = [f"{heredoc.content}{heredoc.word}" for heredoc in instruction.heredocs]
        return (*shell, "\n".join([instruction.rest, *documents])), {}
    script = _chomped(first)
    if not first.content.startswith("#!"):
        return (*shell, script), {}
    place = _place(first, _SCRIPT)
    return [f"{directory}/{place}"], {place: (script, 0o755)}


def _head(instruction: Instruction) -> str:
    return instruction.head if instruction.head[-1:].isspace() else f"{instruction.head} "


def _json(words: Sequence[str]) -> str:
    # The executor also looks for heredocs in the exec form.
    return json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")


def _chomped(heredoc: Heredoc) -> str:
    return _LEADING_TABS.sub("", heredoc.content) if heredoc.chomp else heredoc.content


def _place(heredoc: Heredoc, name: str) -> str:
    """A path that depends on the content, so that a cached layer always has the same content."""
    return f"{hashlib.sha256(repr(heredoc).encode('utf-8', 'surrogatepass')).hexdigest()[:16]}/{name}"
