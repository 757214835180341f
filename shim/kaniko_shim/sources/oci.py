"""An OCI artifact or image as the context: its layers, one on top of the other."""

import hashlib
import json
import re
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, cast

from kaniko_shim.archives.entries import Entry, Kind, unsafe
from kaniko_shim.archives.extract import extract
from kaniko_shim.archives.tree import Tree
from kaniko_shim.errors import JobError
from kaniko_shim.machine import architecture
from kaniko_shim.reasons import Reason
from kaniko_shim.references import ImageReference
from kaniko_shim.result import SourceReport
from kaniko_shim.source_request import SourceRequest
from kaniko_shim.sources.place import Place

if TYPE_CHECKING:
    from kaniko_shim.crane import Crane

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_LARGEST_MANIFEST = 4 * 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MISSING = re.compile(r"MANIFEST_UNKNOWN|NAME_UNKNOWN|BLOB_UNKNOWN|status code 404|not found", re.IGNORECASE)
_REFUSED = re.compile(r"UNAUTHORIZED|DENIED|status code 40[13]", re.IGNORECASE)


def fetch_oci(image: ImageReference, request: SourceRequest, place: Place, crane: "Crane") -> SourceReport:
    """Unpack the layers of an artifact or image; one for several platforms counts as that for this machine.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    content = _manifest(image, crane, place)
    revision = "sha256:" + hashlib.sha256(content).hexdigest()
    if image.digest and image.digest != revision:
        raise JobError(Reason.SOURCE_CHECKSUM_MISMATCH, f"The registry has {revision} under {image.name}.")
    document = _object(content, image)
    if "manifests" in document:
        chosen = ImageReference(image.registry, image.repository, digest=_for_this_machine(document, image))
        document = _object(_manifest(chosen, crane, place), image)
    layers = document.get("layers")
    digests = [layer.get("digest") for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
    if not digests or not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in digests):
        raise JobError(Reason.SOURCE_INVALID, f"{image.name} has no layers that could be a context.")
    with _Layers(place.into, max_bytes=request.max_bytes, max_entries=request.max_entries) as tree:
        for digest in cast("list[str]", digests):
            layer = ImageReference(image.registry, image.repository, digest=digest)
            with _read(layer, crane, place, "blob") as stream:
                measured = _Measured(stream, request.max_bytes)
                extract(measured, tree, place.scratch)
            if measured.digest != digest:
                raise JobError(Reason.SOURCE_CHECKSUM_MISMATCH, f"The layer {digest} of {image.name} is damaged.")
    return SourceReport(f"oci://{image.name}", revision=revision, size=tree.size)


class _Layers(Tree):
    """Takes away what a layer says is gone: `.wh.name`, and `.wh..wh..opq` for all that was in a directory."""

    def add(self, entry: Entry) -> None:
        directory, slash, name = entry.name.removeprefix("./").rpartition("/")
        if name == _OPAQUE:
            if not directory:
                raise unsafe(entry.name, "would remove everything")
            self.remove(directory)
            super().add(Entry(directory, Kind.DIRECTORY, 0o755))
        elif name.startswith(_WHITEOUT):
            self.remove(directory + slash + name.removeprefix(_WHITEOUT))
        else:
            super().add(entry)


class _Measured:
    def __init__(self, source: IO[bytes], max_bytes: int) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self._left = max_bytes

    def read(self, size: int) -> bytes:
        content = self._source.read(size)
        self._hash.update(content)
        self._left -= len(content)
        if self._left < 0:
            raise JobError(Reason.SOURCE_TOO_LARGE, "A layer of the context is larger than SOURCE_MAX_BYTES.")
        return content

    @property
    def digest(self) -> str:
        return "sha256:" + self._hash.hexdigest()


def _manifest(image: ImageReference, crane: "Crane", place: Place) -> bytes:
    with _read(image, crane, place, "manifest") as stream:
        content = stream.read(_LARGEST_MANIFEST + 1)
        if len(content) > _LARGEST_MANIFEST:
            raise JobError(Reason.SOURCE_INVALID, f"The manifest of {image.name} is too large.")
    return content


@contextmanager
def _read(image: ImageReference, crane: "Crane", place: Place, what: str) -> Iterator[IO[bytes]]:
    """What crane writes; its own failure is told before that of who reads."""
    command = crane.command(image.registry, what, image.name)
    with TemporaryFile(dir=place.scratch) as complaints:
        process = subprocess.Popen(  # noqa: S603 - a fixed program, arguments without a shell
            command.argv,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        stream = cast("IO[bytes]", process.stdout)
        try:
            yield stream
        except JobError as error:
            # It reads on only if the stream was cut off; else it would wait for us.
            process.kill() if stream.read(1) else None
            _check(process, image, complaints, default=error)
            raise
        else:
            _check(process, image, complaints)
        finally:
            stream.close()
            process.kill()
            process.wait()


def _check(
    process: "subprocess.Popen[bytes]", image: ImageReference, complaints: IO[bytes], default: JobError | None = None
) -> None:
    code = process.wait()
    if code <= 0:
        return
    complaints.seek(0)
    text = complaints.read(4096).decode("utf-8", "replace").strip().rpartition("\n")[2].removeprefix("Error: ")
    if _REFUSED.search(text):
        raise JobError(
            Reason.SOURCE_UNAUTHORIZED,
            f"{image.registry} refused to hand out {image.name}.",
            hint=f"Give DOCKER_CONFIG_JSON credentials for {image.registry}, and check the name.",
            registry=image.registry,
        ) from default
    if _MISSING.search(text):
        raise JobError(Reason.SOURCE_NOT_FOUND, f"{image.registry} has no {image.name}.") from default
    raise JobError(Reason.SOURCE_UNAVAILABLE, f"{image.name} could not be fetched: {text[:300]}.") from default


def _object(content: bytes, image: ImageReference) -> dict[str, object]:
    try:
        document: object = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise JobError(Reason.SOURCE_INVALID, f"The manifest of {image.name} can't be read.")
    return document


def _for_this_machine(index: dict[str, object], image: ImageReference) -> str:
    manifests = index["manifests"]
    entries = [entry for entry in manifests if isinstance(entry, dict)] if isinstance(manifests, list) else []
    found = list(_platforms(entries))
    if len(found) == 1 and not found[0][1]:
        return found[0][0]
    wanted = next((digest for digest, platform in found if platform == f"linux/{architecture()}"), "")
    if not wanted:
        raise JobError(Reason.SOURCE_NOT_FOUND, f"{image.name} has nothing for linux/{architecture()}.")
    return wanted


def _platforms(entries: list[dict[str, object]]) -> Generator[tuple[str, str], None, None]:
    for entry in entries:
        digest, platform = entry.get("digest"), entry.get("platform")
        if isinstance(digest, str) and _DIGEST.fullmatch(digest):
            named = platform if isinstance(platform, dict) else {}
            yield digest, f"{named['os']}/{named['architecture']}" if {"os", "architecture"} <= named.keys() else ""
