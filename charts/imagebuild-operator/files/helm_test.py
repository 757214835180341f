"""The program of `helm test`: runs a build that needs no registry, and ends with 0 if it succeeds.

The operator image runs it, with the rights of the test's own ServiceAccount.
"""

import math
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from kubernetes import client, config, watch

GROUP, VERSION, PLURAL = "imagebuild.dev", "v1alpha1", "imagebuilds"


def main(namespace: str, name: str, labels: list[str], seconds: int) -> int:
    """Create the ImageBuild, wait for its end, delete it."""
    config.load_incluster_config()
    builds = client.CustomObjectsApi()
    made: Any = builds.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, image_build(name, labels))
    name = made["metadata"]["name"]
    print(f"Created ImageBuild {namespace}/{name}.", flush=True)
    try:
        return follow(builds, namespace, name, seconds)
    finally:
        builds.delete_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, name)


def image_build(name: str, labels: list[str]) -> dict[str, Any]:
    """An ImageBuild whose image has one file, and is pushed nowhere."""
    dockerfile = "FROM scratch\nCOPY greeting.txt /\n"
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "ImageBuild",
        "metadata": {"generateName": f"{name}-", "labels": dict(label.split("=", 1) for label in labels)},
        "spec": {
            "source": {"inline": {"files": {"Dockerfile": dockerfile, "greeting.txt": "Hello from helm test\n"}}},
            "output": {"images": ["registry.invalid/helm-test:1"], "push": False},
        },
    }


def follow(builds: client.CustomObjectsApi, namespace: str, name: str, seconds: int) -> int:
    """Print each change of the phase until the build is finished; returns 0 if it has succeeded."""
    shown = ""
    status: dict[str, Any] = {}
    for status in statuses(builds, namespace, name, seconds):
        line = f"{status.get('phase', 'Not seen yet')}: {status.get('message', '')}"
        if line != shown:
            print(line, flush=True)
            shown = line
        if status.get("phase") in {"Succeeded", "Failed", "Cancelled"}:
            return int(status["phase"] != "Succeeded")
    if status:
        print(f"The ImageBuild is not finished after {seconds} s; helmTest.timeoutSeconds sets this time.")
    else:
        print(
            f"No operator has seen the ImageBuild within {seconds} s. Check that it is ready, that it watches "
            f"namespace {namespace} (watchNamespaces), and that helmTest.labels match buildSelector."
        )
    return 1


def statuses(builds: client.CustomObjectsApi, namespace: str, name: str, seconds: int) -> Iterator[dict[str, Any]]:
    """Each status of an ImageBuild until the time is over; the API server may end a watch earlier."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        events = watch.Watch().stream(
            builds.list_namespaced_custom_object,
            GROUP,
            VERSION,
            namespace,
            PLURAL,
            field_selector=f"metadata.name={name}",
            timeout_seconds=math.ceil(left),
        )
        for event in events:
            yield event["object"].get("status", {})


if __name__ == "__main__":
    sys.exit(main(os.environ["NAMESPACE"], os.environ["NAME"], sys.argv[1:], int(os.environ["TIMEOUT_SECONDS"])))
