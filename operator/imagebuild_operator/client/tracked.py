"""Requests about TrackedImages and the ImageBuilds that are made for them."""

from typing import Final

from imagebuild_vocabulary.names import GROUP, PLURAL, TRACKED_PLURAL, VERSION

from imagebuild_operator.api.body import Document
from imagebuild_operator.client.session import Session
from imagebuild_operator.observe.flux import GROUP_VERSION as FLUX

#: A field that the API server does not know is refused, and not left out.
STRICT: Final = {"fieldValidation": "Strict"}


class TrackedClient:
    """Reads and writes TrackedImages."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def patch_status(self, namespace: str, name: str, version: int, status: Document) -> Document:
        """Merge fields into the status of a TrackedImage, if it is still at that version; its new body."""
        body = {"metadata": {"resourceVersion": str(version)}, "status": status}
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{TRACKED_PLURAL}/{name}/status"
        return await self._session.call("PATCH", path, body)

    async def flux_sources(self, namespace: str, resource: str) -> list[Document]:
        """List objects of Flux, by the name of their resource.

        Raises:
            NotFoundError: the cluster does not have this kind.
        """
        return [body async for body in self._session.items(f"/apis/{FLUX}/namespaces/{namespace}/{resource}")]

    async def create_build(self, manifest: Document) -> Document:
        """Create an ImageBuild; its body."""
        return await self._session.call("POST", _builds(manifest["metadata"]["namespace"]), manifest, STRICT)


def _builds(namespace: str) -> str:
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"
