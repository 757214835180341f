"""The TrackedImages, and what their watchers have seen."""

from collections.abc import Container, Iterator, Mapping
from typing import Any

from imagebuild_operator.api.tracked import TrackedImage
from imagebuild_operator.cache.keys import TrackedKey, WatcherKey
from imagebuild_operator.observe.watched import UNSEEN, Seen

TrackedKeys = list[TrackedKey | WatcherKey]


class TrackedImages:
    """TrackedImages by key."""

    def __init__(self) -> None:
        self._images: dict[TrackedKey, TrackedImage] = {}
        self._seen: dict[TrackedKey, Seen] = {}
        #: The sources that Flux brings.
        self._sources: dict[TrackedKey, Seen] = {}

    def put(self, body: Mapping[str, Any]) -> TrackedKeys:
        """Take the newest body of a TrackedImage; the keys of what there may be to do."""
        image = TrackedImage.of(body)
        key = TrackedKey(image.namespace, image.name)
        held = self._images.get(key)
        if held is not None and held.uid == image.uid and held.version >= image.version:
            return []
        if held is not None and (held.uid != image.uid or held.source != image.source):
            # What was seen is of another source.
            self._forget(key)
        self._images[key] = image
        return [key, WatcherKey(image.namespace)]

    def remove(self, body: Mapping[str, Any]) -> TrackedKeys:
        """Forget a TrackedImage that was deleted, and no later one of its name."""
        metadata = body["metadata"]
        return self._drop(TrackedKey(metadata["namespace"], metadata["name"]), metadata["uid"])

    def end_list(self, namespace: str, version: int, uids: Container[str]) -> TrackedKeys:
        """Forget what the list of a namespace, or of all if it is empty, lacks."""
        gone = [
            (key, image.uid)
            for key, image in self._images.items()
            if namespace in {"", key.namespace} and image.version <= version and image.uid not in uids
        ]
        return [key for each in gone for key in self._drop(*each)]

    def _drop(self, key: TrackedKey, uid: str) -> TrackedKeys:
        held = self._images.get(key)
        if held is None or held.uid != uid:
            return []
        del self._images[key]
        self._forget(key)
        return [WatcherKey(key.namespace)]

    def get(self, key: TrackedKey) -> TrackedImage | None:
        """The TrackedImage of a key; None if there is none."""
        return self._images.get(key)

    def of(self, namespace: str) -> list[TrackedImage]:
        """Those of a namespace, by name."""
        return [image for key, image in sorted(self._images.items()) if key.namespace == namespace]

    def all(self) -> tuple[TrackedImage, ...]:
        """All of them."""
        return tuple(self._images.values())

    def keys(self) -> Iterator[TrackedKey | WatcherKey]:
        """Everything there may be something to do about."""
        yield from self._images
        yield from {WatcherKey(key.namespace) for key in self._images}

    def seen(self, key: TrackedKey) -> Seen:
        """What was seen for a TrackedImage."""
        watched = self._seen.get(key, UNSEEN)
        return watched.with_source(self._sources[key]) if key in self._sources else watched

    def see(self, namespace: str, found: Mapping[str, Seen], *, flux: bool = False) -> list[TrackedKey]:
        """Take what a watcher says, or with `flux` what Flux has; the keys of those for which it is news."""
        news, known = [], self._sources if flux else self._seen
        for name, seen in found.items():
            key = TrackedKey(namespace, name)
            if key in self._images:
                if seen.is_news(known.get(key, UNSEEN)):
                    news.append(key)
                known[key] = seen
        return news

    def _forget(self, key: TrackedKey) -> None:
        self._seen.pop(key, None)
        self._sources.pop(key, None)
