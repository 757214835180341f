"""What an executor supports in a Dockerfile."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from kaniko_shim.oci.platform import Platform

_PART = re.compile(r"[a-z0-9_.-]+")
_MOST_PARTS = 3
_SYSTEMS = frozenset({"linux", "windows", "darwin", "freebsd"})
_ALIASES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", ""),
    "armel": ("arm", "v6"),
    "i386": ("386", ""),
}
_USUAL_VARIANTS = {"amd64": "v1", "arm64": "v8", "arm": "v7"}


class Feature(Enum):
    """What some executors can do in a Dockerfile, and others cannot."""

    HEREDOCS = auto()
    """RUN, COPY and ADD take heredocs."""
    HEREDOC_VARIABLES = auto()
    """COPY and ADD expand the variables in a heredoc."""
    MOUNTS = auto()
    """RUN has mounts of the types cache, secret and bind."""
    SYMBOLIC_MODES = auto()
    """`--chmod` takes modes such as `u=rwX`."""
    SET_ID_MODES = auto()
    """`--chmod` takes the set-id and sticky bits."""
    ARGUMENT_SCOPES = auto()
    """An ARG wins over an ENV before it, and is known in its own stage only."""
    IMPLICIT_OWNERS = auto()
    """Directories that COPY makes on the way to a file or directory take `--chown` and `--chmod`."""
    HARD_LINKS = auto()
    """COPY and ADD keep the hard links in a directory."""
    NAMES_IN_KEYS = auto()
    """The keys of cached layers depend on the names of copied files."""


@dataclass(frozen=True, slots=True)
class Since:
    """From when the maintained line (osscontainertools/kaniko) has a feature; kaniko up to 1.25 has none of them.

    Attributes:
        version: the first version.
        flag: a flag of the executor that came with it or later, for executors that do not say their version.
    """

    version: tuple[int, int, int]
    flag: str = "secret"


TABLE: Mapping[Feature, Since] = {
    Feature.HEREDOCS: Since((1, 25, 4)),
    Feature.HEREDOC_VARIABLES: Since((1, 28, 1)),
    Feature.MOUNTS: Since((1, 28, 0)),
    Feature.SYMBOLIC_MODES: Since((1, 28, 0)),
    Feature.SET_ID_MODES: Since((1, 25, 0)),
    Feature.ARGUMENT_SCOPES: Since((1, 28, 0)),
    Feature.IMPLICIT_OWNERS: Since((1, 28, 2)),
    Feature.HARD_LINKS: Since((1, 28, 0)),
    Feature.NAMES_IN_KEYS: Since((1, 24, 3)),
}
"""What the maintained line can do, and from which version."""


def features(flags: Container[str], version: tuple[int, int, int] | None = None) -> frozenset[Feature]:
    """The features of an executor.

    Args:
        flags: those that its `--help` lists.
        version: of the maintained line, if it is known.
    """
    return frozenset(
        feature
        for feature, since in TABLE.items()
        if since.flag in flags and (version is None or version >= since.version)
    )


MAINTAINED = frozenset(Feature)
"""Every feature: the executor that the builder image ships."""


@dataclass(frozen=True, slots=True)
class Support:
    """What an executor supports in a Dockerfile.

    Attributes:
        features: what it can do.
        architecture: this machine's, which RUN runs on, as image indexes call it.
        target: the platform of the images that it takes and makes; None means this machine's.
    """

    features: frozenset[Feature] = frozenset()
    architecture: str = "amd64"
    target: Platform | None = None

    def has(self, feature: Feature) -> bool:
        """Whether it can do something."""
        return feature in self.features

    @property
    def machine(self) -> Platform:
        """The platform that RUN executes on."""
        return Platform("linux", self.architecture)

    @property
    def platform(self) -> Platform:
        """The platform of the image."""
        return self.target or self.machine

    @property
    def arguments(self) -> dict[str, str]:
        """The platform arguments, which Docker sets by itself: TARGETPLATFORM, BUILDARCH and so on."""
        return {
            f"{whose}{what}": value
            for whose, platform in (("TARGET", self.platform), ("BUILD", self.machine))
            for what, value in (
                ("PLATFORM", platform.name),
                ("OS", platform.os),
                ("OSVERSION", ""),
                ("ARCH", platform.architecture),
                ("VARIANT", platform.variant),
            )
        }


def read_platform(name: str, machine: Platform) -> Platform:
    """The platform that Docker reads a name as: `arm64` and `linux/arm64/v8` both mean `linux/arm64`.

    Args:
        name: `arch`, `os`, `os/arch` or `os/arch/variant`.
        machine: the platform whose processor a name without one means.

    Raises:
        ValueError: it is none of them.
    """
    parts = name.lower().split("/")
    if len(parts) > _MOST_PARTS or not all(_PART.fullmatch(part) for part in parts):
        raise ValueError(f"{name!r} is not a platform: write os/arch or os/arch/variant, such as linux/arm64")
    if len(parts) == 1:
        if parts[0] in _SYSTEMS:
            return Platform(parts[0], machine.architecture, machine.variant)
        parts.insert(0, "linux")
    architecture, variant = _ALIASES.get(parts[1], (parts[1], ""))
    variant = parts[2] if len(parts) == _MOST_PARTS else variant
    if variant[:1].isdigit():
        variant = f"v{variant}"
    return Platform(parts[0], architecture, "" if variant == _USUAL_VARIANTS.get(architecture) else variant)
