"""Archives of directories, as builds with source.upload get them."""

import gzip
import hashlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, cast

from imagebuild.context_files import Counts, Found, context_files
from imagebuild.errors import ArchiveError

#: Bytes that are read at a time.
CHUNK: Final = 256 * 1024
#: A network is seldom faster than this level, and it is several times as fast as the default.
_LEVEL: Final = 1


class Archive:
    """A compressed tar archive of a directory in a temporary file; a context manager, which deletes the file.

    What the build's .dockerignore leaves out is not in it. The same files make the same archive: entries are sorted,
    belong to root, and have no times, which no image depends on. Sockets are left out. Symbolic links are kept as they
    are.

    Attributes:
        size: Bytes of the archive.
        sha256: Its SHA-256 in hexadecimal digits.
        counts: Numbers of files in it, and of those that were left out.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        dockerfile: str = "Dockerfile",
        context_dir: str = "",
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make the archive in the directory for temporary files (TMPDIR), which needs space for it.

        Args:
            directory: The directory; its content is at the top of the archive.
            dockerfile: Path of the Dockerfile in the context, as in spec.dockerfile.path; empty if it is not there.
            context_dir: Directory in it that is the build context, as in spec.contextDir.
            stopped: Asked during the work; True ends it with an error.

        Raises:
            ArchiveError: the directory or a file in it cannot be read, or the archive cannot be written.
        """
        root = Path(directory)
        if not root.is_dir():
            raise ArchiveError(f"{root} is not a directory.", "Name the directory of the build context.")
        self.counts = Counts()
        self._file = cast("IO[bytes]", tempfile.TemporaryFile(prefix="imagebuild-"))  # noqa: SIM115 - closed by close()
        try:
            writer = _HashingWriter(self._file, stopped)
            # Without the name and the time that gzip would store.
            with (
                gzip.GzipFile("", "wb", _LEVEL, cast("IO[bytes]", writer), mtime=0) as packed,
                tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
            ):
                for found in context_files(root, context_dir, dockerfile, self.counts):
                    if not stat.S_ISSOCK(found.status.st_mode):
                        _add(tar, found)
            self._file.flush()
            self.size: int = writer.size
            self.sha256: str = writer.sha256
        except OSError as error:
            self.close()
            what = f"{error.filename}: " if error.filename else ""
            raise ArchiveError(f"The directory {root} cannot be packed: {what}{error.strerror or error}.") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Delete the temporary file."""
        self._file.close()

    def chunks(self, offset: int = 0) -> Iterator[bytes]:
        """Read the archive from an offset to its end. Several readers at the same time are fine."""
        while chunk := os.pread(self._file.fileno(), CHUNK, offset):
            offset += len(chunk)
            yield chunk


class _HashingWriter:
    """Counts and hashes what is written to a file."""

    def __init__(self, file: IO[bytes], stopped: Callable[[], bool]) -> None:
        self._file, self._stopped, self._hash, self.size = file, stopped, hashlib.sha256(), 0

    def write(self, content: bytes) -> int:
        if self._stopped():
            raise ArchiveError("Packing the directory was stopped.")
        self._hash.update(content)
        self.size += len(content)
        self._file.write(content)
        return len(content)

    def flush(self) -> None:
        self._file.flush()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _add(tar: tarfile.TarFile, found: Found) -> None:
    mode = found.status.st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
        raise ArchiveError(
            f"{found.path} is a device or a named pipe, which a build context cannot have.",
            "Move it to another directory, or exclude it in .dockerignore.",
        )
    info = tarfile.TarInfo(found.name)
    info.mode = stat.S_IMODE(mode)
    if stat.S_ISDIR(mode):
        info.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(mode):
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(found.path)  # noqa: PTH115 - a text
    if not info.isreg():
        tar.addfile(info)
    else:
        _add_file(tar, info, found.path)
    # Else the memory that is needed depends on the number of files.
    cast("list[Any]", tar.members).clear()  # type: ignore[attr-defined]


def _add_file(tar: tarfile.TarFile, info: tarfile.TarInfo, path: str) -> None:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a text
        info.size = os.fstat(file.fileno()).st_size
        try:
            tar.addfile(info, file)
        except OSError as error:
            if error.errno is not None:
                raise
            raise ArchiveError(f"{path} became shorter while it was read.", "Try again.") from error
