"""Values that options can have."""

from enum import StrEnum


class Progress(StrEnum):
    """How the progress of a build is shown."""

    AUTO = "auto"
    PLAIN = "plain"
    TTY = "tty"
    RAWJSON = "rawjson"
    QUIET = "quiet"


class Output(StrEnum):
    """Form of the output for programs."""

    JSON = "json"
    YAML = "yaml"
    NAME = "name"


class Engine(StrEnum):
    """What builds the image."""

    AUTO = "Auto"
    KANIKO = "Kaniko"
    BUILDKIT = "BuildKit"


class PlatformNodes(StrEnum):
    """Nodes that a platform is built on."""

    NATIVE = "Native"
    ANY = "Any"
