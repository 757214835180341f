"""What an SBOM lists."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package that is installed in an image.

    Attributes:
        ecosystem: the type in its package URL: deb, apk, pypi or npm.
        name: its name; npm's with its scope, such as `@types/node`.
        version: its version.
        architecture: for a package of a Linux distribution; empty for others.
        license: as the package declares it, which may not be an SPDX expression; empty if it declares none.
    """

    ecosystem: str
    name: str
    version: str
    architecture: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """The Linux distribution of an image, from its os-release."""

    id: str = ""
    version: str = ""
    name: str = ""
