"""Builds that are cancelled, and builds that the cluster disturbs, with a real kubelet."""

from typing import Any

from e2e.test_builds import build
from functional.kube import Builds
from kubernetes import client
from support.registry import Registry
from support.watching import phase, wait_for_build, wait_for_finish, wait_for_no_pods, wait_for_pod


def test_a_cancelled_build_stops_within_its_grace_and_pushes_nothing(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    image = f"{registry.name}/{namespace}/cancelled:1"
    builds.create(build({"Dockerfile": "FROM busybox\nRUN echo sleeping && sleep 300\n"}, image))
    wait_for_build(api, namespace, "hello", lambda body: phase(body) == "Building", timeout=60)
    builds.patch({"spec": {"cancel": True}})
    status = wait_for_finish(api, namespace, "hello", timeout=45)
    assert (status["phase"], status["reason"]) == ("Cancelled", "Cancelled")
    assert [attempt["reason"] for attempt in status["attempts"]] == ["Cancelled"]
    wait_for_no_pods(api, namespace)
    assert not registry.has(image)


def test_an_evicted_build_is_built_anew(builds: Builds, api: client.ApiClient, namespace: str, registry: Registry):
    image = f"{registry.name}/{namespace}/evicted:1"
    builds.create(build({"Dockerfile": "FROM busybox\nRUN sleep 10 && echo done > /done\n"}, image))
    wait_for_build(api, namespace, "hello", lambda body: phase(body) == "Building", timeout=60)
    pod = wait_for_pod(api, namespace)["metadata"]["name"]
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod, namespace=namespace))
    client.CoreV1Api(api).create_namespaced_pod_eviction(pod, namespace, eviction)

    def is_at_the_run(body: dict[str, Any]) -> bool:
        # What is shown first may be the FROM.
        progress: dict[str, Any] = body["status"].get("progress", {})
        return bool(progress.get("instruction") == "RUN sleep 10 && echo done > /done")

    body = wait_for_build(api, namespace, "hello", is_at_the_run, timeout=60)
    assert body["status"]["phase"] == "Building"
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    assert "progress" not in status
    assert [attempt.get("reason") for attempt in status["attempts"]] == ["Evicted", None]
    assert status["digest"] == registry.digest(image)


def test_a_build_that_runs_out_of_memory_gets_more_where_asked(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    builds.create(
        build(
            {"Dockerfile": "FROM busybox\nRUN head -c 400m /dev/zero | tail > /dev/null\n"},
            f"{registry.name}/{namespace}/memory:1",
            resources={"limits": {"memory": "200Mi"}},
            retry={"memoryPercent": 400},
        )
    )
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    assert [attempt.get("reason") for attempt in status["attempts"]] == ["OutOfMemory", None]
