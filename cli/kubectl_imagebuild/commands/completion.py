"""The command completion."""

import sys
from typing import Annotated

import typer

from kubectl_imagebuild.completion import Shell, script


def completion(shell: Annotated[Shell, typer.Argument(help="The shell.", show_default=False)]) -> None:
    """Print the script that completes commands and options in a shell."""
    sys.stdout.write(script(shell) + "\n")
