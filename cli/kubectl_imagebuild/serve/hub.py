"""What the page knows of the cluster, all builds and the logs of those that were opened, and what it does there."""

import asyncio
import contextlib
import secrets
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self

from imagebuild import (
    AsyncClient,
    Build,
    DeletedError,
    ForbiddenError,
    ImageBuildError,
    Interrupted,
    TrackedImage,
    rebuild,
)

from kubectl_imagebuild.serve.change_signal import ChangeSignal
from kubectl_imagebuild.serve.log_buffer import LogBuffer
from kubectl_imagebuild.serve.store import Key, Store

#: Logs that are kept.
MAX_LOGS: Final = 12
#: Seconds between two lists of the TrackedImages, of which there are few.
TRACKED: Final = 5.0
#: Seconds until the next try after an error that another try rarely removes, such as expired credentials.
DELAY: Final = 5.0


class Action(StrEnum):
    """What the page can do with a build, by its name in a request."""

    CANCEL = "cancel"
    RERUN = "rerun"


#: The verb that each needs on ImageBuilds.
RIGHTS: Final = {Action.CANCEL: "patch", Action.RERUN: "create"}


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

    def __init__(self, client: AsyncClient, namespace: str, *, is_read_only: bool) -> None:
        """Do not watch yet.

        Args:
            client: The API server.
            namespace: The namespace to watch; empty for all, or if that is forbidden, that of the context.
            is_read_only: Whether nothing is changed, whatever the user may do.
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
        self._is_read_only = is_read_only
        #: What the user may do in each namespace that was asked for.
        self._rights: dict[str, frozenset[Action]] = {}
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

    def action(self, build: Build) -> Action | None:
        """What the user can do with a build; what the user may do in a new namespace is found out from now on."""
        if self._is_read_only:
            return None
        if build.namespace not in self._rights:
            self._rights[build.namespace] = frozenset()
            self._tasks[build.namespace] = asyncio.create_task(self._ask(build.namespace))
        action = Action.RERUN if build.is_finished else Action.CANCEL
        # A directory that was sent from a machine is only there.
        is_out = "upload" in (build.spec.get("source") or {}) if build.is_finished else build.spec.get("cancel", False)
        return action if action in self._rights[build.namespace] and not is_out else None

    async def act(self, action: Action, namespace: str, name: str, uid: str) -> Build:
        """Cancel a build, or create one like it.

        Args:
            action: What to do.
            namespace: Namespace of the build.
            name: Its name.
            uid: The uid of the build that the user sees.

        Returns:
            The cancelled build, or the new one.

        Raises:
            DeletedError: there is no such build, or not any more.
            ImageBuildError: the API server refuses it.
        """
        if self._is_read_only:
            raise ImageBuildError("kubectl imagebuild serve was started with --read-only.")
        build = self.store.builds.get((namespace, name))
        if build is None or build.uid != uid:
            raise DeletedError(f"ImageBuild {name} is gone.")
        client = self._client.for_namespace(namespace)
        if action is Action.CANCEL:
            return await client.cancel(name, uid)
        return await client.create(rebuild(build), repeated=build)

    async def _ask(self, namespace: str) -> None:
        client = self._client.for_namespace(namespace)
        try:
            found = [action for action, verb in RIGHTS.items() if await client.may(verb)]
        except ImageBuildError:
            await asyncio.sleep(DELAY)
            del self._rights[namespace]
        else:
            self._rights[namespace] = frozenset(found)
        self.changes.notify()

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
