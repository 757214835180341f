"""Waiting for what the API server shows, by watching it."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import urllib3
from kubernetes import client, watch
from support.waiting import until

GROUP, VERSION, PLURAL = "imagebuild.dev", "v1alpha1", "imagebuilds"
Json = dict[str, Any]


def states(call: Callable[..., object], *arguments: str, timeout: float, **selectors: str) -> Iterator[Json]:
    """Watch events of a list call for `timeout` seconds, which begin with what there is.

    The server may end a watch at any time (one that it cannot serve from its cache, or whose reader is slow): then it
    begins again, so one state may come twice, and one that lasted for a moment not at all.
    """
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        try:
            yield from watch.Watch().stream(call, *arguments, timeout_seconds=max(1, round(left)), **selectors)
        except (client.ApiException, urllib3.exceptions.HTTPError):
            time.sleep(0.1)


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
    builds = client.CustomObjectsApi(api).list_namespaced_custom_object
    for event in states(
        builds, GROUP, VERSION, namespace, PLURAL, field_selector=f"metadata.name={name}", timeout=timeout
    ):
        last = event["object"]
        if event["type"] != "DELETED" and reached(last):
            return last
    core: Any = client.CoreV1Api(api)
    nodes = {node.metadata.name: node.spec.taints for node in core.list_node().items}
    status = last.get("status")
    raise AssertionError(f"{namespace}/{name} has not got there within {timeout} s: {status}; taints of nodes: {nodes}")


def wait_for_finish(api: client.ApiClient, namespace: str, name: str, timeout: float = 120) -> Json:
    """Watch one ImageBuild until it is finished; its status then."""
    body = wait_for_build(
        api, namespace, name, lambda build: phase(build) in {"Succeeded", "Failed", "Cancelled"}, timeout
    )
    status: Json = body["status"]
    return status


def wait_for_deletion(api: client.ApiClient, namespace: str, name: str, timeout: float = 30) -> None:
    """Wait until an ImageBuild is gone.

    Raises:
        AssertionError: it is there after `timeout` seconds.
    """
    custom = client.CustomObjectsApi(api)
    selector = f"metadata.name={name}"

    def is_gone() -> bool:
        listed: Any = custom.list_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, field_selector=selector)
        return not listed["items"]

    until(is_gone, timeout)


def wait_for_definitions(api: client.ApiClient, timeout: float = 30) -> None:
    """Watch our CustomResourceDefinitions until the API server serves them.

    `kubectl wait` is no help: while a new definition has no conditions yet, it ends with an error.

    Raises:
        AssertionError: it does not within `timeout` seconds.
    """
    for plural in (PLURAL, "imagebuilddefaults", "clusterimagebuilddefaults"):
        stream = states(
            client.CustomObjectsApi(api).list_cluster_custom_object,
            "apiextensions.k8s.io",
            "v1",
            "customresourcedefinitions",
            field_selector=f"metadata.name={plural}.{GROUP}",
            timeout=timeout,
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
    pods = client.CoreV1Api(api).list_namespaced_pod
    for event in states(pods, namespace, label_selector=selector, timeout=timeout):
        last = event["raw_object"]
        if event["type"] != "DELETED" and reached(last):
            return last
    raise AssertionError(f"no pod of {namespace} has got there within {timeout} s: {last.get('status')}")


def wait_for_no_pods(api: client.ApiClient, namespace: str, timeout: float = 30) -> None:
    """Wait until no pod of a namespace is left.

    Raises:
        AssertionError: one is, after `timeout` seconds.
    """
    core = client.CoreV1Api(api)
    until(lambda: not core.list_namespaced_pod(namespace).items, timeout)


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
