"""Checks an OCI image layout that a build left, before anything of it is sent anywhere.

The build's RUN steps could write to the directory. Every file is opened without following links, and every
byte that would be pushed is compared with its digest: a link to the push credentials must not become a layer.
"""

import errno
import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.errors import JobError
from kaniko_shim.reasons import Reason

LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Bytes; registries refuse larger manifests."""

MOST_LAYERS = 1000

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_MANIFESTS = frozenset(
    {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
)
_READ = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LayoutImage:
    """The image in a layout: its manifest's digest, and the size of its config and layers in bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class _Blob:
    digest: str
    size: int
    media_type: str


def check_layout(directory: Path) -> LayoutImage:
    """Check that a directory is a layout of exactly one image, whole and unaltered.

    Raises:
        JobError: Internal, naming the file that is wrong.
    """
    index = _read_document(directory, "index.json")
    manifests = index.get("manifests")
    if not isinstance(manifests, list) or len(manifests) != 1:
        raise _broken("index.json does not name exactly one image")
    manifest_blob = _blob(manifests[0])
    if manifest_blob.media_type not in _MANIFESTS:
        raise _broken(f"index.json names a {manifest_blob.media_type or 'thing without a type'}, not an image")
    manifest = _read_document(directory, _path(manifest_blob), manifest_blob)
    layers = manifest.get("layers")
    if not isinstance(layers, list) or len(layers) > MOST_LAYERS:
        raise _broken(f"the manifest has no list of at most {MOST_LAYERS} layers")
    blobs = [_blob(manifest.get("config")), *map(_blob, layers)]
    for blob in dict.fromkeys(blobs):
        _check_blob(directory, blob)
    return LayoutImage(manifest_blob.digest, sum(blob.size for blob in blobs))


def sizes(manifest: bytes) -> tuple[int, ...]:
    """The sizes of an image's config and of each layer, read from its manifest; empty if that can't be read."""
    try:
        document = json.loads(manifest)
        return tuple(_blob(each).size for each in (document["config"], *document["layers"]))
    except (ValueError, KeyError, TypeError, JobError):
        return ()


def open_to_all(directory: Path) -> None:
    """Let every user read a layout, since the container that pushes it does not run as root."""
    for parent, directories, files in os.walk(directory, followlinks=False):
        for name in (".", *directories, *files):
            path = Path(parent, name)
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                path.chmod(0o755)
            elif stat.S_ISREG(status.st_mode):
                path.chmod(0o644)


def _broken(problem: str) -> JobError:
    return JobError(
        Reason.INTERNAL,
        f"The built image can't be pushed: {problem}.",
        hint="Build again. A RUN step that writes to /kaniko breaks its own image.",
    )


def _blob(value: object) -> _Blob:
    if isinstance(value, dict):
        digest, size, media_type = (value.get(key) for key in ("digest", "size", "mediaType"))
        if isinstance(digest, str) and _DIGEST.fullmatch(digest) and isinstance(size, int) and size >= 0:
            if value.get("urls"):
                raise _broken(f"{digest} is to be fetched from somewhere else")
            return _Blob(digest, size, media_type if isinstance(media_type, str) else "")
    raise _broken("a descriptor has no SHA-256 digest and size")


def _path(blob: _Blob) -> str:
    return f"blobs/sha256/{blob.digest.partition(':')[2]}"


def _read_document(directory: Path, name: str, blob: _Blob | None = None) -> dict[str, object]:
    with os.fdopen(_open(directory, name), "rb") as stream:
        content = stream.read(LARGEST_DOCUMENT + 1)
    if len(content) > LARGEST_DOCUMENT:
        raise _broken(f"{name} is larger than {LARGEST_DOCUMENT} bytes")
    if blob and (len(content) != blob.size or f"sha256:{hashlib.sha256(content).hexdigest()}" != blob.digest):
        raise _broken(f"{name} is not what its digest says")
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _broken(f"{name} is no JSON") from error
    if not isinstance(document, dict):
        raise _broken(f"{name} is no JSON object")
    return document


def _check_blob(directory: Path, blob: _Blob) -> None:
    name = _path(blob)
    checksum = hashlib.sha256()
    size = 0
    with os.fdopen(_open(directory, name), "rb", buffering=0) as stream:
        while chunk := stream.read(_READ):
            checksum.update(chunk)
            size += len(chunk)
    if size != blob.size or f"sha256:{checksum.hexdigest()}" != blob.digest:
        raise _broken(f"{name} is not what its digest says")


def _open(directory: Path, name: str) -> int:
    """Open a regular file of the layout, component by component, without following a link."""
    try:
        above = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            *parents, last = name.split("/")
            for parent in parents:
                below = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
                os.close(above)
                above = below
            descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=above)
        finally:
            os.close(above)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise _broken(f"{name} is a link") from error
        raise _broken(f"{directory}/{name} can't be read ({error.strerror})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _broken(f"{name} is no regular file")
    return descriptor
