"""What a bill of materials lists."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package that is installed in an image.

    Attributes:
        ecosystem: the type in its package URL: deb, apk, pypi or npm.
        name: its name, with the namespace that npm has in it.
        version: its version.
        architecture: of a Linux distribution's package; empty for others.
        license: as the package says it, an SPDX expression or not; empty if it says none.
    """

    ecosystem: str
    name: str
    version: str
    architecture: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """The Linux distribution that an image is made of, as its os-release says."""

    id: str = ""
    version: str = ""
    name: str = ""
