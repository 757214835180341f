"""Requests about ImageBuildDefaults."""

from collections.abc import AsyncIterator

from imagebuild_operator.api.errors import NotFoundError
from imagebuild_operator.api.names import DEFAULTS_PLURAL, GROUP, VERSION
from imagebuild_operator.client.session import Json, Session


class DefaultsClient:
    """Reads ImageBuildDefaults. A cluster without that resource counts as one that has none."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, namespace: str) -> Json | None:
        """Read the ImageBuildDefaults of a namespace; None if it has none."""
        try:
            return await self._session.call("GET", f"{_path(namespace)}/default")
        except NotFoundError:
            return None

    async def list(self, namespace: str) -> AsyncIterator[Json]:
        """List the ImageBuildDefaults of a namespace, or of all if it is empty."""
        try:
            async for body in self._session.items(_path(namespace)):
                yield body
        except NotFoundError:
            return


def _path(namespace: str) -> str:
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{GROUP}/{VERSION}{inside}/{DEFAULTS_PLURAL}"
