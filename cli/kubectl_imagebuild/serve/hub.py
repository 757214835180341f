"""What the page knows of the cluster: all builds, and the logs of those that were opened."""

import asyncio
import contextlib
import secrets
from types import TracebackType
from typing import Any, Final, Self

from imagebuild import AsyncClient, Build, ForbiddenError, ImageBuildError, Interrupted, TrackedImage

from kubectl_imagebuild.serve.change_signal import ChangeSignal
from kubectl_imagebuild.serve.log_buffer import LogBuffer
from kubectl_imagebuild.serve.store import Key, Store

#: Logs that are kept.
MAX_LOGS: Final = 12
#: Seconds between two lists of the TrackedImages, of which there are few.
TRACKED: Final = 5.0
#: Seconds until the next try after an error that another try rarely removes, such as expired credentials.
DELAY: Final = 5.0


class Hub:
    """Watches builds for as long as it is open; an asynchronous context manager.

    Attributes:
        store: The builds.
        tracked: The TrackedImages; none where they cannot be read.
        changes: Counts all changes, also those of logs.
        epoch: Differs for each hub, so that a reader which has met another one begins from the start.
        namespace: The namespace whose builds are watched; empty for all.
        note: What the reader should know of that choice; may be empty.
        error: Why the builds may be out of date; empty if they are not.
        has_listed: Whether the builds have been read at least once.
    """

    def __init__(self, client: AsyncClient, namespace: str) -> None:
        """Do not watch yet.

        Args:
            client: The API server.
            namespace: The namespace to watch; empty for all, or if that is forbidden, that of the context.
        """
        self.store = Store()
        self.tracked: tuple[TrackedImage, ...] = ()
        self.changes = ChangeSignal()
        self.epoch = secrets.token_hex(4)
        self.namespace = namespace
        self.note = ""
        self.error = ""
        self.has_listed = False
        self._client = client
        self._logs: dict[tuple[Key, str], LogBuffer] = {}
        self._tasks: dict[object, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        self._tasks[self] = asyncio.create_task(self._watch())
        self._tasks[TrackedImage] = asyncio.create_task(self._list_tracked())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def state(self) -> dict[str, Any]:
        """The state of the connection, as the page gets it."""
        return {"namespace": self.namespace, "note": self.note, "error": self.error, "listed": self.has_listed}

    def log(self, build: Build) -> LogBuffer:
        """The log of a build, which is read from now on."""
        key = ((build.namespace, build.name), build.uid)
        if key in self._logs:
            # The one that was opened last is the last one to go.
            self._logs[key] = self._logs.pop(key)
            return self._logs[key]
        while len(self._logs) >= MAX_LOGS:
            oldest = self._logs.pop(next(iter(self._logs)))
            self._tasks.pop(oldest).cancel()
        log = self._logs[key] = LogBuffer(build.uid, self.changes.notify)
        reading = log.follow(self._client.for_namespace(build.namespace), build.name)
        self._tasks[log] = asyncio.create_task(reading)
        return log

    async def _watch(self) -> None:
        while True:
            try:
                await self._read()
            except ForbiddenError as error:
                if self.namespace:
                    self._say(f"The builds cannot be read. {error}")
                    await asyncio.sleep(DELAY)
                else:
                    self.namespace = self._client.namespace
                    self.note = f"You may not list the builds of all namespaces; these are those of {self.namespace}."
            except ImageBuildError as error:
                self._say(f"The builds cannot be read. {error}")
                await asyncio.sleep(DELAY)

    async def _list_tracked(self) -> None:
        seen = self.changes.count
        # The namespace is known when the builds are.
        while not self.has_listed:
            seen = await self.changes.wait(seen, TRACKED)
        while True:
            with contextlib.suppress(ImageBuildError):
                found = await self._scoped().list_tracked(all_namespaces=not self.namespace)
                if found != self.tracked:
                    self.tracked = found
                    self.changes.notify()
            await asyncio.sleep(TRACKED)

    def _scoped(self) -> AsyncClient:
        return self._client.for_namespace(self.namespace) if self.namespace else self._client

    async def _read(self) -> None:
        watch = self._scoped().watch_all(all_namespaces=not self.namespace)
        async with contextlib.aclosing(watch):
            async for change in watch:
                if isinstance(change, Interrupted):
                    self._say(change.error.message)
                    continue
                self.store.apply(change)
                self.has_listed = True
                self._say("")

    def _say(self, error: str) -> None:
        self.error = error
        self.changes.notify()
