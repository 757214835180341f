"""What is kept of finished builds: only the few words that decide when one is deleted."""

from collections.abc import Container

from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.decide.retention import Finished


class FinishedBuilds:
    """The finished builds, by namespace and name."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Finished]] = {}
        #: The namespaces all of whose finished builds are known; an empty name stands for all.
        self._complete: set[str] = set()

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

    def namespaces(self) -> tuple[str, ...]:
        """The namespaces that have finished builds."""
        return tuple(self._records)

    def begin_list(self, namespace: str) -> None:
        """Take note that builds are listed again: until the end, some of those that are known may be gone."""
        self._complete.discard(namespace)

    def end_list(self, namespace: str, version: int, uids: Container[str]) -> set[str]:
        """Forget what a list lacks; the uids of that.

        Args:
            namespace: What was listed; empty for all namespaces.
            version: The resourceVersion of the list.
            uids: The uids of all builds that it holds.
        """
        gone = [
            record
            for name in ((namespace,) if namespace else self.namespaces())
            for record in self.of(name)
            if record.version <= version and record.uid not in uids
        ]
        for record in gone:
            self.drop(BuildKey.of(record))
        self._complete.add(namespace)
        return {record.uid for record in gone}

    def is_complete(self, namespace: str) -> bool:
        """Whether all finished builds of a namespace are known."""
        return not self._complete.isdisjoint({"", namespace})
