"""The stream of a watch: lines of JSON, each an event."""

from collections.abc import AsyncIterator
from typing import Any, Final

from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.client.codec import decode

#: Characters of a line that is no event and is quoted in the message.
MAX_QUOTE: Final = 200


async def complete_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Split a stream into its lines, without empty ones, and without a last one that the end of the stream cut off."""
    rest = bytearray()
    async for chunk in chunks:
        if b"\n" not in chunk:
            rest += chunk
            continue
        first, *others, last = chunk.split(b"\n")
        for line in (bytes(rest) + first, *others):
            if line.strip():
                yield line
        rest = bytearray(last)


def parse_event(line: bytes) -> tuple[str, dict[str, Any]]:
    """Read the type and the object of an event.

    Raises:
        ClusterError: the line is no event.
    """
    try:
        event = decode(line)
        kind, body = event["type"], event["object"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        quote = line[:MAX_QUOTE].decode(errors="replace")
        raise ClusterError(0, f"the watch sent a line that is no event: {quote}") from error
    if not isinstance(kind, str) or not isinstance(body, dict):
        raise ClusterError(0, f"the watch sent an event without type or object: {line[:MAX_QUOTE]!r}")
    return kind, body
