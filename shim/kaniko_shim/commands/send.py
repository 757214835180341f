"""`send`: read an archive from standard input and give it to `receive`, which waits in the same container.

It is started by `kubectl exec`, so only those who may exec into the pod can send.
"""

import hashlib
import json
import os
import re
import select
import signal
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from kaniko_shim.archives.entries import CHUNK
from kaniko_shim.archives.extract import inspect
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.sources.upload.folder import Kept, Terms, UploadFolder
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.processes.signals import STOPPING

# Seconds without a byte after which a connection counts as broken; some leave standard input open.
_LONGEST_SILENCE = 60.0

# Seconds that `receive` may need after the start of its container, on a node with much to do.
_LONGEST_START = 30.0
_PAUSE = 0.02

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Exit(IntEnum):
    """The exit codes."""

    COMPLETE = 0
    REFUSED = 1
    USAGE = 2
    INCOMPLETE = 3
    UNAVAILABLE = 4


class _End(Exception):  # noqa: N818 - an end, which is not always an error
    """Ends the sub-command."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code


def send(arguments: Sequence[str], paths: Paths, source: int = 0) -> int:
    """Run the sub-command; prints a JSON object, and the same in words to standard error.

    Args:
        arguments: the command line after `send`.
        paths: the builder's directories.
        source: the descriptor that the archive is read from: standard input.

    Returns:
        The exit code.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    folder = UploadFolder(paths.upload)
    options = _parse(arguments)
    if options.status:
        print(json.dumps(_status(folder)))  # noqa: T201 - the output of the command
        return Exit.COMPLETE
    try:
        terms = _terms(folder)
        with folder.claimed() as alone:
            if not alone:
                raise _End(Exit.UNAVAILABLE, "Another upload is running. Wait until it has ended.")  # noqa: TRY301
            _terms(folder)
            _receive(options, folder, terms, source)
            return _answer(Exit.COMPLETE, _status(folder), "The build context has arrived.")
    except _End as end:
        return _answer(end.code, _status(folder), str(end))


def _receive(options: Namespace, folder: UploadFolder, terms: Terms, source: int) -> None:
    size: int | None = options.size
    if size is not None and size > terms.max_bytes:
        raise _refused(folder, f"The archive has {size} bytes, and at most {terms.max_bytes} are accepted.")
    if options.sha256 and terms.sha256 and options.sha256 != terms.sha256:
        raise _refused(folder, _other(terms.sha256, options.sha256))
    _check_offset(options, folder.kept)
    if options.offset == 0:
        folder.discard()
    if size is not None:
        folder.keep(size, options.sha256)
    try:
        received, found = _copy(folder, source, options, terms.max_bytes)
        _verify(folder, received, found, options, terms.sha256)
        folder.complete(received, found)
    except JobError as error:
        raise _refused(folder, error.failure.message) from error
    except OSError as error:
        raise _refused(folder, f"The upload can't be stored ({error.strerror}).") from error


def _check_offset(options: Namespace, kept: Kept) -> None:
    if options.offset == 0:
        return
    if (kept.size, kept.sha256) != (options.size, options.sha256):
        raise _End(Exit.USAGE, "Nothing of this archive has been kept. Send it from the beginning, without --offset.")
    if options.offset > kept.received:
        raise _End(Exit.USAGE, f"Only {kept.received} bytes have been kept. Continue with --offset {kept.received}.")


def _copy(folder: UploadFolder, source: int, options: Namespace, max_bytes: int) -> tuple[int, str]:
    """Append what arrives to what was kept; returns the bytes of the whole, and their SHA-256."""
    digest = hashlib.sha256()
    if options.offset:
        with folder.incoming.open("rb") as kept:
            left: int = options.offset
            while chunk := kept.read(min(left, CHUNK)):
                digest.update(chunk)
                left -= len(chunk)
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(folder.incoming, flags, 0o600)
    try:
        received: int = options.offset
        size: int | None = options.size
        os.ftruncate(descriptor, received)
        os.lseek(descriptor, received, os.SEEK_SET)
        while chunk := _read(folder, source, size):
            received += len(chunk)
            if received > max_bytes:
                raise _refused(folder, f"The archive has more than the {max_bytes} bytes that are accepted.")
            if size is not None and received > size:
                raise _refused(folder, f"More than the {size} bytes of --size were sent.")
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(descriptor, view) :]
        return received, digest.hexdigest()
    finally:
        os.close(descriptor)


def _read(folder: UploadFolder, source: int, size: int | None) -> bytes:
    if not select.select([source], [], [], _LONGEST_SILENCE)[0]:
        if size is None:
            raise _refused(folder, f"No byte arrived for {_LONGEST_SILENCE:.0f} s. Send the archive again.")
        raise _End(Exit.INCOMPLETE, f"No byte arrived for {_LONGEST_SILENCE:.0f} s.{_continue(folder)}")
    return os.read(source, CHUNK)


def _verify(folder: UploadFolder, received: int, found: str, options: Namespace, accepted: str) -> None:
    """Check that the archive is whole, the one that was meant, and one that the build accepts."""
    if options.size is not None and received < options.size:
        raise _End(Exit.INCOMPLETE, f"{received} of {options.size} bytes have arrived.{_continue(folder)}")
    if options.sha256 and found != options.sha256:
        raise _refused(folder, f"The archive that arrived has the SHA-256 {found}, not {options.sha256}.")
    if accepted and found != accepted:
        raise _refused(folder, _other(accepted, found))
    with folder.incoming.open("rb") as stream:
        inspect(stream)


def _other(accepted: str, found: str) -> str:
    return f"This build accepts only the archive with the SHA-256 {accepted}, and this one has {found}."


def _continue(folder: UploadFolder) -> str:
    return f" Continue with --offset {folder.received}."


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _terms(folder: UploadFolder) -> Terms:
    """What is accepted.

    Raises:
        _End: no upload is awaited.
    """
    if folder.is_complete:
        raise _End(Exit.UNAVAILABLE, "The build has its context already. Create another build for another context.")
    deadline = time.monotonic() + _LONGEST_START
    # The container runs, and is awaited, a moment before `receive` can say what it accepts.
    while (terms := folder.terms) is None and not folder.is_closed and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    if terms is None:
        raise _End(Exit.UNAVAILABLE, "No upload is awaited in this container.")
    return terms


def _status(folder: UploadFolder) -> dict[str, object]:
    if folder.is_complete:
        path = folder.archive
        return {"state": "complete", "received": path.stat().st_size, "sha256": folder.sha256 or _digest(path)}
    terms = folder.terms
    if terms is None:
        return {"state": "closed" if folder.is_closed else "starting"}
    kept = folder.kept
    known = {} if kept.size is None else {"size": kept.size, "sha256": kept.sha256}
    received = folder.received
    state = "incomplete" if received else "waiting"
    accepted = {"accepts": terms.sha256} if terms.sha256 else {}
    limits = {"deadline": terms.deadline, "maxBytes": terms.max_bytes, **accepted}
    return {"state": state, "received": received, **known, **limits}


def _refused(folder: UploadFolder, message: str) -> _End:
    folder.refuse(message)
    return _End(Exit.REFUSED, message)


def _answer(code: Exit, status: dict[str, object], message: str) -> int:
    print(json.dumps({**status, "outcome": code.name.lower(), "message": message}), flush=True)  # noqa: T201 - the output of the command
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - the output of the command
    return code


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(
        prog="kaniko-shim send",
        description="Sends the archive on standard input to the build that waits for it in this container.",
        epilog="Exit codes: 0 complete, 1 refused, 2 wrong use, 3 incomplete (continue with --offset), "
        "4 no upload is awaited, or another one is running.",
        allow_abbrev=False,
    )
    parser.add_argument("--size", type=_count, help="bytes of the archive; needs --sha256")
    parser.add_argument("--sha256", type=_sha256, help="SHA-256 of the archive; needs --size")
    parser.add_argument("--offset", type=_count, default=0, help="bytes that have been received before (0)")
    parser.add_argument("--status", action="store_true", help="print what has been received, as JSON")
    options = parser.parse_args(arguments)
    # argparse would parse an empty default, too.
    options.sha256 = options.sha256 or ""
    if (options.size is None) == bool(options.sha256):
        parser.error("give both --size and --sha256, or neither")
    if options.offset and options.size is None:
        parser.error("--offset needs --size and --sha256, since nothing else is kept")
    return options


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r}: write a number of bytes")
    return int(text)


def _sha256(text: str) -> str:
    lowered = text.lower().removeprefix("sha256:")
    if not _SHA256.fullmatch(lowered):
        raise ArgumentTypeError(f"{text!r}: write the 64 hexadecimal digits that sha256sum prints")
    return lowered
