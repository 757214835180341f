"""Failures of kopf's watches, passed on as expired watches.

kopf lists everything again when a watch has expired (410), and ends the process after any other error of a watch, and
after a 410 in the middle of a list. Both pass by themselves: listing again, after a backoff, is right for all of them.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any, Final, cast

import aiohttp

from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.client.watch_stream import complete_lines, parse_event
from imagebuild_operator.tasks.backoff import Backoff

_logger: Final = logging.getLogger(__name__)

OK: Final = 200
GONE: Final = 410
#: Statuses that kopf handles: it logs in again, or retries.
HANDLED: Final = frozenset({401, 403, 429})
SERVER_ERROR: Final = 500

#: How the API server begins a line, so that not every line has to be parsed twice.
_KINDS: Final = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK")
EVENTS: Final = tuple(f'{{"type":"{kind}","object":{{'.encode() for kind in _KINDS)
EXPIRED: Final = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": GONE}}).encode() + b"\n"
#: Seconds that a watch has to last for its backoff to start over.
STEADY: Final = 10.0


class WatchErrors:
    """Stands between the API server and kopf."""

    def __init__(self, silence: float) -> None:
        """Set it up.

        Args:
            silence: Seconds without a byte after which kopf starts a watch again; no backoff may be as long.
        """
        self._longest = silence / 3
        self._backoffs: dict[str, Backoff] = {}

    async def check(self, path: str, response: aiohttp.ClientResponse, *, is_watch: bool) -> None:
        """Let a failure look like what kopf handles.

        Args:
            path: What is listed or watched.
            response: The answer to a list or a watch; its content may be replaced.
            is_watch: Whether it is a watch.

        Raises:
            ClientPayloadError: the list has expired; kopf lists again.
        """
        if not is_watch:
            if response.status == GONE:
                response.close()
                await self._pause(path, "410 in the middle of a list")
                raise aiohttp.ClientPayloadError("the list has expired")
        elif response.status == OK:
            response.content = cast("aiohttp.StreamReader", _Events(self._events(path, response.content), response))
        elif response.status < SERVER_ERROR and response.status not in HANDLED:
            problem = f"{response.status} from the API server: {await response.text()}"
            response.status = OK
            response.content = cast("aiohttp.StreamReader", _Events(self._expired(path, problem), response))

    async def _events(self, path: str, content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
        start = time.monotonic()
        async for line in complete_lines(content.iter_any()):
            if not (line.startswith(EVENTS) and line.endswith(b"}")):
                try:
                    kind, body = parse_event(line)
                except ClusterError as error:
                    kind, problem = "ERROR", str(error)
                else:
                    problem = f"{body.get('code')} from the API server: {body.get('message')}"
                if kind == "ERROR":
                    if time.monotonic() - start >= STEADY:
                        self._backoffs.pop(path, None)
                    async for expired in self._expired(path, problem):
                        yield expired
                    return
            yield line + b"\n"

    async def _expired(self, path: str, problem: str) -> AsyncIterator[bytes]:
        await self._pause(path, problem)
        yield EXPIRED

    async def _pause(self, path: str, problem: str) -> None:
        delay = self._backoffs.setdefault(path, Backoff(self._longest)).next()
        _logger.warning("Watching %s failed: %s; listing again in %.1f s", path, problem, delay)
        await asyncio.sleep(delay)


class _Events:
    """The content of a response as kopf reads it; everything else is that of the real content."""

    def __init__(self, events: AsyncIterator[bytes], response: aiohttp.ClientResponse) -> None:
        self._events = events
        self._content = response.content

    def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        """The events, each a whole line."""
        return self._events

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the content has
        return getattr(self._content, name)
