"""The shim's sub-commands."""

from enum import StrEnum


class Command(StrEnum):
    """A sub-command; ALL is a run without one."""

    ALL = "all"
    BUILD = "build"
    PUSH = "push"
    CHECK = "check"
    INDEX = "index"


EVERY_COMMAND = tuple(Command)
