"""Requests about ImageBuildDefaults and ClusterImageBuildDefaults."""

from collections.abc import AsyncIterator

from imagebuild_vocabulary.names import (
    CLUSTER_DEFAULTS_PLURAL,
    DEFAULTS_NAME,
    DEFAULTS_PLURAL,
    GROUP,
    VERSION,
)

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.errors import NotFoundError
from imagebuild_operator.client.session import Session


class DefaultsClient:
    """Reads both kinds and writes their status. A cluster without these resources counts as one without defaults."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, namespace: str) -> Document | None:
        """Read the ImageBuildDefaults of a namespace, or the ClusterImageBuildDefaults if it is empty; None if none."""
        try:
            return await self._session.call("GET", _path(namespace))
        except NotFoundError:
            return None

    async def list(self, namespace: str) -> AsyncIterator[Document]:
        """List the ImageBuildDefaults of a namespace, or of all if it is empty."""
        inside = f"/namespaces/{namespace}" if namespace else ""
        try:
            async for body in self._session.items(f"/apis/{GROUP}/{VERSION}{inside}/{DEFAULTS_PLURAL}"):
                yield body
        except NotFoundError:
            return

    async def patch_status(self, namespace: str, resource_version: str, status: Document) -> Document:
        """Merge fields into the status of the object that `get` reads, if it is still at that version; its new body."""
        body = {"metadata": {"resourceVersion": resource_version}, "status": status}
        return await self._session.call("PATCH", f"{_path(namespace)}/status", body)


def _path(namespace: str) -> str:
    if not namespace:
        return f"/apis/{GROUP}/{VERSION}/{CLUSTER_DEFAULTS_PLURAL}/{DEFAULTS_NAME}"
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{DEFAULTS_PLURAL}/{DEFAULTS_NAME}"
