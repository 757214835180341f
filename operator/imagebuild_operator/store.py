"""What the watches have shown: the builds that are not finished, and their pods.

A cache and no more: everything in it is at the API server too, and a decision that it could mislead is checked
there. Finished builds are not kept, so that they cost nothing.
"""

from collections.abc import Mapping
from typing import Any

from imagebuild_operator.model import ImageBuild
from imagebuild_operator.observe import PodFacts, observe, owner
from imagebuild_operator.parse import parse_build

#: Namespace and name of an ImageBuild.
Key = tuple[str, str]


class Store:
    """Builds by key, and pods by the key of their build and their name: each attempt has one."""

    def __init__(self) -> None:
        self._builds: dict[Key, ImageBuild] = {}
        self._pods: dict[Key, dict[str, PodFacts]] = {}

    def put_build(self, body: Mapping[str, Any]) -> Key | None:
        """Take a build's newest body; the key if there may be something to do about it."""
        build = parse_build(body)
        key = (build.namespace, build.name)
        held = self._builds.get(key)
        if held and held.uid == build.uid and int(held.resource_version) >= int(build.resource_version):
            return None  # our own write, come back by the watch
        if build.is_finished and not any(pod.is_alive for pod in self._pods.get(key, {}).values()):
            self._builds.pop(key, None)
            return None
        self._builds[key] = build
        return key

    def drop_build(self, namespace: str, name: str) -> None:
        """Forget a build that has gone."""
        self._builds.pop((namespace, name), None)

    def put_pod(self, body: Mapping[str, Any]) -> Key | None:
        """Take a pod's newest body; the key of its build, if it has one."""
        name, _ = owner(body)
        if name is None:
            return None
        key = (body["metadata"]["namespace"], name)
        facts = observe(body)
        self._pods.setdefault(key, {})[facts.name] = facts
        return key

    def drop_pod(self, body: Mapping[str, Any]) -> Key | None:
        """Forget a pod that has gone; the key of its build, if it has one."""
        name, _ = owner(body)
        if name is None:
            return None
        key = (body["metadata"]["namespace"], name)
        pods = self._pods.get(key, {})
        held = pods.get(body["metadata"]["name"])
        if held and held.uid == body["metadata"]["uid"]:
            del pods[held.name]
            if not pods:
                del self._pods[key]
        return key

    def build(self, key: Key) -> ImageBuild | None:
        """The build of a key, unless it has gone or is finished."""
        return self._builds.get(key)

    def pods(self, build: ImageBuild) -> tuple[PodFacts, ...]:
        """The pods of exactly this build, not of an earlier one of the same name."""
        pods = self._pods.get((build.namespace, build.name), {})
        return tuple(pod for pod in pods.values() if pod.owner_uid == build.uid)
