"""Requests about Kubernetes Events."""

from typing import Final

from imagebuild_operator.api.body import Document
from imagebuild_operator.client.codec import decode
from imagebuild_operator.client.session import Session

#: Events about one pod that are read at most.
MAX_EVENTS: Final = 50
#: Bytes of them; the kubelet's have about 1 KiB each.
MAX_BYTES: Final = 1024 * 1024


class EventClient:
    """Reads Events about pods, and creates those about builds."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_about_pod(self, namespace: str, uid: str) -> list[Document]:
        """List the Events about a pod, in no order."""
        query = {"fieldSelector": f"involvedObject.uid={uid}", "limit": str(MAX_EVENTS)}
        content = await self._session.send("GET", _path(namespace), query=query, verb="list", most=MAX_BYTES)
        # Anyone who can create Events can write some that are longer. They explain nothing then, and cost little.
        return [] if len(content) == MAX_BYTES else list(decode(content).get("items") or ())

    async def create(self, event: Document) -> None:
        """Create an Event."""
        await self._session.call("POST", _path(event["metadata"]["namespace"]), event)


def _path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/events"
