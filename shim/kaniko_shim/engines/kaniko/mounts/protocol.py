"""What a RUN with mounts and the shim say to each other: frames of fields.

A frame is four bytes of length, the most significant first, and fields that NUL bytes separate. The step begins with
its key, its working directory and its environment. The answer is GRANTED and variables to add, or REFUSED and a text.
When its command has ended, the step sends END, and the answer says whether all mounts are gone.

Both programs use this module, and one of them starts in each RUN: it imports nothing.
"""

SOCKET = "/kaniko/.mounts/socket"
"""Where the shim listens."""

BEGIN, END, GRANTED, REFUSED = b"begin", b"end", b"granted", b"refused"

HEAD = 4
"""Bytes of a frame's length."""

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest frame."""

REFUSED_CODE = 125
"""Exit code of a step whose mounts the shim refused."""


def frame(*fields: bytes) -> bytes:
    """The frame of some fields, none of which contains a NUL byte."""
    content = b"\0".join(fields)
    return len(content).to_bytes(HEAD, "big") + content


def length(head: bytes) -> int:
    """The length of a frame's content.

    Raises:
        ValueError: it is too large.
    """
    size = int.from_bytes(head, "big")
    if size > LARGEST:
        raise ValueError(f"a frame has {size} bytes")
    return size


def fields(content: bytes) -> list[bytes]:
    """The fields of a frame's content."""
    return content.split(b"\0")
