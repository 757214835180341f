"""Hands heredocs to an executor that has none: a script becomes a RUN of exec form, a file lies beside the context."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kaniko_shim.dockerfile.capabilities import Support
from kaniko_shim.dockerfile.edits import Edit, replaced
from kaniko_shim.dockerfile.syntax.instruction import Heredoc, Instruction
from kaniko_shim.dockerfile.syntax.parse import HEREDOC, WORD
from kaniko_shim.dockerfile.syntax.stages import Stages

_COPYING = frozenset({"COPY", "ADD"})
_SCRIPT = "script"
_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Converted:
    """What becomes of a Dockerfile's heredocs.

    Attributes:
        edits: instructions in place of those with heredocs.
        files: by path below the directory of heredocs: content and mode.
        copied: whether any of the files is copied into the image.
    """

    edits: tuple[Edit, ...] = ()
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    copied: bool = False


def convert_heredocs(stages: Stages, support: Support, directory: Path, context: Path) -> Converted:
    """Convert what the executor would not understand.

    RUN follows BuildKit: a heredoc alone is a script for the shell, or a program if it begins with #!; with words
    around it, the shell reads all of it. A modern executor understands heredocs, but for a quoted word of RUN.

    Args:
        stages: the Dockerfile's.
        support: the executor's.
        directory: where files are to lie.
        context: the context's directory, which COPY reads from.
    """
    edits = list[Edit]()
    files = dict[str, tuple[str, int]]()
    copied = False
    for stage in stages.stages:
        for instruction in stage.instructions:
            if not _is_concerned(instruction, support):
                continue
            if instruction.keyword == "RUN":
                words, script = _run(instruction, stages.shell(stage, instruction), directory)
                files |= script
                edits.append(replaced(instruction, " ".join([*_head(instruction), _json(words)])))
            else:
                files |= {_place(each, each.word): (_chomped(each), 0o644) for each in instruction.heredocs}
                copied = True
                edits.append(
                    replaced(instruction, " ".join([*_head(instruction), _copy(instruction, directory, context)]))
                )
    return Converted(tuple(edits), files, copied)


def write_files(files: Mapping[str, tuple[str, int]], directory: Path) -> None:
    """Write the files that a converted Dockerfile uses."""
    for name, (content, mode) in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="")
        path.chmod(mode)


def _is_concerned(instruction: Instruction, support: Support) -> bool:
    if not instruction.heredocs:
        return False
    if instruction.keyword == "RUN":
        return not support.modern or any(heredoc.quoted for heredoc in instruction.heredocs)
    return instruction.keyword in _COPYING and not support.modern


def _run(
    instruction: Instruction, shell: tuple[str, ...], directory: Path
) -> tuple[Sequence[str], dict[str, tuple[str, int]]]:
    first = instruction.heredocs[0]
    if not (WORD.fullmatch(instruction.rest) and HEREDOC.fullmatch(instruction.rest)):
        documents = [f"{heredoc.content}{heredoc.word}" for heredoc in instruction.heredocs]
        return (*shell, "\n".join([instruction.rest, *documents])), {}
    script = _chomped(first)
    if not first.content.startswith("#!"):
        return (*shell, script), {}
    place = _place(first, _SCRIPT)
    return [str(directory / place)], {place: (script, 0o755)}


def _copy(instruction: Instruction, directory: Path, context: Path) -> str:
    paths: Iterator[str] = (
        os.path.relpath(directory / _place(heredoc, heredoc.word), context) for heredoc in instruction.heredocs
    )
    return WORD.sub(lambda match: next(paths) if HEREDOC.fullmatch(match[0]) else match[0], instruction.rest)


def _head(instruction: Instruction) -> list[str]:
    return [instruction.keyword, *(f"{name}={value}" if value else name for name, value in instruction.flags)]


def _json(words: Sequence[str]) -> str:
    # The executor looks for heredocs in the exec form too.
    return json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")


def _chomped(heredoc: Heredoc) -> str:
    return _LEADING_TABS.sub("", heredoc.content) if heredoc.chomp else heredoc.content


def _place(heredoc: Heredoc, name: str) -> str:
    """A path that depends on the content, so that cached layers are those of the same content."""
    return f"{hashlib.sha256(repr(heredoc).encode('utf-8', 'surrogatepass')).hexdigest()[:16]}/{name}"
