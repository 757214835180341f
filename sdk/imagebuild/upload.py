"""Uploads of build contexts to all pods of a build that wait for them."""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from imagebuild_vocabulary.phases import Phase

from imagebuild.archive import Archive
from imagebuild.build import Build
from imagebuild.connection import Connection
from imagebuild.errors import DeletedError, UploadError
from imagebuild.send import Progress, send

#: Reason of a build that waits for its upload.
AWAITING_UPLOAD: Final = "AwaitingUpload"
#: Phases in which the pod does not have its build context yet.
_BEFORE: Final = frozenset({None, Phase.PENDING, Phase.QUEUED, Phase.PREPARING})


async def pack(directory: str | os.PathLike[str], *, dockerfile: str = "Dockerfile", context_dir: str = "") -> Archive:
    """Make the archive of a directory in a thread, which ends if this is cancelled.

    Args:
        directory: The directory.
        dockerfile: Path of the Dockerfile in the context, as in spec.dockerfile.path; empty if it is not there.
        context_dir: Directory in it that is the build context, as in spec.contextDir.

    Raises:
        ArchiveError: the directory cannot be packed.
    """
    stop = threading.Event()
    try:
        return await asyncio.to_thread(
            Archive, directory, dockerfile=dockerfile, context_dir=context_dir, stopped=stop.is_set
        )
    except asyncio.CancelledError:
        stop.set()
        raise


async def upload(
    connection: Connection,
    builds: AsyncGenerator[Build],
    archive: Archive,
    progress: Progress | None,
    *,
    until_end: bool,
) -> Build:
    """Send an archive to each pod of a build that waits for it.

    Args:
        connection: The API server.
        builds: The build, now and after each change.
        archive: What is sent.
        progress: Called with the bytes sent to a pod and the bytes of the archive.
        until_end: Whether to go on until the build has ended.

    Returns:
        The build as it was at the end of the upload.
    """
    uploads = _Uploads(connection, archive, progress)
    following: asyncio.Task[Build | None] = asyncio.create_task(_follow(builds, uploads))
    try:
        while not following.done() and (until_end or not uploads.is_complete):
            uploads.changed.clear()
            waking = asyncio.create_task(uploads.changed.wait())
            await asyncio.wait({following, waking, *uploads.running}, return_when=asyncio.FIRST_COMPLETED)
            waking.cancel()
            uploads.check()
        build = following.result() if following.done() else uploads.build
        if build is None:
            raise DeletedError("The ImageBuild is gone.")
        return build
    finally:
        left = [following, *uploads.running]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _entries(build: Build) -> list[Mapping[str, Any]]:
    """The status of each platform of a build; that of the build itself if it has no platforms."""
    return list(build.status.get("platforms") or [build.status])


def waiting_pods(build: Build) -> list[str]:
    """Names of the pods of a build that wait for an upload."""
    return [
        entry["podName"] for entry in _entries(build) if entry.get("reason") == AWAITING_UPLOAD and entry.get("podName")
    ]


async def _follow(builds: AsyncGenerator[Build], uploads: "_Uploads") -> Build | None:
    """Start the uploads that a build waits for, until it has ended."""
    async for build in builds:
        uploads.start(build)
        if build.is_finished:
            break
    return uploads.build


@dataclass(slots=True)
class _Uploads:
    """The uploads of one archive to the pods of one build."""

    connection: Connection
    archive: Archive
    progress: Progress | None
    build: Build | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: "dict[str, asyncio.Task[bool]]" = field(default_factory=dict)

    def start(self, build: Build) -> None:
        """Start the uploads that a build waits for, and end those that it does not wait for any more.

        The answer of a pod may be lost, for example if the API server restarts; then nobody else says that it has all.
        """
        if "upload" not in (build.spec.get("source") or {}):
            raise UploadError(f"The source of ImageBuild {build.name} is not upload.", "Create a build with it.")
        self.build = build
        waiting = waiting_pods(build)
        for pod, task in self._tasks.items():
            if pod not in waiting:
                task.cancel()
        for pod in waiting:
            if pod not in self._tasks:
                sending = send(self.connection, build.namespace, pod, self.archive, self.progress)
                self._tasks[pod] = asyncio.create_task(sending)
        self.changed.set()

    @property
    def running(self) -> "list[asyncio.Task[bool]]":
        """The uploads that have not ended."""
        return [task for task in self._tasks.values() if not task.done()]

    @property
    def is_complete(self) -> bool:
        """Whether a pod for each platform has the archive, by its own word or because it builds."""
        if self.build is None:
            return False
        expected = len((self.build.spec.get("output") or {}).get("platforms") or ()) or 1
        return sum(map(self._is_served, _entries(self.build))) >= expected

    def _is_served(self, entry: Mapping[str, Any]) -> bool:
        task = self._tasks.get(str(entry.get("podName")))
        has_said_so = task is not None and task.done() and not task.cancelled() and task.result()
        return has_said_so or entry.get("phase") not in _BEFORE

    def check(self) -> None:
        """Raise the error of an upload that has failed."""
        for task in self._tasks.values():
            if task.done() and not task.cancelled():
                task.result()
