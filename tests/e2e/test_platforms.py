"""Builds for several platforms. All nodes are of one: what needs no RUN is built for the others on them too."""

from typing import Any

from functional.kube import Builds
from kubernetes import client
from support.registry import Registry
from support.watching import wait_for_build, wait_for_finish

Json = dict[str, Any]
#: On nodes of either kind, one of the two is not theirs.
PLATFORMS = ["linux/amd64", "linux/arm64"]


def platform(status: Json, name: str) -> Json:
    return next((entry for entry in status.get("platforms", ()) if entry["platform"] == name), {})


def test_the_index_has_the_image_of_each_platform_under_every_output(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    images = [f"{registry.name}/{namespace}/{name}" for name in ("one:1", "one:latest", "two:1")]
    files = {
        "Dockerfile": "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH/ /\n",
        "amd64/about": "for amd64",
        "arm64/about": "for arm64",
    }
    output = {"images": images, "platforms": PLATFORMS, "platformNodes": "Any"}
    builds.create({"source": {"inline": {"files": files}}, "output": output, "timeoutSeconds": 300})
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["attemptCount"]) == ("Succeeded", 1), status
    assert [registry.digest(image) for image in images] == [status["digest"]] * 3
    assert [(image["reference"], image["digest"]) for image in status["images"]] == [
        (image, status["digest"]) for image in images
    ]
    for repository in ("one", "two"):
        index = registry.manifest(f"{registry.name}/{namespace}/{repository}@{status['digest']}")
        listed = {
            f"{entry['platform']['os']}/{entry['platform']['architecture']}": entry["digest"]
            for entry in index["manifests"]
        }
        assert listed == {name: platform(status, name)["digest"] for name in PLATFORMS}
        for name, digest in listed.items():
            image = f"{registry.name}/{namespace}/{repository}@{digest}"
            architecture = name.removeprefix("linux/")
            assert registry.config(image)["architecture"] == architecture
            assert registry.files(image)["/about"].content == f"for {architecture}".encode()


def test_a_platform_without_nodes_waits_with_the_schedulers_words_while_another_is_built(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    [node, *_] = client.CoreV1Api(api).list_node().items
    assert node.metadata
    assert node.metadata.labels
    architecture = node.metadata.labels["kubernetes.io/arch"]
    [own, other] = sorted(PLATFORMS, key=lambda name: not name.endswith(architecture))
    files = {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}
    image = f"{registry.name}/{namespace}/waits:1"
    builds.create({"source": {"inline": {"files": files}}, "output": {"images": [image], "platforms": PLATFORMS}})
    body = wait_for_build(
        api,
        namespace,
        "hello",
        lambda build: platform(build.get("status") or {}, own).get("phase") == "Succeeded",
        timeout=60,
    )
    waits = platform(body["status"], other)
    assert (body["status"]["phase"], waits["reason"]) == ("Preparing", "Unschedulable")
    assert "didn't match Pod's node affinity/selector" in waits["message"]
    assert "set output.platformNodes to Any" in waits["message"]
    assert body["status"]["message"] == f"{other}: {waits['message']}"
    assert not registry.has(image)
    builds.patch({"spec": {"cancel": True}})
    status = wait_for_finish(api, namespace, "hello")
    assert [entry["phase"] for entry in status["platforms"]].count("Cancelled") == 1
    assert status["phase"] == "Cancelled"


def test_a_platform_that_fails_is_named(builds: Builds, api: client.ApiClient, namespace: str, registry: Registry):
    files = {"Dockerfile": "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH/ /\n", "amd64/about": "for amd64"}
    image = f"{registry.name}/{namespace}/fails:1"
    output = {"images": [image], "platforms": PLATFORMS, "platformNodes": "Any"}
    builds.create({"source": {"inline": {"files": files}}, "output": output, "timeoutSeconds": 300})
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["failure"]["platform"]) == ("Failed", "linux/arm64")
    assert (status["failure"]["reason"], status["failure"]["dockerfileLine"]) == ("CopyFailed", 3)
    assert status["message"].startswith("linux/arm64: ")
    assert not registry.has(image)
