"""docs/variables.md from the shim's table of variables."""

from kaniko_shim.request.variable import Variable
from kaniko_shim.request.variables.table import TABLE
from kaniko_shim.system.subcommand import Command

HEAD = """\
# Variables of the builder image

<!-- Made from shim/kaniko_shim/request/variables/ by tools/docs/variables.py. -->

The builder image takes everything from environment variables. An empty or blank value is an unset one; unknown
variables are ignored. A malformed value ends the job before anything is fetched, with exit code 2 and a message that
lists all problems at once. Each variable is also a flag of `kaniko-shim` with the same meaning
(`--output-image=…` for OUTPUT_IMAGE), except where a secret would show in the list of processes.

What else the container's environment may hold: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (for the context and for
registries; a RUN step sees them only as build arguments), `SSL_CERT_DIR`, `DOCKER_CONFIG`, and the variables that the
credential helpers for AWS, Google Cloud, Azure and GitLab read.
"""

COLUMNS = "| variable | read by | default | meaning |\n|---|---|---|---|"


def render() -> str:
    """The page."""
    return "\n".join([HEAD, COLUMNS, *map(_row, TABLE)]) + "\n"


def _row(variable: Variable[object]) -> str:
    name = f"`{variable.name}`" + (" (secret)" if variable.secret else "")
    default = variable.default_note or (f"`{variable.default}`" if variable.default else "")
    meaning = variable.meaning.replace("|", "\\|")
    return f"| {name} | {_commands(variable)} | {default} | {meaning} |"


def _commands(variable: Variable[object]) -> str:
    if set(variable.commands) == set(Command):
        return "all"
    return ", ".join("no sub-command" if command is Command.ALL else f"`{command}`" for command in variable.commands)
