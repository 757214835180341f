"""What an executor makes of a Dockerfile."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Support:
    """What an executor makes of a Dockerfile.

    Attributes:
        modern: whether it is of the maintained line (osscontainertools/kaniko), which runs heredocs and mounts,
            knows the arguments of the platform, and has file names in its cache's keys. The others are kaniko up
            to 1.25.
        architecture: of the images that it takes and runs, as image indexes call it.
    """

    modern: bool = False
    architecture: str = "amd64"
