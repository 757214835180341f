"""Fetches an OCI artifact or image as the context: its layers, one on top of the other."""

import hashlib
import re
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, cast

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK, Entry, Kind
from kaniko_shim.archives.extract import extract, is_archive
from kaniko_shim.archives.tar import BLOCK
from kaniko_shim.archives.tree import Tree
from kaniko_shim.net.meter import Meter
from kaniko_shim.oci.digests import DIGEST
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.registry_answer import MISSING, UNAUTHORIZED, parse_answer
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.sources.fetch_retries import FetchRetries
from kaniko_shim.sources.oci_layers import LayeredTree
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace
from kaniko_shim.system.container.machine import architecture
from kaniko_shim.system.json_text import load_json

if TYPE_CHECKING:
    from kaniko_shim.registry.crane import Crane

_LARGEST_MANIFEST = 4 * 1024 * 1024
_TITLE, _UNPACK = "org.opencontainers.image.title", "io.deis.oras.content.unpack"
_WRONG_DIGEST = re.compile(r"error verifying|does not match|digest mismatch", re.IGNORECASE)


def fetch_oci(
    image: ImageReference,
    request: SourceRequest,
    workspace: Workspace,
    crane: "Crane",
    sleep: Callable[[float], None] = time.sleep,
) -> SourceReport:
    """Unpack the layers of an artifact or image; for a multi-platform image, this machine's platform is used.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    retries = FetchRetries(image.name, workspace.say, sleep)
    while True:
        try:
            return _fetch(image, request, workspace, crane)
        except JobError as error:
            if error.failure.reason is not Reason.SOURCE_UNAVAILABLE:
                raise
            retries.wait(error.failure.message.rstrip("."))
            workspace.clear()


def _fetch(image: ImageReference, request: SourceRequest, workspace: Workspace, crane: "Crane") -> SourceReport:
    content = _manifest(image, crane, workspace)
    revision = "sha256:" + hashlib.sha256(content).hexdigest()
    if image.digest and image.digest != revision:
        raise JobError(Reason.SOURCE_CHECKSUM_MISMATCH, f"The registry returned {revision} for {image.name}.")
    document = _object(content, image)
    if "manifests" in document:
        chosen = ImageReference(image.registry, image.repository, digest=_for_this_machine(document, image))
        document = _object(_manifest(chosen, crane, workspace), image)
    layers = _layers_of(document)
    if not layers:
        raise JobError(Reason.SOURCE_INVALID, f"{image.name} has no layers that can be a context.")
    meter = Meter(workspace.say)
    with LayeredTree(workspace.context, max_bytes=request.max_bytes, max_entries=request.max_entries) as tree:
        for layer in layers:
            tree.begin_layer()
            blob = ImageReference(image.registry, image.repository, digest=layer.digest)
            with _read(blob, crane, workspace, "blob") as stream:
                measured = _Measured(stream, request.max_bytes, meter)
                _unpack(layer, measured, tree, workspace, alone=len(layers) == 1)
            if measured.digest != layer.digest:
                raise JobError(Reason.SOURCE_CHECKSUM_MISMATCH, f"The layer {layer.digest} of {image.name} is damaged.")
    return SourceReport(f"oci://{image.name}", revision=revision, size=tree.size)


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer's digest, and its file name; the name is empty if the layer is to be unpacked."""

    digest: str
    title: str


def _layers_of(document: dict[str, object]) -> list[_Layer]:
    """The layers of a manifest; empty if any of them is malformed."""
    found = document.get("layers")
    layers = list[_Layer]()
    for layer in found if isinstance(found, list) else []:
        digest = layer.get("digest") if isinstance(layer, dict) else None
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            return []
        noted = layer.get("annotations")
        notes = noted if isinstance(noted, dict) else {}
        title = notes.get(_TITLE) if notes.get(_UNPACK) != "true" else ""
        layers.append(_Layer(digest, title if isinstance(title, str) else ""))
    return layers


def _unpack(layer: _Layer, source: "_Measured", tree: Tree, workspace: Workspace, *, alone: bool) -> None:
    """Write a layer with a name as a file, as ORAS does, unless it is an archive and alone; unpack any other."""
    stream = Buffered(lambda: source.read(CHUNK))
    if layer.title and not (alone and is_archive(stream.peek(BLOCK))):
        tree.add(Entry(layer.title, Kind.FILE, chunks=iter(stream.piece, b"")))
    else:
        extract(stream, tree, workspace.scratch, has_digest=True)


class _Measured:
    def __init__(self, source: IO[bytes], max_bytes: int, meter: Meter) -> None:
        self._source = source
        self._meter = meter
        self._hash = hashlib.sha256()
        self._left = max_bytes

    def read(self, size: int) -> bytes:
        content = self._source.read(size)
        self._hash.update(content)
        self._left -= len(content)
        self._meter.count(len(content))
        if self._left < 0:
            raise JobError(Reason.SOURCE_TOO_LARGE, "A layer of the context is larger than SOURCE_MAX_BYTES.")
        return content

    @property
    def digest(self) -> str:
        return "sha256:" + self._hash.hexdigest()


def _manifest(image: ImageReference, crane: "Crane", workspace: Workspace) -> bytes:
    with _read(image, crane, workspace, "manifest") as stream:
        content = stream.read(_LARGEST_MANIFEST + 1)
        if len(content) > _LARGEST_MANIFEST:
            raise JobError(Reason.SOURCE_INVALID, f"The manifest of {image.name} is too large.")
    return content


@contextmanager
def _read(image: ImageReference, crane: "Crane", workspace: Workspace, what: str) -> Iterator[IO[bytes]]:
    """What crane writes. Its own failure takes precedence over that of the reader."""
    command = crane.command(image.registry, what, image.name)
    with TemporaryFile(dir=workspace.scratch) as errors:
        process = subprocess.Popen(  # noqa: S603 - a fixed program, arguments without a shell
            command.argv,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        stream = cast("IO[bytes]", process.stdout)
        try:
            yield stream
        except JobError as error:
            # If the reader stopped early, crane would wait for it forever.
            process.kill() if stream.read(1) else None
            _check(process, image, errors, default=error)
            raise
        else:
            _check(process, image, errors)
        finally:
            stream.close()
            process.kill()
            process.wait()


def _check(
    process: "subprocess.Popen[bytes]", image: ImageReference, errors: IO[bytes], default: JobError | None = None
) -> None:
    code = process.wait()
    if code <= 0:
        return
    errors.seek(0)
    text = errors.read(4096).decode("utf-8", "replace").strip().rpartition("\n")[2].removeprefix("Error: ")
    answer = parse_answer(text)
    signs = answer.signs if answer else frozenset()
    if signs & UNAUTHORIZED:
        raise JobError(
            Reason.SOURCE_UNAUTHORIZED,
            f"{image.registry} refused access to {image.name}.",
            hint=f"Set credentials for {image.registry} in DOCKER_CONFIG_JSON, and check the name.",
            registry=image.registry,
        ) from default
    if _WRONG_DIGEST.search(text):
        raise JobError(
            Reason.SOURCE_CHECKSUM_MISMATCH,
            f"{image.registry} sent content that does not match the digest of {image.name}.",
        )
    if signs & {*MISSING, "BLOB_UNKNOWN"}:
        raise JobError(Reason.SOURCE_NOT_FOUND, f"{image.registry} has no {image.name}.") from default
    raise JobError(Reason.SOURCE_UNAVAILABLE, f"{image.name} could not be fetched: {text[:300]}.") from default


def _object(content: bytes, image: ImageReference) -> dict[str, object]:
    try:
        document: object = load_json(content)
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
        raise JobError(Reason.SOURCE_NOT_FOUND, f"{image.name} has no image for linux/{architecture()}.")
    return wanted


def _platforms(entries: list[dict[str, object]]) -> Generator[tuple[str, str], None, None]:
    for entry in entries:
        digest, platform = entry.get("digest"), entry.get("platform")
        if isinstance(digest, str) and DIGEST.fullmatch(digest):
            named = platform if isinstance(platform, dict) else {}
            yield digest, f"{named['os']}/{named['architecture']}" if {"os", "architecture"} <= named.keys() else ""
