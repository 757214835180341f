"""A list of everything that the API server holds, taken into the cache while the watches go on."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imagebuild_operator.cache.store import Store


class ListSession:
    """Takes in lists of builds, pods and defaults, which may be older than what the watches show meanwhile."""

    def __init__(self, store: "Store", deleted: Collection[str]) -> None:
        """Start a list.

        Args:
            store: The cache.
            deleted: The uids of the objects that were deleted since the start; it grows while the list is read.
        """
        self._store = store
        self._deleted = deleted
        #: The uids of all objects that were listed.
        self.uids: set[str] = set()
        #: The namespaces whose ImageBuildDefaults the API server refused to list; an empty name stands for all.
        self.unreadable: set[str] = set()

    def build(self, body: Mapping[str, Any]) -> None:
        """Take in an ImageBuild."""
        if self._exists(body):
            self._store.put_build(body)

    def defaults(self, body: Mapping[str, Any]) -> None:
        """Take in an ImageBuildDefaults."""
        if self._exists(body):
            self._store.put_defaults(body)

    def pod(self, body: Mapping[str, Any]) -> None:
        """Take in a pod."""
        if self._exists(body):
            self._store.put_pod(body)

    def _exists(self, body: Mapping[str, Any]) -> bool:
        uid = body["metadata"]["uid"]
        self.uids.add(uid)
        return uid not in self._deleted
