"""The files in an image in an OCI layout."""

import json
import tarfile
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath


def image_digest(layout: Path) -> str:
    """The digest of the one image in a layout."""
    return str(json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"])


def read_image(layout: Path, wanted: Collection[str]) -> tuple[set[str], dict[str, bytes]]:
    """The names of all files in an image, and the content of those wanted.

    Whiteouts are ignored: our own Dockerfiles remove nothing relevant here.

    Args:
        layout: the OCI layout.
        wanted: names without a leading slash, or patterns of them.
    """
    manifest = json.loads(_blob(layout, image_digest(layout)).read_bytes())
    names: set[str] = set()
    files: dict[str, bytes] = {}
    for layer in manifest["layers"]:
        with tarfile.open(_blob(layout, layer["digest"]), "r:*") as archive:
            for member in archive:
                name = member.name.removeprefix("./").lstrip("/")
                names.add(name)
                if member.isreg() and any(fnmatchcase(name, pattern) for pattern in wanted):
                    stream = archive.extractfile(member)
                    files[name] = stream.read() if stream else b""
    return names, files


def package_owners(files: Mapping[str, bytes], names: Collection[str]) -> set[str]:
    """The Debian packages with a file of one of these names or paths, according to dpkg's file lists."""
    owners = set()
    for name, content in files.items():
        paths = content.decode().splitlines() if name.endswith(".list") else ()
        if any(path in names or PurePosixPath(path).name in names for path in paths):
            owners.add(PurePosixPath(name).name.removesuffix(".list").partition(":")[0])
    return owners


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")
