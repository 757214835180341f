"""What the watches have shown: the builds that are not finished, and their pods.

A cache and no more: everything in it is at the API server too, and a decision that it could mislead is checked
there. Finished builds are not kept, so that they cost nothing, but for the few words on those that have to go.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from imagebuild_operator.model import ImageBuild
from imagebuild_operator.observe import PodFacts, observe, owner
from imagebuild_operator.parse import parse_build
from imagebuild_operator.retention import Finished, finished, is_leftover
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

    def put_build(self, body: Mapping[str, Any]) -> list[Key]:
        """Take a build's newest body; the keys of what there may be something to do about."""
        build = parse_build(body)
        key = (build.namespace, build.name)
        held = self._builds.get(key)
        if held and held.uid == build.uid and int(held.resource_version) >= int(build.resource_version):
            return []  # our own write, come back by the watch
        keys = self._put_finished(build)
        if build.is_finished and not any(is_leftover(pod, self._keep) for pod in self._pods.get(key, {}).values()):
            self.forget(key)
            return keys
        self._builds[key] = build
        return [key, *keys]

    def _put_finished(self, build: ImageBuild) -> list[Key]:
        record = finished(build, self._history)
        if record is None:
            self._drop_finished(build.namespace, build.name)
            return []
        self._finished.setdefault(build.namespace, {})[build.name] = record
        return [(build.namespace, SWEEP)]

    def _drop_finished(self, namespace: str, name: str) -> None:
        builds = self._finished.get(namespace, {})
        if builds.pop(name, None) and not builds:
            del self._finished[namespace]

    def drop_build(self, namespace: str, name: str) -> None:
        """Forget a build that has gone."""
        self._builds.pop((namespace, name), None)
        self._drop_finished(namespace, name)

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
        # The pod of a finished build, or of one that has not been seen yet and will ask for it.
        if key not in self._builds and facts.is_over and not is_leftover(facts, self._keep):
            self._drop(key, facts.name)
            return None
        self._pods.setdefault(key, {})[facts.name] = facts
        return key

    def drop_pod(self, body: Mapping[str, Any]) -> Key | None:
        """Forget a pod that has gone; the key of its build, if it has one."""
        name, _ = owner(body)
        if name is None:
            return None
        key = (body["metadata"]["namespace"], name)
        held = self._pods.get(key, {}).get(body["metadata"]["name"])
        if held and held.uid == body["metadata"]["uid"]:
            self._drop(key, held.name)
        return key

    def _drop(self, key: Key, name: str) -> None:
        pods = self._pods.get(key, {})
        if pods.pop(name, None) and not pods:
            del self._pods[key]

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
