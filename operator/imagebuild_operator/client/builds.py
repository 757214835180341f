"""Requests about ImageBuilds."""

import re
from collections.abc import AsyncIterator
from typing import Final

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.errors import ClusterError, NotFoundError, RejectedError
from imagebuild_operator.api.names import GROUP, PLURAL, VERSION
from imagebuild_operator.client.session import Session

#: Seconds after which the API server counts as not answering. The kubelet's probe waits for this.
PING_TIMEOUT: Final = 3.0
BAD_REQUEST: Final = 400
#: The first version of Kubernetes that selects custom resources by the fields that a CRD names.
SELECTABLE: Final = (1, 31)


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

    async def supports_selector(self, namespace: str, fields: str) -> bool:
        """Whether ImageBuilds can be selected by these fields; not before Kubernetes 1.31, nor with an older CRD.

        Where the list is denied, or there is no CRD yet, the version of the API server tells, since the answer holds
        until the next start.
        """
        query = {"fieldSelector": fields, "limit": "1"}
        try:
            await self._session.call("GET", _builds_path(namespace), query=query, verb="list")
        except RejectedError as error:
            if error.status == BAD_REQUEST:
                return False
        except NotFoundError:
            pass
        else:
            return True
        version = await self._session.call("GET", "/version")
        digits = (re.sub(r"\D.*", "", str(version.get(part) or "")) or "0" for part in ("major", "minor"))
        return tuple(map(int, digits)) >= SELECTABLE

    def list(self, namespace: str, fields: str = "") -> AsyncIterator[Document]:
        """List the ImageBuilds of a namespace, or of all if it is empty, that match a field selector."""
        return self._session.items(_builds_path(namespace), self._selected(fields))

    def pages(self, namespace: str, fields: str) -> AsyncIterator[Document]:
        """List the same page by page."""
        return self._session.pages(_builds_path(namespace), self._selected(fields))

    def watch(self, namespace: str, fields: str, since: str, silence: float) -> AsyncIterator[tuple[str, Document]]:
        """Watch the ImageBuilds that match a field selector for some minutes.

        Args:
            namespace: Their namespace; empty for all.
            fields: The field selector.
            since: The resourceVersion from which to watch.
            silence: Seconds without a byte, bookmarks included, after which the watch counts as lost.
        """
        query = {**self._selected(fields), "resourceVersion": since}
        return self._session.watch(_builds_path(namespace), query, silence)

    async def patch_status(self, namespace: str, name: str, resource_version: str, status: Document) -> Document:
        """Merge fields into the status of an ImageBuild, if it is still at that version; its new body."""
        body = {"metadata": {"resourceVersion": resource_version}, "status": status}
        return await self._session.call("PATCH", f"{_build_path(namespace, name)}/status", body)

    async def delete(self, namespace: str, name: str, uid: str) -> None:
        """Delete the ImageBuild of that name and uid, and its pods with it; succeeds if it is gone already."""
        preconditions = {"uid": uid}
        if self._selector:
            # It may have become another installation's meanwhile, which then has its own rules on what goes.
            try:
                body = await self.get(namespace, name)
            except NotFoundError:
                return
            preconditions["resourceVersion"] = body["metadata"]["resourceVersion"]
        await self._session.delete(_build_path(namespace, name), preconditions)

    def _selected(self, fields: str) -> dict[str, str]:
        """The query for this installation's ImageBuilds that match a field selector."""
        return {"fieldSelector": fields, **({"labelSelector": self._selector} if self._selector else {})}


def _builds_path(namespace: str) -> str:
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{GROUP}/{VERSION}{inside}/{PLURAL}"


def _build_path(namespace: str, name: str) -> str:
    return f"{_builds_path(namespace)}/{name}"
