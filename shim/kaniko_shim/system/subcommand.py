"""The shim's sub-commands."""

from enum import StrEnum


class Command(StrEnum):
    """A sub-command; ALL is a run without one."""

    ALL = "all"
    BUILD = "build"
    PUSH = "push"
    CHECK = "check"
    INDEX = "index"
    RECEIVE = "receive"
    WARM = "warm"
    WATCH = "watch"
    SIGN = "sign"
    WEBHOOK = "webhook"
    SCAN = "scan"


EVERY_COMMAND = tuple(Command)
REGISTRY_COMMANDS = tuple(
    command for command in Command if command not in {Command.RECEIVE, Command.SIGN, Command.WEBHOOK, Command.SCAN}
)
"""Sub-commands that pull or push images."""
PULL_COMMANDS = (Command.ALL, Command.BUILD, Command.WARM, Command.WATCH)
"""Sub-commands that pull base images."""
PUSH_COMMANDS = tuple(each for each in REGISTRY_COMMANDS if each not in {Command.WARM, Command.WATCH})
"""Sub-commands that are about images to push."""
