"""The TrackedImages, a record of each of their builds, and what their watchers have seen."""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any

from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.tracked import TrackedImage
from imagebuild_operator.cache.keys import TrackedKey, WatcherKey
from imagebuild_operator.decide.tracked import Past, used_bases
from imagebuild_operator.observe.watched import UNSEEN, Seen

TrackedKeys = list[TrackedKey | WatcherKey]


class TrackedImages:
    """TrackedImages by namespace and name, and by the images that they make and use: there may be ten thousand."""

    def __init__(self) -> None:
        self._images: dict[str, dict[str, TrackedImage]] = {}
        self._builds: dict[BuildKey, Past] = {}
        #: Those of each TrackedImage, by its uid.
        self._builds_of = defaultdict[str, set[BuildKey]](set)
        self._revisions = Counter[str]()
        self._publishers = defaultdict[str, set[TrackedKey]](set)
        self._users = defaultdict[str, set[TrackedKey]](set)
        self._seen: dict[TrackedKey, Seen] = {}
        #: The sources that Flux brings.
        self._sources: dict[TrackedKey, Seen] = {}

    def put(self, body: Mapping[str, Any]) -> TrackedKeys:
        """Take the newest body of a TrackedImage; the keys of what there may be to do."""
        image = TrackedImage.of(body)
        key = TrackedKey(image.namespace, image.name)
        held = self.get(key)
        if held is not None and held.uid == image.uid and held.version >= image.version:
            return []
        if held is not None and (held.uid != image.uid or held.source != image.source):
            # What was seen is of another source.
            self._forget(key)
        self._replace(key, image)
        if held is not None and _watched(held) == _watched(image):
            return [key]
        self._revisions[key.namespace] += 1
        return [key, WatcherKey(image.namespace)]

    def remove(self, body: Mapping[str, Any]) -> TrackedKeys:
        """Forget a TrackedImage that was deleted, and no later one of its name."""
        metadata = body["metadata"]
        return self._drop(TrackedKey(metadata["namespace"], metadata["name"]), metadata["uid"])

    def end_list(self, namespace: str, version: int, uids: Container[str]) -> TrackedKeys:
        """Forget what the list of a namespace, or of all if it is empty, lacks."""
        gone = [
            (TrackedKey(image.namespace, image.name), image.uid)
            for image in (self.of(namespace) if namespace else self.all())
            if image.version <= version and image.uid not in uids
        ]
        return [key for each in gone for key in self._drop(*each)]

    def _drop(self, key: TrackedKey, uid: str) -> TrackedKeys:
        held = self.get(key)
        if held is None or held.uid != uid:
            return []
        self._replace(key, None)
        self._forget(key)
        self._revisions[key.namespace] += 1
        return [WatcherKey(key.namespace)]

    def _replace(self, key: TrackedKey, image: TrackedImage | None) -> None:
        """Replace a TrackedImage in everything that leads to it; None removes it."""
        images = self._images.setdefault(key.namespace, {})
        held = images.pop(key.name, None)
        for index, names_of in ((self._publishers, _published), (self._users, _used)):
            for name in names_of(held):
                index[name].discard(key)
                if not index[name]:
                    del index[name]
            for name in names_of(image):
                index[name].add(key)
        if image is not None:
            images[key.name] = image
        elif not images:
            del self._images[key.namespace]

    def put_build(self, body: Mapping[str, Any]) -> None:
        """Take the newest body of an ImageBuild; it counts if a TrackedImage owns it, and it is not being deleted."""
        metadata, build = body["metadata"], Past.of(body)
        key = BuildKey(metadata["namespace"], build.name)
        held = self._builds.get(key)
        if held is not None and held.uid == build.uid and held.version >= build.version:
            return
        self.drop_build(key)
        if build.owner and "deletionTimestamp" not in metadata:
            self._builds[key] = build
            self._builds_of[build.owner].add(key)

    def drop_build(self, key: BuildKey, uid: str = "") -> None:
        """Forget a build; with a uid, only that one and no later one of its name."""
        held = self._builds.get(key)
        if held is not None and uid in {"", held.uid}:
            del self._builds[key]
            self._builds_of[held.owner].discard(key)
            if not self._builds_of[held.owner]:
                del self._builds_of[held.owner]

    def lost_builds(self, is_gone: Callable[[str, str, int], bool]) -> dict[BuildKey, str]:
        """The uids of the builds that are gone, as the function says of a namespace, a uid and a resourceVersion."""
        builds = self._builds.items()
        return {key: each.uid for key, each in builds if is_gone(key.namespace, each.uid, each.version)}

    def builds(self, uid: str) -> list[Past]:
        """The builds of the TrackedImage of a uid, in the order of their numbers."""
        return sorted((self._builds[key] for key in self._builds_of.get(uid, ())), key=lambda build: build.number)

    def get(self, key: TrackedKey) -> TrackedImage | None:
        """The TrackedImage of a key; None if there is none."""
        return self._images.get(key.namespace, {}).get(key.name)

    def of(self, namespace: str) -> list[TrackedImage]:
        """Those of a namespace, by name."""
        return [image for _, image in sorted(self._images.get(namespace, {}).items())]

    def all(self) -> Iterator[TrackedImage]:
        """All of them."""
        for images in self._images.values():
            yield from images.values()

    def keys(self) -> Iterator[TrackedKey | WatcherKey]:
        """Everything there may be something to do about."""
        yield from (TrackedKey(image.namespace, image.name) for image in self.all())
        yield from map(WatcherKey, self._images)

    def revision(self, namespace: str) -> int:
        """A number that is another one after each change of what is looked at in a namespace."""
        return self._revisions[namespace]

    def publishers(self, names: Iterable[str], but: TrackedKey) -> Iterator[TrackedImage]:
        """The others whose latest image has one of these names."""
        found = {key for name in names for key in self._publishers.get(name, ())} - {but}
        return filter(None, map(self.get, found))

    def users(self, names: Iterable[str], but: TrackedKey) -> set[TrackedKey]:
        """The keys of the others whose base images have one of these names."""
        return {key for name in names for key in self._users.get(name, ())} - {but}

    def seen(self, key: TrackedKey) -> Seen:
        """What was seen for a TrackedImage."""
        watched = self._seen.get(key, UNSEEN)
        return watched.with_source(self._sources[key]) if key in self._sources else watched

    def see(self, namespace: str, found: Mapping[str, Seen]) -> list[TrackedKey]:
        """Take what a watcher says; the keys of those for which it is news."""
        return self._take(self._seen, namespace, found)

    def see_sources(self, namespace: str, found: Mapping[str, Seen]) -> list[TrackedKey]:
        """Take what Flux has; the keys of those for which it is news."""
        return self._take(self._sources, namespace, found)

    def _take(self, known: dict[TrackedKey, Seen], namespace: str, found: Mapping[str, Seen]) -> list[TrackedKey]:
        news = []
        for name, seen in found.items():
            key = TrackedKey(namespace, name)
            if self.get(key) is not None:
                if seen.is_news(known.get(key, UNSEEN)):
                    news.append(key)
                known[key] = seen
        return news

    def _forget(self, key: TrackedKey) -> None:
        self._seen.pop(key, None)
        self._sources.pop(key, None)


def _watched(image: TrackedImage) -> tuple[object, ...]:
    """What decides about what is looked at, and who owns the pod that looks."""
    return image.uid, image.is_deleting, image.raw, *_used(image)


def _published(image: TrackedImage | None) -> frozenset[str]:
    try:
        return image.published[0] if image else frozenset()
    except InvalidSpecError:
        return frozenset()


def _used(image: TrackedImage | None) -> Iterator[str]:
    return (reference for reference, _ in used_bases(image, None)) if image else iter(())
