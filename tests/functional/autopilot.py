"""A kubelet that needs no hand: it plays each build pod's part by the name of its ImageBuild."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from functional.kubelet import PUSHED, Kubelet, running, terminated
from kubernetes import client, watch

Json = dict[str, Any]
Steps = Sequence[Json]

WELL: Final[Steps] = (
    {"phase": "Running", "build": running()},
    {"phase": "Running", "build": terminated(0, "{}"), "push": running()},
    {"phase": "Succeeded", "build": terminated(0, "{}"), "push": PUSHED},
)
UNAVAILABLE: Final[Steps] = (
    {"phase": "Running", "build": running()},
    {
        "phase": "Failed",
        "build": terminated(69, '{"reason": "RegistryUnavailable", "message": "It is away."}', "Error"),
    },
)
NEVER_ENDING: Final[Steps] = ({"phase": "Running", "build": running()},)


def steps(pod: Json, earlier: int) -> Steps:
    """What becomes of a pod, by the first word of its build's name."""
    word = pod["metadata"]["ownerReferences"][0]["name"].partition("-")[0]
    match word:
        case "endless":
            return NEVER_ENDING
        case "again":
            return WELL if earlier else UNAVAILABLE
        case _:
            return WELL


@contextmanager
def pods_run(api: client.ApiClient, namespace: str) -> Iterator[None]:
    """Run every pod of a namespace to its end, as long as the block lasts."""
    over = threading.Event()
    thread = threading.Thread(target=_run, args=(api, namespace, over), name="autopilot")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _run(api: client.ApiClient, namespace: str, over: threading.Event) -> None:
    kubelet, core = Kubelet(api, namespace), client.CoreV1Api(api)
    pods: dict[str, int] = {}
    version = "0"
    while not over.is_set():
        stream = watch.Watch().stream(core.list_namespaced_pod, namespace, resource_version=version, timeout_seconds=1)
        for event in stream:
            pod = event["raw_object"]
            version = pod["metadata"]["resourceVersion"]
            if event["type"] != "ADDED":
                continue
            build = pod["metadata"]["ownerReferences"][0]["uid"]
            for step in steps(pod, pods.get(build, 0)):
                try:
                    kubelet.report(pod, **step)
                except client.ApiException as error:
                    if error.status != 404:
                        raise
            pods[build] = pods.get(build, 0) + 1
