"""The informer cache: unfinished builds, a line of each finished one, pods, and the defaults of namespaces.

It is a cache and no more: everything in it is at the API server too, and a decision that it could mislead is checked
there.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from imagebuild_vocabulary.names import CLUSTER_DEFAULTS_PLURAL, PLURAL, PODS, TRACKED_PLURAL

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.parse import parse_build
from imagebuild_operator.cache.defaults import DefaultsCache
from imagebuild_operator.cache.finished import FinishedBuilds
from imagebuild_operator.cache.keys import DefaultsKey, Sweep, TrackedKey, WatcherKey
from imagebuild_operator.cache.list_session import ListSession
from imagebuild_operator.cache.tracked import TrackedImages
from imagebuild_operator.decide.retention import finished, is_leftover
from imagebuild_operator.defaults.namespace import NamespaceDefaults
from imagebuild_operator.defaults.objects import DefaultsObject, parse_defaults
from imagebuild_operator.defaults.status import needs_status
from imagebuild_operator.observe.pod import PodFacts, observe, owner
from imagebuild_operator.settings import History, KeepPods

#: Keys of what a change may have given something to do.
Keys = list[BuildKey | Sweep | DefaultsKey | TrackedKey | WatcherKey]


class Store:
    """Builds by key, and pods by the key of their build and their name: each attempt has one."""

    def __init__(
        self,
        keep: KeepPods = KeepPods.FAILED,
        history: History = History(),  # noqa: B008 - frozen
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._history = history
        self._builds: dict[BuildKey, ImageBuild] = {}
        self._pods: dict[BuildKey, dict[str, PodFacts]] = {}
        self._defaults = DefaultsCache()
        self.finished = FinishedBuilds()
        self.tracked = TrackedImages()
        #: The uids of what was deleted while a list was read; None while none is.
        self._deleted: set[str] | None = None
        self._is_synced = False

    def put_defaults(self, body: Mapping[str, Any]) -> Keys:
        """Take the newest body of an ImageBuildDefaults or ClusterImageBuildDefaults."""
        after = parse_defaults(body)
        before = self._defaults.object(after.namespace)
        is_late = before is not None and before.uid == after.uid and before.version > after.version
        if is_late or not after.has_right_name:
            return []
        keys = self._set_defaults(after.namespace, after)
        return [*keys, DefaultsKey(after.namespace)] if needs_status(after) else keys

    def drop_defaults(self, body: Mapping[str, Any]) -> Keys:
        """Forget an ImageBuildDefaults or ClusterImageBuildDefaults that was deleted, and no later one."""
        deleted = parse_defaults(body)
        self._ban(deleted.uid)
        held = self._defaults.object(deleted.namespace)
        return self._set_defaults(deleted.namespace, None) if held and held.uid == deleted.uid else []

    def _set_defaults(self, namespace: str, after: DefaultsObject | None) -> Keys:
        waiting = [key for key, build in self._builds.items() if not build.has_begun]
        before = {name: self.defaults(name) for name in {namespace, *(key.namespace for key in waiting)}}
        self._defaults.set(namespace, after)
        changed = {name for name, defaults in before.items() if self.defaults(name) != defaults}
        keys: Keys = [key for key in waiting if key.namespace in changed]
        was, now = before[namespace], self.defaults(namespace)
        if (was.ttl, was.history) != (now.ttl, now.history):
            keys += [Sweep(name) for name in self.finished.namespaces() if namespace in {"", name}]
        return keys

    def defaults(self, namespace: str) -> NamespaceDefaults:
        """The defaults in force in a namespace."""
        return self._defaults.get(namespace)

    def defaults_object(self, namespace: str) -> DefaultsObject | None:
        """The ImageBuildDefaults of a namespace; the ClusterImageBuildDefaults if it is empty."""
        return self._defaults.object(namespace)

    @property
    def has_unreadable_defaults(self) -> bool:
        """Whether the API server refused to list the defaults of some namespace, when everything was listed last."""
        return bool(self._defaults.unreadable)

    def is_defaults_unreadable(self, namespace: str) -> bool:
        """Whether it refused to list those of one namespace."""
        return self._defaults.is_unreadable(namespace)

    @property
    def max_running(self) -> Mapping[str, int]:
        """How many builds may run in each namespace whose defaults limit it, and under "" in all others; it changes."""
        return self._defaults.max_running

    def history(self, namespace: str) -> History:
        """How many finished builds a namespace keeps."""
        return self.defaults(namespace).history.or_else(self._history)

    def put_build(self, body: Mapping[str, Any]) -> Keys:
        """Take a build's newest body."""
        build = parse_build(body)
        key = BuildKey.of(build)
        self.tracked.put_build(body)
        if self._version(key, build.uid) > int(build.resource_version):
            return []
        keys = self._put_finished(build)
        held = self._builds.get(key)
        if held and (held.uid, held.resource_version) == (build.uid, build.resource_version):
            return keys  # our own write, come back by the watch: the build it ended may be past its limits
        if build.is_finished and build.is_observed and not self._has_leftovers(key):
            self._forget(key)
            return keys
        self._builds[key] = build.for_cache
        return [key, *keys]

    def _version(self, key: BuildKey, uid: str) -> int:
        """The newest known resourceVersion of a build; 0 if it is unknown."""
        held = self._builds.get(key)
        return max(self.finished.version(key, uid), int(held.resource_version) if held and held.uid == uid else 0)

    def _put_finished(self, build: ImageBuild) -> Keys:
        record = finished(build)
        if record is None:
            self.finished.drop(BuildKey.of(build))
            return []
        self.finished.put(record)
        may_expire = record.may_expire(self.history(build.namespace), self.defaults(build.namespace).ttl)
        return [Sweep(build.namespace)] if may_expire else []

    def remove_build(self, body: Mapping[str, Any]) -> Keys:
        """Take note of a DELETED: the build is deleted, or its labels have made it another installation's."""
        metadata = body["metadata"]
        key, uid = BuildKey(metadata["namespace"], metadata["name"]), metadata["uid"]
        if self._version(key, uid) <= int(metadata["resourceVersion"]):
            self.drop_build(key, uid)
        return [key] if key in self._pods else []

    def drop_build(self, key: BuildKey, uid: str) -> None:
        """Forget a build that was deleted, and no later one of its name."""
        self._ban(uid)
        held = self._builds.get(key)
        if held and held.uid == uid:
            del self._builds[key]
        self.finished.drop(key, uid)
        self.tracked.drop_build(key, uid)

    def put_pod(self, body: Mapping[str, Any]) -> BuildKey | None:
        """Take a pod's newest body; the key of its build, if it has one."""
        name, _ = owner(body)
        if name is None:
            return None
        key = BuildKey(body["metadata"]["namespace"], name)
        facts = observe(body)
        held = self._pods.get(key, {}).get(facts.name)
        if held and held.uid == facts.uid and held.version > facts.version:
            return None
        if facts.deletion is not None:
            facts = replace(facts, deletion=self._deletion(body, held))
        # The pod of a finished build, or of one that has not been seen yet and will ask for it.
        if key not in self._builds and facts.is_over and not is_leftover(facts, self._keep):
            self._drop_pod(key, facts.name)
            return None
        self._pods.setdefault(key, {})[facts.name] = facts
        self.tidy(key)
        return key

    def _deletion(self, body: Mapping[str, Any], held: PodFacts | None) -> datetime:
        """When the deletion of a pod should be complete, by the operator's own clock.

        The pod's own time is the API server's. To an operator whose clock is ahead, it would have passed at once.
        """
        grace = timedelta(seconds=body["metadata"].get("deletionGracePeriodSeconds") or 0)
        due = self._clock() + grace
        if held is None or held.uid != body["metadata"]["uid"] or held.deletion is None:
            return due
        return min(held.deletion, due)

    def update_pod(self, body: Mapping[str, Any]) -> None:
        """Take a pod's newest body if the pod is held, and has not been deleted meanwhile."""
        name, _ = owner(body)
        key = BuildKey(body["metadata"]["namespace"], name or "")
        held = self._pods.get(key, {}).get(body["metadata"]["name"])
        if held and held.uid == body["metadata"]["uid"]:
            self.put_pod(body)

    def remove_pod(self, body: Mapping[str, Any]) -> BuildKey | None:
        """Take note of a pod's DELETED; the key of its build, if it has one."""
        owner_name, _ = owner(body)
        if owner_name is None:
            return None
        metadata = body["metadata"]
        key = BuildKey(metadata["namespace"], owner_name)
        self.drop_pod(key, metadata["name"], metadata["uid"])
        return key

    def drop_pod(self, key: BuildKey, name: str, uid: str) -> None:
        """Forget a pod of a build that was deleted, and no later one of its name."""
        self._ban(uid)
        held = self._pods.get(key, {}).get(name)
        if held and held.uid == uid:
            self._drop_pod(key, name)
            self.tidy(key)

    def tidy(self, key: BuildKey) -> None:
        """Forget a finished build, as the cache holds it now, and its pods if nothing is left to do about them."""
        build = self._builds.get(key)
        if build and build.is_finished and build.is_observed and not self._has_leftovers(key):
            self._forget(key)

    def _forget(self, key: BuildKey) -> None:
        self._builds.pop(key, None)
        self._pods.pop(key, None)

    def _has_leftovers(self, key: BuildKey) -> bool:
        return any(is_leftover(pod, self._keep) for pod in self._pods.get(key, {}).values())

    def _drop_pod(self, key: BuildKey, name: str) -> None:
        pods = self._pods.get(key, {})
        if pods.pop(name, None) and not pods:
            del self._pods[key]

    @contextmanager
    def relist(self) -> Iterator[ListSession]:
        """Take in lists of everything; whatever they lack is forgotten at the end, unless there is an exception."""
        builds = dict(self._builds)
        pods = self._all_pods()
        defaults = self._defaults.objects()
        self._deleted = set()
        relist = ListSession(self, self._deleted)
        try:
            yield relist
        finally:
            self._deleted = None
        self._is_synced = True
        for key, build in builds.items():
            # Finished ones need not be listed; `end_list` forgets them.
            if build.uid not in relist.uids and self._builds.get(key) is build and not build.is_finished:
                self.drop_build(key, build.uid)
        self._defaults.unreadable = frozenset(relist.unreadable)
        for held in defaults:
            is_listed = not self._defaults.is_unreadable(held.namespace)
            is_same = self._defaults.object(held.namespace) is held
            if is_listed and is_same and held.uid not in relist.uids:
                self._set_defaults(held.namespace, None)
        for key, pod in pods:
            if pod.uid not in relist.uids and self._pods.get(key, {}).get(pod.name) is pod:
                self._drop_pod(key, pod.name)

    def begin_list(self, plural: str, namespace: str) -> None:
        """Take note that a watch lists its objects, at first or again after it had expired."""
        if plural == PLURAL:
            self.finished.begin_list(namespace)

    def end_list(self, plural: str, namespace: str, version: int, uids: Container[str]) -> Keys:
        """Forget what such a list lacks: it was deleted before the watch began, which will never show it.

        Args:
            plural: The resource that was listed.
            namespace: The namespace that was listed; empty for all.
            version: The resourceVersion of the list.
            uids: The uids of everything in it.
        """

        def is_gone(place: str, uid: str, seen: int) -> bool:
            return namespace in {"", place} and seen <= version and uid not in uids

        if plural == PLURAL:
            self._ban(*self.finished.end_list(namespace, version, uids))
            gone = {k: b.uid for k, b in self._builds.items() if is_gone(b.namespace, b.uid, int(b.resource_version))}
            for key, uid in [*gone.items(), *self.tracked.lost_builds(is_gone).items()]:
                self.drop_build(key, uid)
            return [*gone, *(Sweep(name) for name in self.finished.namespaces()), *self.tracked.keys()]
        if plural == TRACKED_PLURAL:
            return [*self.tracked.end_list(namespace, version, uids)]
        if plural == PODS:
            lost = [(key, pod) for key, pod in self._all_pods() if is_gone(key.namespace, pod.uid, pod.version)]
            for key, pod in lost:
                self.drop_pod(key, pod.name, pod.uid)
            return [key for key, _ in lost]
        keys: Keys = []
        for held in self._defaults.objects():
            is_listed = (plural == CLUSTER_DEFAULTS_PLURAL) is not bool(held.namespace)
            if is_listed and is_gone(held.namespace, held.uid, held.version):
                self._ban(held.uid)
                keys += self._set_defaults(held.namespace, None)
        return keys

    def _all_pods(self) -> list[tuple[BuildKey, PodFacts]]:
        return [(key, pod) for key, held in self._pods.items() for pod in held.values()]

    def _ban(self, *uids: str) -> None:
        """Have a list of everything that is being read not bring back what was deleted since."""
        if self._deleted is not None:
            self._deleted.update(uids)

    def has_all_builds(self, namespace: str) -> bool:
        """Whether all is known that decides which builds of a namespace are deleted, and which are made."""
        return self._is_synced and self.finished.is_complete(namespace)

    def known_keys(self) -> Keys:
        """The keys of everything that there may be something to do about."""
        sweeps = (Sweep(namespace) for namespace in self.finished.namespaces())
        statuses = (DefaultsKey(held.namespace) for held in self._defaults.objects() if needs_status(held))
        return [*{**self._builds, **self._pods}, *sweeps, *statuses, *self.tracked.keys()]

    def build(self, key: BuildKey) -> ImageBuild | None:
        """The build of a key, unless it is deleted or finished."""
        return self._builds.get(key)

    def unfinished(self) -> Iterator[tuple[ImageBuild, bool]]:
        """Every build that is not finished, and whether it has started."""
        for build in self._builds.values():
            if not build.is_finished:
                yield build, build.started is not None or bool(self.pods(build))

    def has_pods(self, key: BuildKey) -> bool:
        """Whether there are pods of a build, which itself may be unknown."""
        return key in self._pods

    def pods(self, build: ImageBuild) -> tuple[PodFacts, ...]:
        """The pods of exactly this build, not of an earlier one of the same name."""
        pods = self._pods.get(BuildKey.of(build), {})
        return tuple(pod for pod in pods.values() if pod.owner_uid == build.uid)
