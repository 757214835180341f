"""What is kept of finished builds: only the few words that decide when one is deleted."""

from imagebuild_operator.cache.keys import BuildKey
from imagebuild_operator.decide.retention import Finished


class FinishedBuilds:
    """The finished builds that a TTL or a history limit may delete, by namespace and name."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Finished]] = {}
        #: Namespaces whose finished builds have to be listed before one is deleted: the rules have changed.
        self.unlisted: set[str] = set()

    def put(self, record: Finished) -> None:
        """Remember a finished build."""
        self._records.setdefault(record.namespace, {})[record.name] = record

    def drop(self, key: BuildKey, uid: str = "") -> None:
        """Forget a build; with a uid, only that one and no later one of its name."""
        records = self._records.get(key.namespace, {})
        record = records.get(key.name)
        if record and uid in {"", record.uid}:
            del records[key.name]
            if not records:
                del self._records[key.namespace]

    def version(self, key: BuildKey, uid: str) -> int:
        """The resourceVersion of the record of a build; 0 if there is none."""
        record = self._records.get(key.namespace, {}).get(key.name)
        return record.version if record and record.uid == uid else 0

    def of(self, namespace: str) -> tuple[Finished, ...]:
        """The finished builds of a namespace."""
        return tuple(self._records.get(namespace, {}).values())

    def unlist(self, namespace: str) -> None:
        """Have the finished builds of a namespace, or of all if it is empty, listed again before one is deleted."""
        if namespace:
            self._records.pop(namespace, None)
        else:
            self._records.clear()
        self.unlisted.add(namespace)

    def namespaces(self) -> set[str]:
        """The namespaces that may have a build to delete."""
        return {*self._records, *self.unlisted}
