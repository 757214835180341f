"""The command line: a sub-command, and a flag for each variable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.variables.table import TABLE
from kaniko_shim.system.subcommand import Command

_FLAGS = {variable.flag: variable for variable in TABLE}

_COMMANDS = frozenset(str(command) for command in Command)

_HEAD = """\
Usage: kaniko-shim [check|receive|build|push|index|warm|watch|sign|webhook|scan] [--dry-run] [--variable=value ...]

Without a sub-command, fetches the build context, builds the image with kaniko and pushes it.
`build` writes the image to an OCI layout (OUTPUT_LAYOUT), which `push` reads. `check` asks the registry
whether the image can be pushed, and pushes nothing. `index` pushes an index of images that were pushed
before (INDEX_MANIFESTS). `receive` waits for an upload of the build context, which `send` in the same
container reads from its standard input (kaniko-shim send --help). `warm` downloads CACHE_BASE_IMAGES into a
volume that builds read. `watch` looks at sources and base images (WATCH), and says what they are and when they change.
`sign` is the cluster's signer: it signs for the pods of builds, with SIGNING_KEY. `webhook` receives webhooks of Git
servers and registries, which are signed with WEBHOOK_SECRET, and makes `watch` look at once (WEBHOOK_URL).
`scan` looks for vulnerabilities in the image that `build` has written, with Trivy, and fails if there are any
(SCAN_SEVERITY).

  --dry-run   print the executor's command and exit
  --version   print the versions of the shim, the executor and Python
  --help      print this help

Each environment variable, except those for secrets, is also a flag (--output-image=...). An empty value
counts as unset.
"""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The parsed command line.

    Attributes:
        command: the sub-command.
        variables: the variables that are set by flags.
        dry_run: whether to print only the executor's command.
        help: whether to print only the usage.
        version: whether to print only the versions.
    """

    command: Command = Command.ALL
    variables: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    help: bool = False
    version: bool = False


def parse_command_line(arguments: Sequence[str]) -> CommandLine:
    """Parse the arguments.

    Raises:
        JobError: InvalidSpec; an argument is not a known flag or sub-command, or is not allowed.
    """
    command = Command.ALL
    switches = set[str]()
    variables = dict[str, str]()
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if argument in {"--help", "-h", "help"}:
            switches.add("--help")
        elif argument in {"--version", "version"}:
            switches.add("--version")
        elif argument == "--dry-run":
            switches.add(argument)
        elif argument in _COMMANDS:
            command = Command(argument)
        elif name not in _FLAGS:
            raise _wrong(f"{name} is not a flag or sub-command; see kaniko-shim --help")
        elif _FLAGS[name].secret:
            raise _wrong(f"{name} would expose a secret to every process; set {_FLAGS[name].name} in the environment")
        elif not equals:
            raise _wrong(f"{name} has no value; write {name}=value")
        else:
            variables[_FLAGS[name].name] = value
    return CommandLine(command, variables, "--dry-run" in switches, "--help" in switches, "--version" in switches)


def usage() -> str:
    """The text of --help."""
    lines = [_HEAD]
    for variable in TABLE:
        first = variable.meaning.replace("`", "").split(". ")[0].rstrip(".") + "."
        default = f" [{variable.default}]" if variable.default else ""
        lines.append(f"  {variable.name}{default}\n      {first}")
    return "\n".join(lines)


def _wrong(problem: str) -> JobError:
    return JobError(Reason.INVALID_SPEC, problem + ".")
