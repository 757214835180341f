"""The commands and their first lines of help. A command is imported when it is called: imports are the start time."""

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from kubectl_imagebuild.options import Context, Kubeconfig, Namespace

#: Function of each command, in kubectl_imagebuild, and the first paragraph of its docstring.
COMMANDS: Final = {
    "build": (
        "build_command:build_directory",
        "Build a directory of this machine: send it, and follow the build to its end. Ctrl-C cancels the build.",
    ),
    "create": (
        "commands.create:create",
        "Create a build from a file or from options, and follow it to its end. Ctrl-C cancels the build.",
    ),
    "rerun": (
        "commands.rerun:rerun",
        "Create a new build with the spec of another, with or without changes, and follow it. Ctrl-C cancels it.",
    ),
    "logs": ("commands.logs:logs", "Print the log of a build: of all its containers, retries and platforms."),
    "list": ("commands.list:list_builds", "List builds, the oldest first."),
    "status": (
        "commands.status:show_status",
        "Show how a build stands: phase, attempts, timings, and why it failed and what to do.",
    ),
    "describe": (
        "commands.status:show_status",
        "Show how a build stands: phase, attempts, timings, and why it failed and what to do.",
    ),
    "tracked": (
        "commands.tracked:tracked",
        "List TrackedImages, or show one: its latest image, why that was built, and what happens next.",
    ),
    "run": (
        "commands.tracked:run",
        "Start a build of a TrackedImage, whatever has changed, and follow it. Ctrl-C cancels the build.",
    ),
    "cancel": ("commands.cancel:cancel", "Stop a build. The ImageBuild stays. This cannot be undone."),
    "wait": ("commands.wait:wait", "Wait until a build ends; the exit code tells how."),
    "explain": (
        "commands.explain:explain",
        "Show what the operator does with a build: its phase, why it waits, and its pods. Nothing is created.",
    ),
    "serve": (
        "serve.command:serve",
        "Show builds, their logs and failures in a browser, until Ctrl-C. Only on this machine.",
    ),
    "doctor": (
        "commands.doctor:doctor",
        "Check what builds need: CRD, operator, your rights, quotas, policies, Secrets and the registry.",
    ),
    "init": (
        "commands.init:init",
        "Write a first ImageBuild for a project, and print the commands that create its Secrets.",
    ),
    "migrate": (
        "commands.migrate:migrate",
        "Write objects of other build systems as ImageBuilds and TrackedImages, and say what has no counterpart.",
    ),
    "version": (
        "commands.version:version",
        "Print the versions of this program, of the API, and of the operators that you may see.",
    ),
    "completion": (
        "commands.completion:completion",
        "Print the script that completes commands and options in a shell.",
    ),
}

_HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Command(TyperCommand):
    """A command that is not imported yet."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:  # noqa: ANN401 - as in typer, whose types are private
        """Import the command, and read its command line."""
        return load(str(self.name)).make_context(info_name, args, parent=parent, **extra)


class _Commands(TyperGroup):
    """The commands as the help and the completion list them."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - those of typer
        super().__init__(**settings)
        self.commands = {
            name: _Command(name=name, help=text, rich_markup_mode=None) for name, (_, text) in COMMANDS.items()
        }


def load(name: str) -> Any:  # noqa: ANN401 - a command of the copy of Click in typer, whose types are private
    """Import a command."""
    module, _, function = COMMANDS[name][0].partition(":")
    single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    single.command(name, context_settings=_HELP)(getattr(import_module(f"kubectl_imagebuild.{module}"), function))
    return typer.main.get_command(single)


app = typer.Typer(
    cls=_Commands,
    name="kubectl-imagebuild",
    help="Create, follow and cancel ImageBuilds.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
)


@app.callback()
def before_the_command(
    call: typer.Context, *, namespace: Namespace = "", context: Context = "", kubeconfig: Kubeconfig = ""
) -> None:
    """Create, follow and cancel ImageBuilds."""
    given = {"namespace": namespace, "context": context, "kubeconfig": kubeconfig}
    defaults = {name: value for name, value in given.items() if value}
    call.default_map = dict.fromkeys(COMMANDS, defaults)
