"""What the page is told, as server-sent events: now, and whenever something changes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from kubectl_imagebuild.serve.detail import detail
from kubectl_imagebuild.serve.hub import Action, Hub
from kubectl_imagebuild.serve.rows import row, tracked_row

if TYPE_CHECKING:
    from imagebuild import TrackedImage

    from kubectl_imagebuild.serve.log_buffer import LogBuffer

#: Seconds between two messages at least, so that many changes are one message.
INTERVAL: Final = 0.1
#: Seconds after which an empty message shows that the connection is alive.
BEAT: Final = 15.0
#: Lines of a log in one message.
LINES: Final = 1000


def event(kind: str, data: object, number: str = "") -> str:
    """One event. JSON has no line ends, so it is one line."""
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data, separators=(',', ':'), ensure_ascii=False)}\n\n"


async def list_events(hub: Hub, last: str, *, once: bool = False) -> AsyncIterator[str]:
    """All builds and TrackedImages as rows, and then each change.

    Args:
        hub: The builds.
        last: The id of the last event that the reader has; empty for none.
        once: Whether to end with what there is now.
    """
    epoch, _, count = last.partition("-")
    number = int(count) if epoch == hub.epoch and count.isdecimal() else 0
    state: dict[str, Any] | None = None
    tracked: tuple[TrackedImage, ...] = ()
    async for _ in _rounds(hub, once=once):
        text = ""
        if state != (state := hub.state()):
            text += event("state", {**state, "now": _now()})
        if tracked is not (tracked := hub.tracked):
            text += event("tracked", [tracked_row(image) for image in tracked])
        if hub.has_listed and (delta := hub.store.since(number)):
            number = delta.number
            rows = [row(build) for build in delta.changed]
            news = {"whole": delta.whole, "changed": rows, "gone": delta.gone}
            text += event("builds", news, f"{hub.epoch}-{number}")
        yield text


async def build_events(hub: Hub, namespace: str, name: str, last: str, *, once: bool = False) -> AsyncIterator[str]:
    """One build with its log, and then each change.

    Args:
        hub: The builds.
        namespace: Namespace of the build.
        name: Its name.
        last: The id of the last event that the reader has; empty for none.
        once: Whether to end with what there is now.
    """
    reader = _BuildReader(hub, last)
    state: dict[str, Any] | None = None
    async for _ in _rounds(hub, once=once):
        text = ""
        if state != (state := hub.state()):
            text += event("state", {**state, "now": _now()})
        if hub.has_listed:
            text += reader.tell(namespace, name)
        yield text
        while more := reader.lines():
            yield more
            await asyncio.sleep(0)


class _BuildReader:
    """Remembers what a reader of one build has been told."""

    def __init__(self, hub: Hub, last: str) -> None:
        self._hub = hub
        epoch, _, rest = last.partition("-")
        self._uid, _, count = rest.rpartition("-") if epoch == hub.epoch else ("", "", "0")
        self._line = int(count) if count.isdecimal() else 0
        self._told: object = None
        self._action: Action | None = None
        self._log: LogBuffer | None = None
        self._changes = 0

    def tell(self, namespace: str, name: str) -> str:
        """The build, if it has changed, and the steps."""
        build = self._hub.store.builds.get((namespace, name))
        if build is None:
            if self._told == "gone":
                return ""
            self._told = "gone"
            is_known = self._log is not None or bool(self._uid)
            return event("gone", {"deleted": is_known, "outside": self._is_outside(namespace)})
        text = ""
        action = self._hub.action(build)
        if self._told is not build or self._action is not action:
            self._told, self._action = build, action
            text += event("build", {**detail(build), "action": action, "now": _now()})
        self._log = self._hub.log(build)
        if self._uid != build.uid:
            self._uid, self._line, self._changes = build.uid, 0, 0
            text += event("restart", {})
        if self._log.changes != self._changes:
            self._changes = self._log.changes
            text += event("log", self._log.state())
        return text

    def lines(self) -> str:
        """The next lines of the log; empty if there are none."""
        log = self._log
        if log is None or self._told == "gone" or self._line >= log.end:
            return ""
        start = max(self._line, log.first)
        found = log.page(start, LINES)
        self._line = start + len(found)
        number = f"{self._hub.epoch}-{self._uid}-{self._line}"
        return event("lines", {"start": start, "lines": found, "streams": log.streams}, number)

    def _is_outside(self, namespace: str) -> bool:
        return bool(self._hub.namespace) and namespace != self._hub.namespace


async def _rounds(hub: Hub, *, once: bool) -> AsyncIterator[None]:
    """One at once, then one after each change; for one round only, wait until the builds have been read."""
    seen = hub.changes.count
    if once and not hub.has_listed and not hub.error:
        seen = await hub.changes.wait(seen, BEAT)
    yield
    while not once:
        await asyncio.sleep(INTERVAL)
        seen = await hub.changes.wait(seen, BEAT)
        yield


def _now() -> int:
    return round(time.time() * 1000)
