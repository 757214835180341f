"""Following a build: its changes, and the log lines of all its containers, as they come."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from imagebuild_vocabulary.names import BUILD_UID_LABEL

from imagebuild.build import Build
from imagebuild.connection import Connection
from imagebuild.errors import ImageBuildError, InvalidError, NotFoundError
from imagebuild.log_line import LogLine, Position
from imagebuild.log_streams import InOrder, Stream, has_ended, next_streams
from imagebuild.watching import FIRST_DELAY, Delay, watch_pods

#: Items that are read ahead of the reader.
AHEAD: Final = 1000


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a log."""

    stream: Stream
    line: LogLine


@dataclass(frozen=True, slots=True)
class _Ended:
    """The log of a container has been read to its end."""

    stream: Stream


@dataclass(frozen=True, slots=True)
class _Pods:
    """The pods of the build, by uid."""

    pods: dict[str, dict[str, Any]]


_Item = Build | _Line | _Pods | _Ended | ImageBuildError


async def follow(
    connection: Connection, namespace: str, builds: AsyncIterator[Build], *, wait: bool = True
) -> AsyncIterator[Build | LogLine]:
    """Yield the changes of a build and the lines of its logs.

    Args:
        connection: The API server.
        namespace: Namespace of the build.
        builds: The build, now and after each change; its end is the end of the build.
        wait: Whether to wait for containers that have not started and for lines that are not written yet.
    """
    build = await anext(builds)
    yield build
    reader = _Reader(connection, namespace, build, wait=wait)
    try:
        async for item in reader.items(builds):
            yield item
    finally:
        await reader.stop()


@dataclass(slots=True)
class _Reader:
    """Reads everything about one build at the same time into one queue."""

    connection: Connection
    namespace: str
    build: Build
    wait: bool
    _queue: "asyncio.Queue[_Item]" = field(default_factory=lambda: asyncio.Queue(AHEAD))
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    _pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    _order: InOrder = field(default_factory=InOrder)
    _seen: set[Stream] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _may_read_logs: bool = False

    async def items(self, builds: AsyncIterator[Build]) -> AsyncIterator[Build | LogLine]:
        final = self.build if self.build.is_finished or not self.wait else None
        if final is None:
            self._start(self._read_builds(builds))
            self._start(self._read_pods())
        else:
            await self._list_pods()
        while final is None or self._order:
            item = await self._queue.get()
            if isinstance(item, ImageBuildError):
                raise item
            if isinstance(item, _Line | _Ended):
                for line in self._in_order(item):
                    yield line
            elif isinstance(item, _Pods):
                self._pods = item.pods
                self._news.set()
                self._news = asyncio.Event()
            elif item.is_finished:
                # Shown at the end, after the last lines.
                self.build = final = item
                await self._list_pods()
            else:
                self.build = item
                yield item
            self._read_logs()
        if self.wait and final is not None:
            yield final

    def _in_order(self, item: _Line | _Ended) -> list[LogLine]:
        if isinstance(item, _Line):
            return self._order.line(item.stream, item.line)
        return self._order.end(item.stream)

    async def stop(self) -> None:
        """End all reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, reading: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(reading))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, reading: Coroutine[Any, Any, None]) -> None:
        try:
            await reading
        except ImageBuildError as error:
            await self._queue.put(error)

    async def _read_builds(self, builds: AsyncIterator[Build]) -> None:
        async for build in builds:
            await self._queue.put(build)

    @property
    def _query(self) -> dict[str, str]:
        return {"labelSelector": f"{BUILD_UID_LABEL}={self.build.uid}"}

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    async def _read_pods(self) -> None:
        async for pods in watch_pods(self.connection, self._path, self._query):
            await self._queue.put(_Pods(pods))

    async def _list_pods(self) -> None:
        """Read the pods once more: the watch may be behind, and the operator deletes them soon."""
        self._pods = {pod["metadata"]["uid"]: pod async for pod in self.connection.items(self._path, self._query)}
        self._read_logs()

    def _read_logs(self) -> None:
        for stream in next_streams(self.build, self._pods.values(), self._seen):
            self._seen.add(stream)
            self._order.open(stream)
            self._start(self._read_log(stream))

    async def _read_log(self, stream: Stream) -> None:
        """Read the log of one container to its end; a lost connection is made again."""
        position, delay = Position(), Delay(worked=self._may_read_logs)
        path = f"{self._path}/{stream.pod}/log"
        query = {"container": stream.container, "timestamps": "true", "follow": str(self.wait).lower()}
        while True:
            had_ended = not self.wait or self._has_ended(stream)
            since = position.resume()
            try:
                async for raw in self.connection.lines(path, query | ({"sinceTime": since} if since else {})):
                    delay.reset()
                    self._may_read_logs = True
                    if (taken := position.take(raw)) is not None:
                        time, text = taken
                        about = (stream.container, stream.pod, stream.platform, stream.attempt)
                        await self._queue.put(_Line(stream, LogLine(text, time, *about)))
            except NotFoundError:
                break  # the pod is gone
            except InvalidError:
                # The kubelet no longer has it, or has just reported it and does not have it yet.
                if had_ended:
                    break
                await asyncio.sleep(FIRST_DELAY)
            except ImageBuildError as error:
                await delay.after(error)
                continue
            else:
                if had_ended:
                    break
                # A stream also ends when the node or the API server closes it: read on until the container has ended.
                await self._wait_for_news(stream)
        await self._queue.put(_Ended(stream))

    async def _wait_for_news(self, stream: Stream) -> None:
        if not self._has_ended(stream):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), FIRST_DELAY)

    def _has_ended(self, stream: Stream) -> bool:
        pod = self._pods.get(stream.uid)
        return pod is None or has_ended(pod, stream.container)
