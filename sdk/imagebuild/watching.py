"""Watches that survive broken connections."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from imagebuild.build import Build
from imagebuild.connection import Connection, Query
from imagebuild.errors import ApiError, DeletedError, ForbiddenError, ImageBuildError, NotFoundError, UnreachableError

#: Seconds between two tries to reach the API server, at first and at most.
FIRST_DELAY: Final = 0.5
MAX_DELAY: Final = 10.0
#: Tries in a row without any answer, after which an error is raised: about two minutes.
TRIES: Final = 15

_GONE: Final = 410
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429


def is_temporary(error: ImageBuildError) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, ApiError):
        return error.status in {0, _GONE, _TOO_MANY} or error.status >= _SERVER_ERROR
    return isinstance(error, UnreachableError)


class Delay:
    """Waits between tries, longer each time.

    Args:
        worked: Whether the same user was allowed such a request before.
    """

    def __init__(self, *, worked: bool = False) -> None:
        self._tries = 0
        self._worked = worked

    def worked(self) -> None:
        """Note that the request was allowed once: an API server that starts refuses everyone for a moment."""
        self._worked = True

    def reset(self) -> None:
        """Start again: the last try was a success."""
        self._tries = 0
        self._worked = True

    async def after(self, error: ImageBuildError) -> None:
        """Wait after a failure.

        Raises:
            ImageBuildError: the failure, if another try makes no sense.
        """
        self._tries += 1
        is_passing = is_temporary(error) or (self._worked and isinstance(error, ForbiddenError))
        if not is_passing or self._tries > TRIES:
            raise error
        await asyncio.sleep(min(FIRST_DELAY * 2 ** (self._tries - 1), MAX_DELAY))


async def watch_build(connection: Connection, path: str, name: str) -> AsyncIterator[Build]:
    """Yield a build now and after each change, up to its end.

    Args:
        connection: The API server.
        path: Path of the builds of its namespace.
        name: Its name.

    Raises:
        DeletedError: it was deleted or replaced before its end.
    """
    uid, version, delay = "", "", Delay()
    while True:
        try:
            build = Build(await connection.call("GET", f"{path}/{name}"))
            if uid and build.uid != uid:
                raise DeletedError(f"ImageBuild {name} was replaced by another of the same name.")
            uid = build.uid
            delay.worked()
            if _version(build) != version:
                version = _version(build)
                yield build
            if build.is_finished:
                return
            async for changed in _changes(connection, path, build):
                delay.reset()
                version = _version(changed)
                yield changed
                if changed.is_finished:
                    return
            await asyncio.sleep(FIRST_DELAY)
        except NotFoundError as error:
            if uid:
                raise DeletedError(f"ImageBuild {name} was deleted.") from error
            raise
        except ImageBuildError as error:
            await delay.after(error)


async def _changes(connection: Connection, path: str, build: Build) -> AsyncIterator[Build]:
    """Yield a build after each change, for some minutes."""
    query = {"fieldSelector": f"metadata.name={build.name}", "resourceVersion": _version(build)}
    async for kind, document in connection.watch(path, query):
        if kind == "DELETED":
            raise DeletedError(f"ImageBuild {build.name} was deleted.")
        if kind != "BOOKMARK":
            yield Build(document)


def _version(build: Build) -> str:
    return str(build.document["metadata"]["resourceVersion"])


async def watch_pods(connection: Connection, path: str, query: Query) -> AsyncIterator[dict[str, dict[str, Any]]]:
    """Yield the selected pods by uid, now and after each change, forever."""
    delay = Delay()
    while True:
        try:
            page = await connection.call("GET", path, query=query)
            pods = {pod["metadata"]["uid"]: pod for pod in page.get("items") or ()}
            delay.worked()
            yield dict(pods)
            version = page["metadata"]["resourceVersion"]
            async for kind, pod in connection.watch(path, {**query, "resourceVersion": version}):
                delay.reset()
                if kind == "BOOKMARK":
                    continue
                if kind == "DELETED":
                    pods.pop(pod["metadata"]["uid"], None)
                else:
                    pods[pod["metadata"]["uid"]] = pod
                yield dict(pods)
            await asyncio.sleep(FIRST_DELAY)
        except ImageBuildError as error:
            await delay.after(error)
