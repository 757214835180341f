"""What an executor supports in a Dockerfile."""

import re
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Support:
    """What an executor supports in a Dockerfile.

    Attributes:
        is_old: whether it is of kaniko up to 1.25; otherwise it is of the maintained line, osscontainertools/kaniko.
        architecture: this machine's, which RUN runs on, as image indexes call it.
        target: the platform of the images that it takes and makes; None means this machine's.
    """

    is_old: bool = False
    architecture: str = "amd64"
    target: Platform | None = None

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
