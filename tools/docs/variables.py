"""Generates docs/reference/variables.md from the shim's table of variables."""

from kaniko_shim.request.variables.table import SECTIONS
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.system.subcommand import Command

HEAD = """\
# Variables of the builder image

<!-- Generated from shim/kaniko_shim/request/variables/ by tools/docs/variables.py. -->

All environment variables that the [builder image](builder-image.md) reads. An empty or blank value counts as unset. A
malformed value ends the job before anything is fetched, with exit code 2 and a message that lists all problems at
once. A variable that is not read, but whose name is close to one of these, causes a warning. Each variable is also a
flag of `kaniko-shim` with the same meaning (`--output-image=…` for OUTPUT_IMAGE), except where the process list would
show a secret.

The environment may also hold `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case (for the context and
for registries; for RUN steps with RUN_PROXY), `SSL_CERT_DIR`, `DOCKER_CONFIG`, and the variables of the credential
helpers for AWS, Google Cloud, Azure and GitLab.
"""

COLUMNS = "| variable | read by | default | meaning |\n|---|---|---|---|"


def render() -> str:
    """The page."""
    sections = ["\n".join([f"## {title}\n", COLUMNS, *map(_row, variables)]) + "\n" for title, variables in SECTIONS]
    return "\n".join([HEAD, *sections])


def _row(variable: Variable[object]) -> str:
    name = f"`{variable.name}`" + (" (secret)" if variable.secret else "")
    default = variable.default_note or (f"`{variable.default}`" if variable.default else "")
    meaning = variable.meaning.replace("|", "\\|")
    return f"| {name} | {_commands(variable)} | {default} | {meaning} |"


def _commands(variable: Variable[object]) -> str:
    if set(variable.commands) == set(Command):
        return "all"
    return ", ".join("no sub-command" if command is Command.ALL else f"`{command}`" for command in variable.commands)
