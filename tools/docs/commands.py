"""docs/reference/cli.md: the commands of kubectl-imagebuild, their options and exit codes."""

import inspect
from typing import Any

import typer
from kubectl_imagebuild import outcome
from kubectl_imagebuild.app import COMMANDS, app, load

HEAD = """\
# kubectl imagebuild

<!-- Generated from cli/kubectl_imagebuild by tools/docs/commands.py. -->

`kubectl imagebuild COMMAND` and `kubectl-imagebuild COMMAND` are the same. `-n`, `--context` and `--kubeconfig` can
also be written before the command. [How to use it](../how-to/cli.md).

## Exit codes

| code | meaning |
|---|---|
"""
MEANINGS = {
    outcome.Exit.OK: "The command has done its work, and the build that it waited for succeeded.",
    outcome.Exit.FAILED: "The build failed.",
    outcome.Exit.USAGE: "The command line or the file is wrong.",
    outcome.Exit.CANCELLED: "The build was cancelled.",
    outcome.Exit.ERROR: "The API server refused the request or does not answer, or the ImageBuild is gone.",
    outcome.Exit.TIMEOUT: "The build has not ended in the time to wait (`wait --timeout`).",
    outcome.Exit.INTERNAL: "A fault of this program.",
    outcome.Exit.LEFT: "The user, or the reader of the output (`| head`), has left while the build continues.",
}


def render() -> str:
    """The page."""
    codes = "".join(f"| {int(code)} | {MEANINGS[code]} |\n" for code in outcome.Exit)
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    parts = [HEAD + codes]
    for name in COMMANDS:
        command = load(name)
        parts.append(f"\n## {name}\n\n{inspect.cleandoc(command.help)}\n\n| option | meaning |\n|---|---|\n")
        parts += [_row(parameter, context) for parameter in command.params if parameter.name != "help"]
    return "".join(parts)


def _row(parameter: Any, context: Any) -> str:  # noqa: ANN401 - of the copy of Click in typer, whose types are private
    names, meaning = parameter.get_help_record(context)
    names, meaning = (text.replace("|", "\\|") for text in (names, meaning))
    return f"| `{names}` | {' '.join(meaning.split())} |\n"
