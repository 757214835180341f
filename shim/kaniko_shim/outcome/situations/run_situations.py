"""Situations of RUN, besides a command that ends with an exit code or by a signal."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.situation import row

RUN = (
    row(
        "another processor",
        r"fork/exec (?P<file>.*): exec format error",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start {file}: it is built for another architecture, or is a script without #!",
        "Use a base image for this machine's architecture; with PLATFORM, build on a machine of that platform.",
    ),
    row(
        "no shell",
        r"fork/exec (?P<file>\S*/\w*sh): no such file or directory",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start: the image has no {file}",
        "Use a base image with a shell, set one with SHELL, or write RUN in exec form.",
    ),
    row(
        "no such program",
        r"(?:fork/exec|exec:) (?P<file>.*): (?:no such file or directory|executable file not found)",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start: the image has no {file}",
        "Check the path, and that the image has the program's interpreter (its #! line or its loader).",
    ),
    row(
        "not executable",
        r"fork/exec (?P<file>.*): permission denied",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start {file}: it is not executable",
        "Make it executable (chmod +x), or check USER.",
    ),
    row(
        "cannot start",
        r"starting command: ",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start: {error}",
        "Check WORKDIR, USER and SHELL before it.",
    ),
    row(
        "no group file",
        r"group ids for user: .*open /etc/group: no such file",
        Reason.DOCKERFILE_UNSUPPORTED,
        "{step} runs as a USER that is a number, for which this executor needs a file /etc/group in the image",
        "COPY one to /etc/group before (it may be empty), or put the RUN before USER.",
    ),
    row(
        "no such user",
        r"(?:user|group) (?P<user>\S+) is not a [ug]id and does not exist on the system"
        r"|getting user group from chown: .*parsing \"(?P<group>[^\"]+)\"",
        Reason.RUN_COMMAND_FAILED,
        "The image has no user or group {user}{group}, which USER or --chown names",
        "Create it in a RUN before this instruction, or write a number.",
    ),
)
