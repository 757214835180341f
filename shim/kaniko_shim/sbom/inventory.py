"""The packages of an image."""

from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.sbom.databases import OS_RELEASE, is_unread
from kaniko_shim.sbom.layers import read_layers
from kaniko_shim.sbom.packages import Distribution, Package


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an image holds.

    Attributes:
        packages: the packages that were found.
        distribution: its Linux distribution.
        unread: paths of package databases that can't be read here.
    """

    packages: tuple[Package, ...]
    distribution: Distribution
    unread: tuple[str, ...]


def take_inventory(layout: Path, manifest: bytes) -> Inventory:
    """Read the packages from the layers of a checked layout's image.

    Raises:
        JobError: Internal; a layer can't be read.
    """
    files = read_layers(layout, manifest)
    packages: list[Package] = []
    for _, content in sorted(files.items(), key=lambda item: item[0]):
        if isinstance(content, tuple):
            packages += content
    releases = (files[path] for path in OS_RELEASE if path in files)
    release = next((each for each in releases if isinstance(each, Distribution)), Distribution())
    return Inventory(tuple(packages), release, tuple(sorted(filter(is_unread, files))))
