"""Unpacks an archive into the context, and counts and hashes it as it arrives."""

import hashlib
import sys
from io import BufferedReader
from pathlib import Path

from kaniko_shim.archives.decompress import Reader
from kaniko_shim.archives.extract import extract, is_zip
from kaniko_shim.archives.tar import BLOCK
from kaniko_shim.archives.tree import Tree
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.source_request import SourceRequest


class Measured:
    """A stream that counts and hashes what is read from it."""

    def __init__(self, source: Reader, max_bytes: int) -> None:
        self._source = source
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none only at the end.

        Raises:
            JobError: SourceTooLarge; the archive itself exceeds SOURCE_MAX_BYTES.
        """
        content = self._source.read(size)
        self._hash.update(content)
        self.size += len(content)
        if self.size > self._max_bytes:
            raise JobError(Reason.SOURCE_TOO_LARGE, f"The context's archive has more than {self._max_bytes} bytes.")
        return content

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was read so far, in hexadecimal."""
        return self._hash.hexdigest()


def unpack_stream(source: Reader, request: SourceRequest, into: Path, scratch: Path, url: str) -> SourceReport:
    """Unpack an archive that can only be read forward.

    Args:
        source: the archive's bytes.
        request: limits and the checksum.
        into: the directory to fill.
        scratch: where a zip is spooled, since it is read from its end.
        url: the masked URL, for the report.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    return _unpack(Measured(source, request.max_bytes), request, into, scratch, url)


def unpack_file(path: Path, request: SourceRequest, into: Path, url: str) -> SourceReport:
    """Unpack an archive from a file, without copying it.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    with _open(path) as stream:
        measured = Measured(stream, request.max_bytes if request.sha256 else sys.maxsize)
        if not is_zip(stream.peek(BLOCK)):
            return _unpack(measured, request, into, None, url)
        # A zip is read from its end.
        while measured.read(1024 * 1024):
            pass
        report = _report(measured, request, url)
        stream.seek(0)
        with Tree(into, max_bytes=request.max_bytes, max_entries=request.max_entries) as tree:
            extract(stream, tree)
        return report


def _unpack(measured: Measured, request: SourceRequest, into: Path, scratch: Path | None, url: str) -> SourceReport:
    with Tree(into, max_bytes=request.max_bytes, max_entries=request.max_entries) as tree:
        try:
            extract(measured, tree, scratch, has_digest=bool(request.sha256))
        except JobError as error:
            raise _prefer_checksum(error, measured, request) from error
    return _report(measured, request, url)


def _open(path: Path) -> BufferedReader:
    try:
        if path.is_dir():
            raise JobError(
                Reason.SOURCE_INVALID,
                f"{path} is a directory, not an archive.",
                hint=f"Set SOURCE_GET_URL to dir://{path}.",
            )
        return path.open("rb")
    except FileNotFoundError as error:
        raise JobError(
            Reason.SOURCE_NOT_FOUND,
            f"The builder has no archive {path}.",
            hint="Mount the archive there, or set SOURCE_GET_URL.",
        ) from error
    except OSError as error:
        raise JobError(Reason.SOURCE_INVALID, f"The archive {path} can't be read ({error.strerror}).") from error


def _report(measured: Measured, request: SourceRequest, url: str) -> SourceReport:
    if request.sha256 and measured.sha256 != request.sha256:
        raise JobError(
            Reason.SOURCE_CHECKSUM_MISMATCH,
            f"The context's archive has the SHA-256 {measured.sha256}, not {request.sha256}.",
        )
    return SourceReport(url, sha256=measured.sha256, size=measured.size)


def _prefer_checksum(error: JobError, measured: Measured, request: SourceRequest) -> JobError:
    """Report a damaged archive with the wrong checksum as the wrong archive."""
    if not request.sha256 or error.failure.reason is not Reason.SOURCE_INVALID:
        return error
    try:
        while measured.read(1024 * 1024):
            pass
        _report(measured, request, "")
    except JobError as mismatch:
        return mismatch
    return error
