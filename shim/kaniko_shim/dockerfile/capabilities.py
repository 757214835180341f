"""What an executor supports in a Dockerfile."""

from dataclasses import dataclass

from kaniko_shim.oci.platform import Platform

_ALIASES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm"}
_USUAL_VARIANTS = {"amd64": "v1", "arm64": "v8", "arm": "v7"}


@dataclass(frozen=True, slots=True)
class Support:
    """What an executor supports in a Dockerfile.

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
                ("ARCH", platform.architecture),
                ("VARIANT", platform.variant),
            )
        }


def is_platform(name: str, platform: Platform) -> bool:
    """Whether Docker reads a name as a platform: `arm64` and `linux/arm64/v8` both mean `linux/arm64`."""
    return _normal(name) == _normal(platform.name)


def _normal(name: str) -> tuple[str, str, str]:
    parts = name.lower().split("/")
    system, architecture, variant = ("linux", parts[0], "") if len(parts) == 1 else (*parts, "", "")[:3]
    architecture = _ALIASES.get(architecture, architecture)
    return system, architecture, "" if variant == _USUAL_VARIANTS.get(architecture) else variant
