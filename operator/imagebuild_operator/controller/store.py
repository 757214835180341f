"""What the watches have shown: the builds that are not finished, their pods, and the defaults of namespaces.

A cache and no more: everything in it is at the API server too, and a decision that it could mislead is checked
there. Finished builds are not kept, so that they cost nothing, but for the few words on those that have to go.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.parse import parse_build
from imagebuild_operator.decide.retention import Finished, finished, is_leftover
from imagebuild_operator.defaults.namespace import NO_DEFAULTS, NamespaceDefaults, parse_defaults
from imagebuild_operator.observe.pod import PodFacts, observe, owner
from imagebuild_operator.settings import History, KeepPods

#: Namespace and name of an ImageBuild.
Key = tuple[str, str]
#: The name in a key that stands for the finished builds of the namespace.
SWEEP: Final = ""


class Store:
    """Builds by key, and pods by the key of their build and their name: each attempt has one."""

    def __init__(self, keep: KeepPods = KeepPods.FAILED, history: History = History()) -> None:  # noqa: B008 - frozen
        self._keep = keep
        self._history = history
        self._builds: dict[Key, ImageBuild] = {}
        self._pods: dict[Key, dict[str, PodFacts]] = {}
        self._finished: dict[str, dict[str, Finished]] = {}
        #: The uids of what went while a list was read; None while none is.
        self._gone: set[str] | None = None
        self._defaults: dict[str, NamespaceDefaults] = {}
        #: How many builds may run in each namespace whose defaults say it.
        self.max_running: dict[str, int] = {}
        #: Namespaces of whose finished builds too little is remembered, since what has to go has changed.
        self.unlisted: set[str] = set()
        self._has_seen_builds = False

    def put_defaults(self, body: Mapping[str, Any]) -> list[Key]:
        """Take an ImageBuildDefaults' newest body; the keys of what there may be something to do about."""
        after = parse_defaults(body)
        before = self.defaults(after.namespace)
        is_late = before.uid == after.uid and before.version > after.version
        return [] if is_late else self._set_defaults(after.namespace, after)

    def drop_defaults(self, body: Mapping[str, Any]) -> list[Key]:
        """Forget an ImageBuildDefaults that has gone, and no later one; the keys as before."""
        gone = parse_defaults(body)
        if self._gone is not None:
            self._gone.add(gone.uid)
        is_it = self.defaults(gone.namespace).uid == gone.uid
        return self._set_defaults(gone.namespace, NO_DEFAULTS) if is_it else []

    def _set_defaults(self, namespace: str, after: NamespaceDefaults) -> list[Key]:
        before = self.defaults(namespace)
        self._defaults[namespace] = after
        if after is NO_DEFAULTS:
            del self._defaults[namespace]
        self.max_running.pop(namespace, None)
        if after.max_running is not None:
            self.max_running[namespace] = after.max_running
        if before == after:
            return []
        keys = [key for key, build in self._builds.items() if key[0] == namespace and not build.has_begun]
        if self._has_seen_builds and (before.ttl, before.history) != (after.ttl, after.history):
            self.unlist(namespace)
            keys.append((namespace, SWEEP))
        return keys

    def defaults(self, namespace: str) -> NamespaceDefaults:
        """The defaults of a namespace."""
        return self._defaults.get(namespace, NO_DEFAULTS)

    def history(self, namespace: str) -> History:
        """How many finished builds a namespace keeps."""
        return self.defaults(namespace).history.or_else(self._history)

    def put_build(self, body: Mapping[str, Any]) -> list[Key]:
        """Take a build's newest body; the keys of what there may be something to do about."""
        build = parse_build(body)
        key = (build.namespace, build.name)
        self._has_seen_builds = True
        held = self._builds.get(key)
        is_held = held is not None and held.uid == build.uid
        if held and is_held and int(held.resource_version) > int(build.resource_version):
            return []
        keys = self._put_finished(build)
        if held and is_held and held.resource_version == build.resource_version:
            return keys  # our own write, come back by the watch: what it ended may have to go
        if build.is_finished and not self._has_leftovers(key):
            self.forget(key)
            return keys
        self._builds[key] = build
        return [key, *keys]

    def put_ended(self, body: Mapping[str, Any]) -> None:
        """Remember a build if it is finished and may have to go."""
        build = parse_build(body)
        if build.is_finished:
            self._put_finished(build)

    def unlist(self, namespace: str) -> None:
        """Have the finished builds of a namespace listed anew, before one of them goes."""
        self._finished.pop(namespace, None)
        self.unlisted.add(namespace)

    def unlist_retained(self) -> None:
        """The same for all namespaces whose defaults say what has to go."""
        for namespace, defaults in self._defaults.items():
            if defaults.ttl is not None or defaults.history != History():
                self.unlist(namespace)

    def _put_finished(self, build: ImageBuild) -> list[Key]:
        record = finished(build, self.history(build.namespace), self.defaults(build.namespace).ttl)
        if record is None:
            self.drop_finished(build.namespace, build.name)
            return []
        self._finished.setdefault(build.namespace, {})[build.name] = record
        return [(build.namespace, SWEEP)]

    def build_left(self, body: Mapping[str, Any]) -> list[Key]:
        """Take note that a build has gone, or is passed over since it is finished: the watch says the same of both.

        Returns:
            The keys of what there may be something to do about.
        """
        metadata = body["metadata"]
        key, uid = (metadata["namespace"], metadata["name"]), metadata["uid"]
        known = self._finished.get(key[0], {}).get(key[1])
        version = known.version if known and known.uid == uid else 0
        held = self._builds.get(key)
        if held and held.uid == uid and held.is_finished:
            version = int(held.resource_version)
        if version < int(metadata["resourceVersion"]):
            self.drop_build(*key, uid)
        return [key] if key in self._pods else []

    def drop_build(self, namespace: str, name: str, uid: str = "") -> None:
        """Forget a build that has gone; with a uid, that one only, and no later one of its name."""
        if self._gone is not None:
            self._gone.add(uid)
        held = self._builds.get((namespace, name))
        if held and uid in {"", held.uid}:
            del self._builds[namespace, name]
        self.drop_finished(namespace, name, uid)

    def drop_finished(self, namespace: str, name: str, uid: str = "") -> None:
        """Forget that a build will have to go."""
        builds = self._finished.get(namespace, {})
        record = builds.get(name)
        if record and uid in {"", record.uid}:
            del builds[name]
            if not builds:
                del self._finished[namespace]

    def forget(self, key: Key) -> None:
        """Forget a finished build that nothing is left to do about, and its pods."""
        self._builds.pop(key, None)
        self._pods.pop(key, None)

    def put_pod(self, body: Mapping[str, Any]) -> Key | None:
        """Take a pod's newest body; the key of its build, if it has one."""
        name, _ = owner(body)
        if name is None:
            return None
        key = (body["metadata"]["namespace"], name)
        facts = observe(body)
        held = self._pods.get(key, {}).get(facts.name)
        if held and held.uid == facts.uid and held.version > facts.version:
            return None
        # The pod of a finished build, or of one that has not been seen yet and will ask for it.
        if key not in self._builds and facts.is_over and not is_leftover(facts, self._keep):
            self._drop(key, facts.name)
            return None
        self._pods.setdefault(key, {})[facts.name] = facts
        self._tidy(key)
        return key

    def drop_pod(self, body: Mapping[str, Any]) -> Key | None:
        """Forget a pod that has gone; the key of its build, if it has one."""
        name, _ = owner(body)
        if name is None:
            return None
        if self._gone is not None:
            self._gone.add(body["metadata"]["uid"])
        key = (body["metadata"]["namespace"], name)
        held = self._pods.get(key, {}).get(body["metadata"]["name"])
        if held and held.uid == body["metadata"]["uid"]:
            self._drop(key, held.name)
            self._tidy(key)
        return key

    def _tidy(self, key: Key) -> None:
        """Forget a finished build when its last leftover has gone or ended, whoever saw to that."""
        build = self._builds.get(key)
        if build and build.is_finished and not self._has_leftovers(key):
            self.forget(key)

    def _has_leftovers(self, key: Key) -> bool:
        return any(is_leftover(pod, self._keep) for pod in self._pods.get(key, {}).values())

    def _drop(self, key: Key, name: str) -> None:
        pods = self._pods.get(key, {})
        if pods.pop(name, None) and not pods:
            del self._pods[key]

    @contextmanager
    def learning(self) -> Iterator["Learning"]:
        """Take in lists of all that the API server holds; what they do not hold is forgotten when all is well."""
        builds = dict(self._builds)
        pods = [(key, pod) for key, held in self._pods.items() for pod in held.values()]
        defaults = list(self._defaults.values())
        self._gone = set()
        learning = Learning(self, self._gone)
        try:
            yield learning
        finally:
            self._gone = None
        self._has_seen_builds = True
        for key, build in builds.items():
            if build.uid not in learning.seen and self._builds.get(key) is build:
                self.drop_build(*key)
        for held in defaults:
            if held.uid not in learning.seen and self.defaults(held.namespace) is held:
                self._set_defaults(held.namespace, NO_DEFAULTS)
        for key, pod in pods:
            if pod.uid not in learning.seen and self._pods.get(key, {}).get(pod.name) is pod:
                self._drop(key, pod.name)

    def known(self) -> list[Key]:
        """The keys of everything that there may be something to do about."""
        return [
            *{**self._builds, **self._pods},
            *((namespace, SWEEP) for namespace in {*self._finished, *self.unlisted}),
        ]

    def build(self, key: Key) -> ImageBuild | None:
        """The build of a key, unless it has gone or is finished."""
        return self._builds.get(key)

    def unfinished(self) -> Iterator[tuple[ImageBuild, bool]]:
        """Every build that is not finished, and whether it has begun."""
        for build in self._builds.values():
            if not build.is_finished:
                yield build, build.started is not None or bool(self.pods(build))

    def has_pods(self, key: Key) -> bool:
        """Whether there are pods of a build, which itself may be unknown."""
        return key in self._pods

    def pods(self, build: ImageBuild) -> tuple[PodFacts, ...]:
        """The pods of exactly this build, not of an earlier one of the same name."""
        pods = self._pods.get((build.namespace, build.name), {})
        return tuple(pod for pod in pods.values() if pod.owner_uid == build.uid)

    def finished(self, namespace: str) -> tuple[Finished, ...]:
        """The finished builds of a namespace that may have to go."""
        return tuple(self._finished.get(namespace, {}).values())


class Learning:
    """Takes in lists of builds, pods and defaults, which may be older than what the watches show meanwhile."""

    def __init__(self, store: Store, gone: Collection[str]) -> None:
        self._store = store
        self._gone = gone
        #: The uids of all that was listed.
        self.seen: set[str] = set()

    def build(self, body: Mapping[str, Any]) -> None:
        """Take in an ImageBuild."""
        if self._is_there(body):
            self._store.put_build(body)

    def defaults(self, body: Mapping[str, Any]) -> None:
        """Take in an ImageBuildDefaults."""
        if self._is_there(body):
            self._store.put_defaults(body)

    def pod(self, body: Mapping[str, Any]) -> None:
        """Take in a pod."""
        if self._is_there(body):
            self._store.put_pod(body)

    def _is_there(self, body: Mapping[str, Any]) -> bool:
        uid = body["metadata"]["uid"]
        self.seen.add(uid)
        return uid not in self._gone
