"""Bounds on the objects of a Git repository: a pack of some hundred kilobytes can hold hundreds of megabytes.

dulwich inflates each object in memory. It knows the size before, from the object's header and from that of a delta, and
has no hook for it; so the two functions that make objects are replaced by some that look first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dulwich import pack

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

LARGEST_OBJECT = 512 * 1024 * 1024
"""Bytes of one object, which is in memory twice while it is checked out."""

_MORE, _LOW = 0x80, 0x7F


@contextmanager
def bounded_objects(most: int) -> Iterator[None]:
    """Refuse objects of more bytes than `most`, or than `LARGEST_OBJECT`, before they are inflated.

    Raises:
        JobError: SourceTooLarge.
    """
    limit = min(most, LARGEST_OBJECT)
    read, apply = pack.read_zlib_chunks, pack.apply_delta

    def read_bounded(
        read_some: Callable[[int], bytes],
        unpacked: pack.UnpackedObject,
        *more: Any,  # noqa: ANN401 - passed on
        **named: Any,  # noqa: ANN401 - passed on
    ) -> bytes:
        _refuse(unpacked.decomp_len or 0, limit)
        return read(read_some, unpacked, *more, **named)

    def apply_bounded(src_buf: bytes | list[bytes], delta: bytes | list[bytes]) -> list[bytes]:
        _refuse(_result_size(delta if isinstance(delta, bytes) else b"".join(delta)), limit)
        return apply(src_buf, delta)

    pack.read_zlib_chunks, pack.apply_delta = read_bounded, apply_bounded
    try:
        yield
    finally:
        pack.read_zlib_chunks, pack.apply_delta = read, apply


def _refuse(size: int, limit: int) -> None:
    if size > limit:
        raise JobError(
            Reason.SOURCE_TOO_LARGE,
            f"The Git repository has an object of {size} bytes; at most {limit} are read.",
            hint="Keep large files outside of the repository, or use an archive as the context.",
        )


def _result_size(delta: bytes) -> int:
    """The size of what a delta makes, the second number in it (gitformat-pack)."""
    position = 0
    for _ in range(2):
        size = shift = 0
        while position < len(delta):
            byte = delta[position]
            position += 1
            size |= (byte & _LOW) << shift
            shift += 7
            if not byte & _MORE:
                break
    return size
