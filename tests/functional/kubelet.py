"""The hand of the kubelet: functional tests have none, and write what it would."""

import json
from collections.abc import Callable
from typing import Any

from kubernetes import client
from support.watching import wait_for_pod

DIGEST = "sha256:" + "ab" * 32
Json = dict[str, Any]


class Kubelet:
    """Writes the status of pods as a kubelet does."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = api
        self._core = client.CoreV1Api(api)
        #: The same for what has no model: bodies as they are.
        self._raw: Any = self._core
        self._namespace = namespace

    def pod(self, reached: Callable[[Json], object] = lambda _: True) -> Json:
        """Wait for the build pod, or one of which something is true."""
        return wait_for_pod(self._api, self._namespace, reached)

    def pod_after(self, *earlier: Json) -> Json:
        """Wait for the pod of the attempt after these."""
        names = {pod["metadata"]["name"] for pod in earlier}
        return self.pod(lambda pod: pod["metadata"]["name"] not in names)

    def remove(self, pod: Json) -> None:
        """Let a pod go at once."""
        self._core.delete_namespaced_pod(pod["metadata"]["name"], self._namespace, grace_period_seconds=0)

    def report(
        self, pod: Json, phase: str, build: Json | None = None, push: Json | None = None, **status: object
    ) -> None:
        """Set the states of `build` and of the pod's own container, which is `push` or `index`."""
        body = {"status": {"phase": phase, **status}}
        own = pod["spec"]["containers"][0]["name"]
        for field, name, state in (("initContainerStatuses", "build", build), ("containerStatuses", own, push)):
            if state:
                entry = {"name": name, "state": state, "ready": False, "restartCount": 0, "image": "i", "imageID": ""}
                body["status"][field] = [entry]
        self._core.patch_namespaced_pod_status(pod["metadata"]["name"], self._namespace, body)

    def bind(self, pod: Json, node: str) -> None:
        """Give a pod its node, as the scheduler does."""
        name = pod["metadata"]["name"]
        target = client.V1ObjectReference(api_version="v1", kind="Node", name=node)
        binding = client.V1Binding(metadata=client.V1ObjectMeta(name=name), target=target)
        self._raw.create_namespaced_binding(self._namespace, binding, _preload_content=False)

    def delete(self, pod: Json) -> None:
        """Ask for a pod to go; one that has a node is given its grace."""
        self._raw.delete_namespaced_pod(pod["metadata"]["name"], self._namespace)

    def write(self, pod: Json, status: Json) -> None:
        """Replace the whole status of a pod."""
        name = pod["metadata"]["name"]
        body = json.loads(self._raw.read_namespaced_pod(name, self._namespace, _preload_content=False).data)
        self._raw.replace_namespaced_pod_status(name, self._namespace, {**body, "status": status})

    def tell(self, pod: Json, **event: object) -> None:
        """Write an Event about a pod."""
        about = {"kind": "Pod", "namespace": self._namespace, "name": pod["metadata"]["name"]}
        metadata = {"generateName": "told-", "namespace": self._namespace}
        body = {"metadata": metadata, "involvedObject": {**about, "uid": pod["metadata"]["uid"]}, **event}
        self._raw.create_namespaced_event(self._namespace, body)

    def pods(self) -> list[str]:
        """The names of all pods of the namespace."""
        return [str(pod.metadata.name) for pod in self._core.list_namespaced_pod(self._namespace).items if pod.metadata]


def waiting(reason: str, message: str) -> Json:
    return {"waiting": {"reason": reason, "message": message}}


def running() -> Json:
    return {"running": {"startedAt": "2026-11-24T08:00:05Z"}}


def terminated(code: int, message: str, reason: str = "Completed") -> Json:
    times = {"startedAt": "2026-11-24T08:00:05Z", "finishedAt": "2026-11-24T08:00:25Z"}
    return {"terminated": {"exitCode": code, "message": message, "reason": reason, **times}}


PUSHED = terminated(
    0, json.dumps({"digest": DIGEST, "images": [{"reference": "registry.example.com/team/app:1", "digest": DIGEST}]})
)
