"""The packages of an image."""

from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.sbom.databases import OS_RELEASE, is_unread, read_os_release, reader_of
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
    for path, text in sorted(files.items()):
        if reader := reader_of(path):
            packages += reader(text)
    release = next((files[path] for path in OS_RELEASE if path in files), "")
    return Inventory(tuple(packages), read_os_release(release), tuple(sorted(filter(is_unread, files))))
