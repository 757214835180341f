"""Requests about the Lease; they are made by the leader and by the standby."""

from imagebuild_operator.api.body import Document
from imagebuild_operator.client.session import Session
from imagebuild_operator.settings import LeaseSettings


class LeaseClient:
    """Reads and writes the Lease."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, place: LeaseSettings) -> Document:
        """Read the Lease."""
        return await self._session.call_always("GET", f"{_path(place)}/{place.name}")

    async def create(self, place: LeaseSettings, spec: Document) -> Document:
        """Create the Lease; its body."""
        kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
        body = {**kind, "metadata": {"name": place.name, "namespace": place.namespace}, "spec": spec}
        return await self._session.call_always("POST", _path(place), body)

    async def patch(self, place: LeaseSettings, resource_version: str, spec: Document) -> Document:
        """Merge fields into the Lease, if it is still at that version; its new body."""
        body = {"metadata": {"resourceVersion": resource_version}, "spec": spec}
        return await self._session.call_always("PATCH", f"{_path(place)}/{place.name}", body)


def _path(place: LeaseSettings) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{place.namespace}/leases"
