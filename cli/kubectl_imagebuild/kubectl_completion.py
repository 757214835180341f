"""Completion in kubectl, which runs the program kubectl_complete-imagebuild with the words after `kubectl imagebuild`.

https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
"""

import sys
from typing import Any, Final

import typer
from typer._completion_classes import BashComplete

from kubectl_imagebuild.app import app
from kubectl_imagebuild.completion import PROGRAM, VARIABLE

#: What kubectl does with suggestions: cobra's ShellCompDirective.
_DEFAULT: Final = 0
_NO_FILES: Final = 4
#: Commands with paths of files, which the shell knows.
_WITH_PATHS: Final = frozenset({"build", "create", "--kubeconfig"})


def main() -> None:
    """Answer kubectl."""
    sys.stdout.write(answer(sys.argv[1:]))


def answer(words: list[str]) -> str:
    """The suggestions for the last word, each with its help, as kubectl expects them.

    Args:
        words: The words of the command line; the last one is not complete and may be empty.
    """
    *before, last = words or [""]
    command: Any = typer.main.get_command(app)
    found = BashComplete(command, {}, PROGRAM, VARIABLE).get_completions(before, last)
    lines = [f"{item.value}\t{item.help or ''}".rstrip() for item in found if item.type == "plain"]
    takes_paths = not _WITH_PATHS.isdisjoint(before)
    directive = _DEFAULT if takes_paths and not lines else _NO_FILES
    return "".join(f"{line}\n" for line in (*lines, f":{directive}"))
