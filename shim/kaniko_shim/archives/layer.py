"""The entries of a layer of an image."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK, Entry
from kaniko_shim.archives.extract import decompressed
from kaniko_shim.archives.tar import read_tar
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason


@contextmanager
def reading_layer(path: Path, what: str, hint: str) -> Iterator[Iterator[Entry]]:
    """The entries in order, without devices; the content of a file is readable until the next entry is asked for.

    Args:
        path: its blob, which has been compared with its digest.
        what: begins the message if it can't be read, or an entry is refused, such as `The SBOM can't be made`.
        hint: what to do then.

    Raises:
        JobError: Internal; it can't be read.
    """
    try:
        with path.open("rb") as stream:
            content = decompressed(Buffered(lambda: stream.read(CHUNK)))
            # Its digest vouches for its length.
            yield read_tar(content, skip_special=True, is_whole=lambda: True)
    except JobError as error:
        if error.failure.reason is not Reason.SOURCE_INVALID:
            raise
        problem = error.failure.message.replace("The context's archive", "It").replace("The context's entry", "Its")
        message = f"{what}, since the layer sha256:{path.name} can't be read: {problem}"
        raise JobError(Reason.INTERNAL, message, hint=hint) from error
