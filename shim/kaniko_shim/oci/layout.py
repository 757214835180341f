"""Checks the OCI image layout that a build has written, before anything of it is pushed.

The build's RUN steps could write to the directory. Every file is opened without following links, and every
byte that would be pushed is compared with its digest: a link to the push credentials must not become a layer.
What is checked here is read once more by crane, so nothing may be there that it would read in another way.
"""

import errno
import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.oci.blobs import blob_path
from kaniko_shim.oci.digests import DIGEST, digest_of
from kaniko_shim.oci.media_types import MANIFESTS, REF_NAME
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.system.json_text import load_json

LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Bytes of a manifest or index; registries refuse larger ones."""

MOST_LAYERS = 1000

MOST_BLOBS = 10_000
"""Files in the layout; the executor leaves those of cached layers there, too."""

LARGEST_CONFIG = 8 * 1024 * 1024
"""Bytes of an image's config, which crane and container runtimes read as a whole."""

LARGEST_IMAGE = 256 * 1024**3
"""Bytes of the config and all layers. A sparse file takes no space on the disk, but as long to push as any other."""

_READ = 1024 * 1024
# The names that crane reads. It ignores their case, and the last one counts.
_NAMES = frozenset({"manifests", "config", "layers", "digest", "size", "mediaType", "urls", "data", "subject"})
_SPELLINGS = {name.casefold(): name for name in _NAMES}


@dataclass(frozen=True, slots=True)
class LayoutImage:
    """The image in a layout.

    Attributes:
        digest: its manifest's.
        size: bytes of its config and layers.
        tag: the name that the layout gives it; empty if it gives none.
        absent: the digests of the layers that the layout does not have.
    """

    digest: str
    size: int
    tag: str = ""
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Blob:
    digest: str
    size: int
    media_type: str


def check_layout(directory: Path, *, may_lack_layers: bool = False) -> LayoutImage:
    """Check that a directory is a layout of exactly one image, whole and unaltered.

    Args:
        directory: the layout.
        may_lack_layers: whether layers may be absent, since the repository that it is pushed to has to have them.

    Raises:
        JobError: Internal, naming the file that is wrong.
    """
    _check_files(directory)
    index = read_document(directory, "index.json")
    manifests = index.get("manifests")
    if not isinstance(manifests, list) or len(manifests) != 1:
        raise _broken("index.json does not name exactly one image")
    manifest_blob = _blob(manifests[0])
    if manifest_blob.media_type not in MANIFESTS:
        raise _broken(f"index.json names a {manifest_blob.media_type or 'blob without a media type'}, not an image")
    manifest = read_document(directory, _path(manifest_blob), manifest_blob)
    layers = manifest.get("layers")
    if not isinstance(layers, list) or len(layers) > MOST_LAYERS:
        raise _broken(f"the manifest has no list of at most {MOST_LAYERS} layers")
    if "subject" in manifest:
        raise _broken("the manifest declares itself part of another image")
    blobs = [_blob(manifest.get("config")), *map(_blob, layers)]
    if blobs[0].size > LARGEST_CONFIG:
        raise _broken(f"the config has {blobs[0].size} bytes; at most {LARGEST_CONFIG} are pushed")
    size = sum(blob.size for blob in blobs)
    if size > LARGEST_IMAGE:
        raise _broken(f"the image has {size} bytes; at most {LARGEST_IMAGE} are pushed")
    absent = frozenset(blob.digest for blob in blobs[1:] if not _exists(directory, blob)) if may_lack_layers else ()
    for blob in dict.fromkeys(blobs):
        if blob.digest not in absent:
            _check_blob(directory, blob)
    annotations = manifests[0].get("annotations")
    tag = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    return LayoutImage(manifest_blob.digest, size, tag if isinstance(tag, str) else "", frozenset(absent))


def sizes(manifest: bytes) -> tuple[int, ...]:
    """The sizes of an image's config and of each layer, read from its manifest; empty if that can't be read."""
    try:
        document = load_json(manifest)
        return tuple(_blob(each).size for each in (document["config"], *document["layers"]))
    except (ValueError, KeyError, TypeError, JobError):
        return ()


def open_to_all(directory: Path) -> None:
    """Let every user read a layout, since the container that pushes it does not run as root."""
    for place in (directory, directory / "blobs", directory / "blobs/sha256"):
        if place.is_dir() and (place == directory or not place.is_symlink()):
            for entry in (place, *place.iterdir()):
                _open_to_all(entry)


def _open_to_all(path: Path) -> None:
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            path.chmod(0o755)
        elif stat.S_ISREG(mode):
            path.chmod(0o644)


def _broken(problem: str) -> JobError:
    return JobError(
        Reason.INTERNAL,
        f"The built image can't be pushed: {problem}.",
        hint="Build again. A RUN step that writes to /kaniko breaks its own image.",
    )


def _blob(value: object) -> _Blob:
    if isinstance(value, dict):
        _check_names(value)
        digest, size, media_type = (value.get(key) for key in ("digest", "size", "mediaType"))
        if isinstance(digest, str) and DIGEST.fullmatch(digest) and type(size) is int and size >= 0:
            if value.get("urls"):
                raise _broken(f"{digest} is to be fetched from another place")
            return _Blob(digest, size, media_type if isinstance(media_type, str) else "")
    raise _broken("a descriptor has no SHA-256 digest and size")


def _path(blob: _Blob) -> str:
    return f"blobs/sha256/{blob.digest.partition(':')[2]}"


def read_manifest(directory: Path, digest: str) -> bytes:
    """The manifest in a checked layout."""
    return blob_path(directory, digest).read_bytes()


def read_document(directory: Path, name: str, blob: _Blob | None = None) -> dict[str, object]:
    """A JSON object of a layout, read without following links.

    Raises:
        JobError: Internal; it does not exist, or is not a regular file, too large, or not a JSON object.
    """
    with os.fdopen(_open(directory, name), "rb") as stream:
        content = stream.read(LARGEST_DOCUMENT + 1)
    if len(content) > LARGEST_DOCUMENT:
        raise _broken(f"{name} is larger than {LARGEST_DOCUMENT} bytes")
    if blob and (len(content) != blob.size or digest_of(content) != blob.digest):
        raise _broken(f"{name} does not match its digest")
    try:
        document = load_json(content, object_pairs_hook=_without_doubles)
    except ValueError as error:
        raise _broken(f"{name} is not JSON") from error
    if not isinstance(document, dict):
        raise _broken(f"{name} is not a JSON object")
    _check_names(document)
    return document


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Exactly the same name: annotations and build arguments may well differ in case only.
    if len(dict(pairs)) != len(pairs):
        raise _broken("a JSON object has the same name twice")
    return dict(pairs)


def _check_names(document: dict[str, object]) -> None:
    for name in document:
        if _SPELLINGS.get(name.casefold(), name) != name:
            raise _broken(f"{name!r} must be written {_SPELLINGS[name.casefold()]!r}")


def _check_files(directory: Path) -> None:
    """Refuse a layout whose directory for blobs holds anything but files, whether or not a manifest names it."""
    descriptor = _open_directory(directory, "blobs/sha256")
    try:
        with os.scandir(descriptor) as entries:
            for number, entry in enumerate(entries):
                if number == MOST_BLOBS:
                    raise _broken(f"blobs/sha256 has more than {MOST_BLOBS} files")
                if not entry.is_file(follow_symlinks=False):
                    kind = "a link" if entry.is_symlink() else "not a regular file"
                    raise _broken(f"blobs/sha256/{entry.name[:80]!r} is {kind}")
    finally:
        os.close(descriptor)


def _exists(directory: Path, blob: _Blob) -> bool:
    """Whether there is anything in the place of a blob."""
    try:
        (directory / _path(blob)).lstat()
    except FileNotFoundError:
        return False
    return True


def _check_blob(directory: Path, blob: _Blob) -> None:
    name = _path(blob)
    checksum = hashlib.sha256()
    size = 0
    with os.fdopen(_open(directory, name), "rb", buffering=0) as stream:
        if os.fstat(stream.fileno()).st_size != blob.size:
            raise _broken(f"{name} does not match its digest")
        while chunk := stream.read(_READ):
            checksum.update(chunk)
            size += len(chunk)
    if size != blob.size or f"sha256:{checksum.hexdigest()}" != blob.digest:
        raise _broken(f"{name} does not match its digest")


def _open(directory: Path, name: str) -> int:
    """Open a regular file of the layout without following a link in any component of its path."""
    parents, _, last = name.rpartition("/")
    above = _open_directory(directory, parents)
    try:
        descriptor = _open_at(above, last, os.O_NONBLOCK, name)
    finally:
        os.close(above)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _broken(f"{name} is not a regular file")
    return descriptor


def _open_directory(directory: Path, name: str) -> int:
    """Open a directory of the layout, component by component; an empty name is the layout itself."""
    try:
        above = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _broken(f"{directory} can't be read ({error.strerror})") from error
    for part in filter(None, name.split("/")):
        try:
            below = _open_at(above, part, os.O_DIRECTORY, name)
        finally:
            os.close(above)
        above = below
    return above


def _open_at(above: int, part: str, flags: int, name: str) -> int:
    try:
        return os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=above)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise _broken(f"{name} is a link") from error
        raise _broken(f"{name} can't be read ({error.strerror})") from error
