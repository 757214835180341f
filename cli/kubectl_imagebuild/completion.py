"""Completion in shells."""

from enum import StrEnum
from typing import Final

PROGRAM: Final = "kubectl-imagebuild"
#: Set by the scripts when they ask the program what fits.
VARIABLE: Final = "_KUBECTL_IMAGEBUILD_COMPLETE"


class Shell(StrEnum):
    """A shell that has completion."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def prepare() -> None:
    """Let the program answer the scripts."""
    from typer._completion_classes import completion_init  # noqa: PLC0415 - only when a shell asks

    completion_init()


def script(shell: Shell) -> str:
    """The script that makes a shell complete commands and options."""
    from typer._completion_shared import get_completion_script  # noqa: PLC0415 - only for its command

    return get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell)
