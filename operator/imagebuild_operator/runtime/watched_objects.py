"""What kopf's lists and watches receive: objects go to the operator, failures to kopf as expired watches.

kopf lists, watches, resumes and lists again. It would start a task for each object, with a memory, loggers and a queue,
for handlers that do no more than to put a key into the work queue; so the objects are taken out of what it receives. A
watch shows it a bookmark instead of each event, by which it knows where to resume, and a list its version alone.

kopf lists everything again when a watch has expired (410), and ends the process after any other error of a watch, and
after a 410 in the middle of a list. Both pass by themselves: listing again, after a backoff, is right for all of them.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, cast

import aiohttp

from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.client.codec import decode, encode
from imagebuild_operator.client.watch_stream import complete_lines, parse_event
from imagebuild_operator.tasks.backoff import Backoff

_logger: Final = logging.getLogger(__name__)

OK: Final = 200
GONE: Final = 410
#: Statuses that kopf handles: it logs in again, or retries.
HANDLED: Final = frozenset({401, 403, 429})
SERVER_ERROR: Final = 500

EXPIRED: Final = encode({"type": "ERROR", "object": {"kind": "Status", "code": GONE}}) + b"\n"
#: Seconds that a watch has to last for its backoff to start over.
STEADY: Final = 10.0
#: The events that are about an object.
KINDS: Final = frozenset({"ADDED", "MODIFIED", "DELETED"})


class Receiver(Protocol):
    """Receives what a list and the watch that follows it show, in their order; the first list and each later one."""

    def seen(self, plural: str, kind: str, body: Mapping[str, Any]) -> None:
        """Handle an event of a watch, or an object of a list, whose kind is ADDED."""

    def list_begins(self, plural: str, namespace: str) -> None:
        """Handle the beginning of a list of a namespace, or of all if it is empty."""

    def list_ends(self, plural: str, namespace: str, version: int, uids: set[str]) -> None:
        """Handle the end of a list: its resourceVersion, and the uids of all that was in it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched: a resource, in a namespace or, if that is empty, in all."""

    plural: str
    namespace: str


class WatchedObjects:
    """Stands between the API server and kopf."""

    def __init__(self, watched: Mapping[str, Watched], receiver: Receiver, silence: float) -> None:
        """Set it up.

        Args:
            watched: What is watched, by its path.
            receiver: Receives the objects.
            silence: Seconds without a byte after which kopf starts a watch again; no backoff may be as long.
        """
        self._watched = watched
        self._receiver = receiver
        self._longest = silence / 3
        self._backoffs: dict[str, Backoff] = {}
        #: The uids that a list has shown so far, by path.
        self._listed: dict[str, set[str]] = {}

    async def check(self, path: str, response: aiohttp.ClientResponse, *, is_watch: bool) -> None:
        """Take the objects out of an answer; let a failure look like what kopf handles.

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
            if response.status == OK:
                if "continue" not in response.url.query:
                    self._listed[path] = set()
                    self._receiver.list_begins(self._watched[path].plural, self._watched[path].namespace)
                page = partial(self._page, path, response.content)
                response.content = cast("aiohttp.StreamReader", _Page(page, response))
        elif response.status == OK:
            response.content = cast("aiohttp.StreamReader", _Events(self._events(path, response.content), response))
        elif response.status < SERVER_ERROR and response.status not in HANDLED:
            problem = f"{response.status} from the API server: {await response.text()}"
            response.status = OK
            response.content = cast("aiohttp.StreamReader", _Events(self._expired(path, problem), response))

    async def _events(self, path: str, content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
        start = time.monotonic()
        async for line in complete_lines(content.iter_any()):
            try:
                kind, body = parse_event(line)
            except ClusterError as error:
                kind, body, problem = "ERROR", {}, str(error)
            else:
                problem = f"{body.get('code')} from the API server: {body.get('message')}"
            if kind == "ERROR":
                if time.monotonic() - start >= STEADY:
                    self._backoffs.pop(path, None)
                async for expired in self._expired(path, problem):
                    yield expired
                return
            if kind in KINDS:
                self._pass_on(path, kind, body)
            version = (body.get("metadata") or {}).get("resourceVersion")
            metadata = {"resourceVersion": version} if version else {}
            yield encode({"type": "BOOKMARK", "object": {"metadata": metadata}}) + b"\n"

    async def _page(self, path: str, content: aiohttp.StreamReader) -> bytes:
        raw = await content.read()
        try:
            page = decode(raw)
            items, metadata, rest = page["items"] or (), page["metadata"], {**page, "items": []}
            self._listed[path].update(body["metadata"]["uid"] for body in items)
            version = int(metadata["resourceVersion"])
        except (ValueError, KeyError, TypeError):
            return raw  # kopf says what is wrong with it.
        for body in items:
            self._pass_on(path, "ADDED", body)
        if not metadata.get("continue"):
            watched = self._watched[path]
            self._receiver.list_ends(watched.plural, watched.namespace, version, self._listed.pop(path))
        return encode(rest)

    def _pass_on(self, path: str, kind: str, body: Mapping[str, Any]) -> None:
        try:
            self._receiver.seen(self._watched[path].plural, kind, body)
        except Exception:
            # The watch has to go on. The next resync shows the object again.
            _logger.exception("An object that %s shows could not be handled", path)

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


class _Page:
    """The content of a list as kopf reads it; everything else is that of the real content."""

    def __init__(self, page: Callable[[], Awaitable[bytes]], response: aiohttp.ClientResponse) -> None:
        self._page = page
        self._content = response.content

    async def read(self) -> bytes:
        """The list without its items."""
        return await self._page()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the content has
        return getattr(self._content, name)
