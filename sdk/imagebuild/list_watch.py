"""All builds of a namespace or of the cluster, and each change of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from imagebuild.build import Build
from imagebuild.connection import PAGE, Connection, Query
from imagebuild.errors import ApiError, ForbiddenError, ImageBuildError, UnreachableError
from imagebuild.watching import FIRST_DELAY, MAX_DELAY, TRIES, is_temporary

#: Seconds for which one watch lasts: a connection that has died silently is noticed a little later.
WATCH: Final = 60
#: Seconds that it may last longer.
GRACE: Final = 15
_GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Listed:
    """All builds there are: at first, and again after each interruption."""

    builds: tuple[Build, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """A build that was created, or has changed."""

    build: Build


@dataclass(frozen=True, slots=True)
class Removed:
    """A build that was deleted, as it was last."""

    build: Build


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The API server does not answer; the next item is `Listed`, once it does, or another `Interrupted`."""

    error: ImageBuildError


Change = Listed | Changed | Removed | Interrupted


async def watch_builds(connection: Connection, path: str, selector: str = "") -> AsyncIterator[Change]:
    """Yield all builds, and then each change, forever.

    Args:
        connection: The API server.
        path: Path of the builds.
        selector: Label selector; empty for all.

    Raises:
        ImageBuildError: an error that another try does not remove, such as a missing permission.
    """
    query = {"labelSelector": selector} if selector else {}
    failures, has_listed = 0, False
    while True:
        try:
            builds, version = await _list(connection, path, query)
            failures, has_listed = 0, True
            yield Listed(builds)
            while True:
                watching = {**query, "resourceVersion": version, "timeoutSeconds": str(WATCH)}
                async for kind, document in _events(connection, path, watching):
                    version = document["metadata"]["resourceVersion"]
                    if kind != "BOOKMARK":
                        yield Removed(Build(document)) if kind == "DELETED" else Changed(Build(document))
                await asyncio.sleep(FIRST_DELAY)
        except ImageBuildError as error:
            # An API server that starts refuses everyone for a moment.
            is_refused_late = has_listed and isinstance(error, ForbiddenError) and failures < TRIES
            if not (is_temporary(error) or is_refused_late):
                raise
            if not (isinstance(error, ApiError) and error.status == _GONE):
                yield Interrupted(error)
            await asyncio.sleep(min(FIRST_DELAY * 2**failures, MAX_DELAY))
            failures += 1


async def _events(connection: Connection, path: str, query: Query) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Watch for one time; a connection that has died silently is an error."""
    events = connection.watch(path, query)
    try:
        while (event := await asyncio.wait_for(anext(events, None), WATCH + GRACE)) is not None:
            yield event
    except TimeoutError as error:
        raise UnreachableError("The API server does not answer: the connection is dead.") from error


async def _list(connection: Connection, path: str, query: dict[str, str]) -> tuple[tuple[Build, ...], str]:
    """All builds, and the version of the collection from which a watch continues."""
    builds: list[Build] = []
    token = ""
    while True:
        page: dict[str, Any] = await connection.call(
            "GET", path, query={**query, "limit": str(PAGE), "continue": token}
        )
        builds += map(Build, page.get("items") or ())
        token = page["metadata"].get("continue") or ""
        if not token:
            return tuple(builds), str(page["metadata"]["resourceVersion"])
