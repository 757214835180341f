"""The program and the arguments that a RUN starts, as in BuildKit."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.instruction import Heredoc, Instruction
from kaniko_shim.dockerfile.parse import parse_heredoc
from kaniko_shim.dockerfile.words import json_words

_SCRIPT = "script"
_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class StepCommand:
    """What a RUN starts.

    Attributes:
        words: the program and its arguments.
        files: files that it needs, by path below the directory of heredocs: content and mode.
    """

    words: tuple[str, ...]
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def command_of(run: Instruction, heredocs: Sequence[Heredoc], shell: tuple[str, ...], directory: str) -> StepCommand:
    """The command of a RUN.

    A heredoc alone is a script for the shell, or a program if it begins with #!; with words around it, the shell
    reads all of it.

    Args:
        run: the instruction, or the one behind ONBUILD.
        heredocs: its heredocs.
        shell: the SHELL in force.
        directory: where files of heredocs are to lie.
    """
    if not heredocs:
        words = json_words(run.rest)
        return StepCommand((*shell, run.rest) if words is None else words)
    first = heredocs[0]
    if not parse_heredoc(run.rest):
        documents = [f"{heredoc.content}{heredoc.word}" for heredoc in heredocs]
        return StepCommand((*shell, "\n".join([run.rest, *documents])))
    script = chomped(first)
    if not is_program(first):
        return StepCommand((*shell, script))
    place = place_of_heredoc(first, _SCRIPT)
    return StepCommand((f"{directory}/{place}",), {place: (script, 0o755)})


def is_program(heredoc: Heredoc) -> bool:
    """Whether a heredoc that stands alone begins with #!."""
    return heredoc.content.startswith("#!")


def chomped(heredoc: Heredoc) -> str:
    """The content of a heredoc, without the tabs that `<<-` drops."""
    return _LEADING_TABS.sub("", heredoc.content) if heredoc.chomp else heredoc.content


def place_of_heredoc(heredoc: Heredoc, name: str) -> str:
    """A path that depends on the content, so that a cached layer always has the same content."""
    return f"{hashlib.sha256(repr(heredoc).encode('utf-8', 'surrogatepass')).hexdigest()[:16]}/{name}"


def exec_form(words: Sequence[str]) -> str:
    """Words as the JSON that RUN takes in place of a text for the shell."""
    # The executor also looks for heredocs in the exec form.
    return json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
