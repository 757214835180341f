"""Requests about ImageBuilds."""

from collections.abc import AsyncIterator
from typing import Final

from imagebuild_vocabulary.names import GROUP, PLURAL, VERSION
from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.errors import ClusterError, NotFoundError, RejectedError
from imagebuild_operator.client.session import Session

#: Seconds after which the API server counts as not answering. The kubelet's probe waits for this.
PING_TIMEOUT: Final = 3.0
BAD_REQUEST: Final = 400
#: Selects the builds that are not finished.
UNFINISHED: Final = ",".join(f"status.phase!={phase}" for phase in Phase if phase.is_final)


class BuildClient:
    """Reads and writes ImageBuilds."""

    def __init__(self, session: Session, selector: str) -> None:
        """Make a client.

        Args:
            session: The session with the API server.
            selector: Label selector of this installation's ImageBuilds; empty for all. Any other ImageBuild counts as
                not found.
        """
        self._session = session
        self._selector = selector

    async def can_list(self, namespace: str) -> bool:
        """Whether the API server lists ImageBuilds of a namespace, or of all namespaces if it is empty."""
        query = {"limit": "1"}
        try:
            await self._session.send("GET", _builds_path(namespace), query=query, verb="list", timeout=PING_TIMEOUT)
        except ClusterError:
            return False
        return True

    async def get(self, namespace: str, name: str) -> Document:
        """Read an ImageBuild."""
        if not self._selector:
            return await self._session.call("GET", _build_path(namespace, name))
        # To read one by its name would return another installation's, too.
        query = self._selected(f"metadata.name={name}")
        answer = await self._session.call("GET", _builds_path(namespace), query=query, verb="list")
        for body in answer.get("items") or ():
            return dict(body)
        raise NotFoundError(404, f"no ImageBuild {name} is selected by {self._selector}")

    async def unfinished(self, namespace: str) -> AsyncIterator[Document]:
        """List the ImageBuilds of a namespace, or of all if it is empty, that are not finished.

        An API server before Kubernetes 1.31, or with an older CRD, cannot tell them apart: then it is all.
        """
        path = _builds_path(namespace)
        try:
            async for body in self._session.items(path, self._selected(UNFINISHED)):
                yield body
        except RejectedError as error:
            if error.status != BAD_REQUEST:
                raise
            async for body in self._session.items(path, self._selected("")):
                yield body

    async def patch_status(self, namespace: str, name: str, resource_version: str, status: Document) -> Document:
        """Merge fields into the status of an ImageBuild, if it is still at that version; its new body."""
        body = {"metadata": {"resourceVersion": resource_version}, "status": status}
        return await self._session.call("PATCH", f"{_build_path(namespace, name)}/status", body)

    async def delete(self, namespace: str, name: str, uid: str, resource_version: str = "") -> None:
        """Delete the ImageBuild of that name and uid, and its pods with it; succeeds if it is gone already.

        Raises:
            ConflictError: it has another resourceVersion than the given one.
        """
        preconditions = {"uid": uid, **({"resourceVersion": resource_version} if resource_version else {})}
        if self._selector:
            # It may have become another installation's meanwhile, which then has its own rules on what goes.
            try:
                body = await self.get(namespace, name)
            except NotFoundError:
                return
            preconditions.setdefault("resourceVersion", body["metadata"]["resourceVersion"])
        await self._session.delete(_build_path(namespace, name), preconditions)

    def _selected(self, fields: str) -> dict[str, str]:
        """The query for this installation's ImageBuilds that match a field selector."""
        return {"fieldSelector": fields, **({"labelSelector": self._selector} if self._selector else {})}


def _builds_path(namespace: str) -> str:
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{GROUP}/{VERSION}{inside}/{PLURAL}"


def _build_path(namespace: str, name: str) -> str:
    return f"{_builds_path(namespace)}/{name}"
