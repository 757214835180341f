"""Waiting for what the API server shows, by watching it."""

from collections.abc import Callable, Mapping
from typing import Any

from kubernetes import client, watch

GROUP, VERSION, PLURAL = "imagebuild.dev", "v1alpha1", "imagebuilds"
Json = dict[str, Any]


def wait_for_build(
    api: client.ApiClient,
    namespace: str,
    name: str,
    reached: Callable[[Json], object],
    timeout: float = 30,
) -> Json:
    """Watch one ImageBuild until it has reached a state; its body then.

    Raises:
        AssertionError: it has not within `timeout` seconds; the message holds its last status.
    """
    last: Json = {}
    stream = watch.Watch().stream(
        client.CustomObjectsApi(api).list_namespaced_custom_object,
        GROUP,
        VERSION,
        namespace,
        PLURAL,
        field_selector=f"metadata.name={name}",
        timeout_seconds=max(1, round(timeout)),
    )
    for event in stream:
        last = event["object"]
        if event["type"] != "DELETED" and reached(last):
            return last
    raise AssertionError(f"{namespace}/{name} has not got there within {timeout} s: {last.get('status')}")


def wait_for_finish(api: client.ApiClient, namespace: str, name: str, timeout: float = 120) -> Json:
    """Watch one ImageBuild until it is finished; its status then."""
    body = wait_for_build(
        api, namespace, name, lambda build: phase(build) in {"Succeeded", "Failed", "Cancelled"}, timeout
    )
    status: Json = body["status"]
    return status


def wait_for_deletion(api: client.ApiClient, namespace: str, name: str, timeout: float = 30) -> None:
    """Watch one ImageBuild until it is gone.

    Raises:
        AssertionError: it is there after `timeout` seconds.
    """
    custom = client.CustomObjectsApi(api)
    selector = f"metadata.name={name}"
    listed: Any = custom.list_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, field_selector=selector)
    if not listed["items"]:
        return
    for event in watch.Watch().stream(
        custom.list_namespaced_custom_object,
        GROUP,
        VERSION,
        namespace,
        PLURAL,
        field_selector=selector,
        resource_version=listed["metadata"]["resourceVersion"],
        timeout_seconds=max(1, round(timeout)),
    ):
        if event["type"] == "DELETED":
            return
    raise AssertionError(f"{namespace}/{name} is still there after {timeout} s")


def wait_for_definitions(api: client.ApiClient, timeout: float = 30) -> None:
    """Watch our CustomResourceDefinitions until the API server serves them.

    `kubectl wait` is no help: while a new definition has no conditions yet, it ends with an error.

    Raises:
        AssertionError: it does not within `timeout` seconds.
    """
    for plural in (PLURAL, "imagebuilddefaults", "clusterimagebuilddefaults"):
        stream = watch.Watch().stream(
            client.CustomObjectsApi(api).list_cluster_custom_object,
            "apiextensions.k8s.io",
            "v1",
            "customresourcedefinitions",
            field_selector=f"metadata.name={plural}.{GROUP}",
            timeout_seconds=max(1, round(timeout)),
        )
        is_served = (condition(event["object"], "Established").get("status") == "True" for event in stream)
        assert any(is_served), f"{plural}.{GROUP} is not established after {timeout} s"


def wait_for_pod(
    api: client.ApiClient,
    namespace: str,
    reached: Callable[[Json], object] = lambda _: True,
    selector: str = "",
    timeout: float = 30,
) -> Json:
    """Watch the pods of a namespace until one has reached a state; its body, as the API server writes it.

    Raises:
        AssertionError: none has within `timeout` seconds.
    """
    last: Json = {}
    stream = watch.Watch().stream(
        client.CoreV1Api(api).list_namespaced_pod,
        namespace,
        label_selector=selector,
        timeout_seconds=max(1, round(timeout)),
    )
    for event in stream:
        last = event["raw_object"]
        if event["type"] != "DELETED" and reached(last):
            return last
    raise AssertionError(f"no pod of {namespace} has got there within {timeout} s: {last.get('status')}")


def wait_for_no_pods(api: client.ApiClient, namespace: str, timeout: float = 30) -> None:
    """Watch the pods of a namespace until none is left.

    Raises:
        AssertionError: one is, after `timeout` seconds.
    """
    core = client.CoreV1Api(api)
    listed = core.list_namespaced_pod(namespace)
    left = {pod.metadata.name for pod in listed.items if pod.metadata}
    assert listed.metadata
    stream = watch.Watch().stream(
        core.list_namespaced_pod,
        namespace,
        resource_version=listed.metadata.resource_version,
        timeout_seconds=max(1, round(timeout)),
    )
    while left:
        event = next(stream, None)
        assert event, f"pods of {namespace} are still there: {left}"
        name = event["raw_object"]["metadata"]["name"]
        left = left - {name} if event["type"] == "DELETED" else left | {name}


def watch_builds(
    api: client.ApiClient, namespace: str, since: str, reached: Callable[[Json], object], timeout: float = 30
) -> list[Json]:
    """Every version of the ImageBuilds of a namespace from a resourceVersion on, up to one that has got there."""
    stream = watch.Watch().stream(
        client.CustomObjectsApi(api).list_namespaced_custom_object,
        GROUP,
        VERSION,
        namespace,
        PLURAL,
        resource_version=since,
        timeout_seconds=max(1, round(timeout)),
    )
    versions: list[Json] = []
    for event in stream:
        versions.append(event["object"])
        if reached(event["object"]):
            return versions
    raise AssertionError(f"no build of {namespace} has got there within {timeout} s: {versions}")


def phase(build: Mapping[str, Any]) -> str | None:
    """The phase of an ImageBuild's body, or None before the first status."""
    return (build.get("status") or {}).get("phase")


def condition(build: Mapping[str, Any], kind: str) -> Json:
    """A condition of an ImageBuild's body; empty where there is none of that type."""
    conditions = (build.get("status") or {}).get("conditions") or ()
    return next((dict(c) for c in conditions if c["type"] == kind), {})
