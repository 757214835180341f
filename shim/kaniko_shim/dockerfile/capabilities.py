"""What an executor makes of a Dockerfile."""

from dataclasses import dataclass

from kaniko_shim.oci.platform import Platform


@dataclass(frozen=True, slots=True)
class Support:
    """What an executor makes of a Dockerfile.

    Attributes:
        modern: whether it is of the maintained line (osscontainertools/kaniko), which runs heredocs and mounts,
            knows the arguments of the platform, and has file names in its cache's keys. The others are kaniko up
            to 1.25.
        architecture: this machine's, which RUN runs on, as image indexes call it.
        target: the platform of the images that it takes and makes; None means this machine's.
    """

    modern: bool = False
    architecture: str = "amd64"
    target: Platform | None = None

    @property
    def machine(self) -> Platform:
        """The platform that RUN runs on."""
        return Platform("linux", self.architecture)

    @property
    def platform(self) -> Platform:
        """The platform that is built for."""
        return self.target or self.machine
