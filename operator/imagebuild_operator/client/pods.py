"""Requests about build pods: the pods, their logs and their Events."""

from collections.abc import AsyncIterator
from typing import Final

from imagebuild_operator.api.body import Document
from imagebuild_operator.client.session import Session

#: Lines and bytes of a log that are read at most, and the seconds that it may take: the API server asks the node,
#: which may be away. The shim reports the step at least once in as many lines.
LOG_LINES: Final = 600
LOG_BYTES: Final = 256 * 1024
LOG_TIMEOUT: Final = 5.0
#: Bytes of the log of a watcher, which says all that it knows of some thousand TrackedImages every few minutes.
LOG_BYTES_SINCE: Final = 4 * 1024 * 1024
#: Pods in one page of a list. Each is 10 kB and more, and takes ten times as much memory while the page is read.
PAGE: Final = 100


class PodClient:
    """Reads and writes build pods."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, namespace: str, selector: str) -> AsyncIterator[Document]:
        """List the pods of a namespace, or of all if it is empty, that match a label selector."""
        inside = f"/namespaces/{namespace}" if namespace else ""
        return self._session.items(f"/api/v1{inside}/pods", {"labelSelector": selector}, PAGE)

    async def get(self, namespace: str, name: str) -> Document:
        """Read a pod."""
        return await self._session.call("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")

    async def create(self, manifest: Document) -> Document:
        """Create a pod; its body."""
        return await self._session.call(
            "POST", f"/api/v1/namespaces/{manifest['metadata']['namespace']}/pods", manifest
        )

    async def delete(self, namespace: str, name: str, uid: str) -> Document | None:
        """Delete the pod of that name and uid; its body, or None if it is gone already."""
        return await self._session.delete(f"/api/v1/namespaces/{namespace}/pods/{name}", {"uid": uid})

    async def read_log(self, namespace: str, pod: str, container: str, seconds: float | None = None) -> str:
        """Read the end of the log of a container that runs, each line after the time at which it was written.

        Args:
            namespace: The namespace.
            pod: The pod.
            container: The container.
            seconds: How far to go back; None: some hundred lines.
        """
        most = {"tailLines": str(LOG_LINES)} if seconds is None else {"sinceSeconds": str(max(1, round(seconds)))}
        limit = LOG_BYTES if seconds is None else LOG_BYTES_SINCE
        query = {"container": container, "timestamps": "true", "limitBytes": str(limit), **most}
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        # The node is asked for no more, but might send more.
        text = await self._session.send("GET", path, query=query, timeout=LOG_TIMEOUT, most=2 * limit)
        return text.decode("utf-8", "replace")
