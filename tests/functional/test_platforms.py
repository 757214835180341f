"""Builds for several platforms, against a real API server: a pod for each, then one for the index of them."""

import json
import signal

import pytest
from functional.kube import Builds, Json, spec
from functional.kubelet import DIGEST, PUSHED, Kubelet, running, terminated
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.watching import phase, wait_for_build, wait_for_deletion, wait_for_finish, wait_for_no_pods, watch_builds

AMD64, ARM64 = "linux/amd64", "linux/arm64"
DIGESTS = {AMD64: "sha256:" + "a1" * 32, ARM64: "sha256:" + "a2" * 32}
IMAGE = "registry.example.com/team/app:1"
FAILED = terminated(
    7, json.dumps({"reason": "RunCommandFailed", "message": "RUN make failed.", "logTail": "no"}), "Error"
)
BUILT = terminated(0, json.dumps({"timings": {"buildMs": 20000}, "cache": {"hits": 1, "misses": 2}}))
EVICTED = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Drained."}


def for_both(**fields: object) -> Json:
    return spec(output={"images": [IMAGE], "platforms": [AMD64, ARM64]}, **fields)


def pushed(platform: str) -> Json:
    return terminated(0, json.dumps({"digest": DIGESTS[platform], "images": []}))


def of(kubelet: Kubelet, platform: str, *earlier: Json) -> Json:
    """The pod that builds for a platform, after earlier ones."""
    names = {pod["metadata"]["name"] for pod in earlier}
    label = platform.replace("/", "-")
    return kubelet.pod(
        lambda pod: (
            pod["metadata"]["labels"].get("imagebuild.dev/platform") == label and pod["metadata"]["name"] not in names
        )
    )


def index(kubelet: Kubelet) -> Json:
    return kubelet.pod(lambda pod: pod["spec"]["containers"][0]["name"] == "index")


def platform(build: Json, name: str) -> Json:
    """The entry of a platform; empty before there is one."""
    entries = (build.get("status") or {}).get("platforms") or ()
    return next((dict(entry) for entry in entries if entry["platform"] == name), {})


def phases(build: Json) -> tuple[str | None, ...]:
    """The phase of the build and of its two platforms."""
    return (phase(build), platform(build, AMD64).get("phase"), platform(build, ARM64).get("phase"))


@pytest.mark.usefixtures("operator")
def test_both_are_built_at_the_same_time_and_then_their_index_is_pushed(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    def reach(*expected: str) -> Json:
        return wait_for_build(api, namespace, "hello", lambda build: phases(build) == expected)

    created = builds.create(for_both())["metadata"]["resourceVersion"]
    amd64, arm64 = of(kubelet, AMD64), of(kubelet, ARM64)
    body = reach("Preparing", "Preparing", "Preparing")
    assert [platform(body, name)["podName"] for name in (AMD64, ARM64)] == [
        pod["metadata"]["name"] for pod in (amd64, arm64)
    ]
    assert body["status"]["startTime"] == amd64["metadata"]["creationTimestamp"]
    assert "podName" not in body["status"]
    words = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words}
    kubelet.report(arm64, "Pending", conditions=[condition])
    kubelet.report(amd64, "Running", build=running())
    body = reach("Preparing", "Building", "Preparing")
    assert (body["status"]["reason"], platform(body, ARM64)["reason"]) == ("Unschedulable", "Unschedulable")
    assert body["status"]["message"].startswith(f"{ARM64}: No node can take the build pod yet: {words} ")
    assert "set output.platformNodes to Any" in body["status"]["message"]
    kubelet.report(arm64, "Running", build=running(), conditions=[{**condition, "status": "True", "reason": None}])
    body = reach("Building", "Building", "Building")
    assert "reason" not in body["status"]
    kubelet.report(amd64, "Succeeded", build=BUILT, push=pushed(AMD64))
    body = reach("Building", "Succeeded", "Building")
    assert platform(body, AMD64)["digest"] == DIGESTS[AMD64]
    assert platform(body, AMD64)["timings"]["buildMilliseconds"] == 20000
    kubelet.report(arm64, "Succeeded", build=BUILT, push=pushed(ARM64))
    pod = index(kubelet)
    variables = {entry["name"]: entry.get("value") for entry in pod["spec"]["containers"][0]["env"]}
    assert variables == {
        "OUTPUT_IMAGE": IMAGE,
        "INDEX_MANIFESTS": f"{AMD64}={DIGESTS[AMD64]},{ARM64}={DIGESTS[ARM64]}",
    }
    body = reach("Pushing", "Succeeded", "Succeeded")
    kubelet.report(pod, "Succeeded", push=PUSHED)
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["digest"], status["podName"]) == ("Succeeded", DIGEST, pod["metadata"]["name"])
    assert status["images"] == [{"reference": IMAGE, "digest": DIGEST}]
    assert (status["timings"]["buildMilliseconds"], status["cache"]) == (20000, {"hits": 2, "misses": 4})
    assert [attempt["podName"] for attempt in status["attempts"]] == [pod["metadata"]["name"]]
    wait_for_no_pods(api, namespace)
    writes = watch_builds(api, namespace, created, lambda build: phase(build) == "Succeeded")
    # One when the pods are made and one for each thing that was reported, then the index, and its end.
    assert len(writes) <= 1 + 4 + 3


@pytest.mark.usefixtures("operator")
def test_where_one_fails_the_other_is_stopped(builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str):
    builds.create(for_both())
    amd64, arm64 = of(kubelet, AMD64), of(kubelet, ARM64)
    kubelet.report(amd64, "Running", build=running())
    kubelet.report(arm64, "Failed", build=FAILED)
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["reason"]) == ("Failed", "RunCommandFailed")
    assert status["message"].startswith(f"{ARM64}: RUN make failed.")
    assert (status["failure"]["platform"], status["failure"]["logTail"]) == (ARM64, "no")
    stopped = platform({"status": status}, AMD64)
    assert (stopped["phase"], stopped["reason"]) == ("Cancelled", "Cancelled")
    assert stopped["message"].startswith(f"{ARM64} failed, and the image needs every platform.")
    builds.create(spec(cancel=True), name="later")
    wait_for_finish(api, namespace, "later")
    assert kubelet.pods() == [arm64["metadata"]["name"]]


@pytest.mark.usefixtures("operator")
def test_only_the_platform_that_the_cluster_took_away_is_built_again(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(for_both())
    amd64, arm64 = of(kubelet, AMD64), of(kubelet, ARM64)
    kubelet.report(amd64, "Running", build=running())
    kubelet.report(arm64, "Failed", build=terminated(143, "", "Error"), conditions=[EVICTED])
    again = of(kubelet, ARM64, arm64)
    kubelet.report(again, "Succeeded", build=BUILT, push=pushed(ARM64))
    kubelet.report(amd64, "Succeeded", build=BUILT, push=pushed(AMD64))
    kubelet.report(index(kubelet), "Succeeded", push=PUSHED)
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded"
    tried = {
        entry["platform"]: [(attempt["podName"], attempt.get("reason")) for attempt in entry["attempts"]]
        for entry in status["platforms"]
    }
    assert tried == {
        AMD64: [(amd64["metadata"]["name"], None)],
        ARM64: [(arm64["metadata"]["name"], "Evicted"), (again["metadata"]["name"], None)],
    }


@pytest.mark.usefixtures("operator")
def test_a_failing_index_is_tried_again_by_itself(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(for_both())
    for name in (AMD64, ARM64):
        kubelet.report(of(kubelet, name), "Succeeded", build=BUILT, push=pushed(name))
    first = index(kubelet)
    report = json.dumps({"reason": "RegistryUnavailable", "message": "No answer."})
    kubelet.report(first, "Failed", push=terminated(80, report, "Error"))
    second = kubelet.pod(
        lambda pod: (
            pod["spec"]["containers"][0]["name"] == "index" and pod["metadata"]["uid"] != first["metadata"]["uid"]
        )
    )
    kubelet.report(second, "Succeeded", push=PUSHED)
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], [attempt.get("reason") for attempt in status["attempts"]]) == (
        "Succeeded",
        ["RegistryUnavailable", None],
    )
    assert {len(entry["attempts"]) for entry in status["platforms"]} == {1}


@pytest.mark.usefixtures("operator")
def test_all_platforms_of_a_cancelled_build_are_stopped(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(for_both())
    for name in (AMD64, ARM64):
        kubelet.report(of(kubelet, name), "Running", build=running())
    wait_for_build(api, namespace, "hello", lambda build: phases(build) == ("Building",) * 3)
    builds.patch({"spec": {"cancel": True}})
    body = wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Cancelled")
    assert phases(body) == ("Cancelled",) * 3
    wait_for_no_pods(api, namespace)


@pytest.mark.usefixtures("operator")
def test_the_time_of_a_build_is_one_for_all_its_platforms(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(for_both(timeoutSeconds=2))
    kubelet.report(of(kubelet, AMD64), "Succeeded", build=BUILT, push=pushed(AMD64))
    of(kubelet, ARM64)
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["failure"]["platform"], status["failure"]["reason"]) == (
        "Failed",
        ARM64,
        "DeadlineExceeded",
    )
    wait_for_no_pods(api, namespace)


def test_an_operator_that_dies_at_every_step_makes_each_pod_once(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    def die() -> None:
        operator.stop(signal.SIGKILL)
        operator.start()

    builds.create(for_both())
    kubelet.pod()
    die()
    amd64, arm64 = of(kubelet, AMD64), of(kubelet, ARM64)
    die()
    kubelet.report(amd64, "Succeeded", build=BUILT, push=pushed(AMD64))
    wait_for_build(api, namespace, "hello", lambda build: platform(build, AMD64).get("phase") == "Succeeded")
    operator.stop(signal.SIGKILL)
    kubelet.report(arm64, "Succeeded", build=BUILT, push=pushed(ARM64))
    operator.start()
    pod = index(kubelet)
    die()
    kubelet.report(pod, "Succeeded", push=PUSHED)
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded"
    made = [attempt["podName"] for part in (status, *status["platforms"]) for attempt in part["attempts"]]
    assert made == [made_pod["metadata"]["name"] for made_pod in (pod, amd64, arm64)]
    wait_for_no_pods(api, namespace)


@pytest.mark.parametrize("settings", [{"admission": {"maxRunning": 1}}])
@pytest.mark.usefixtures("operator")
def test_a_build_of_several_platforms_has_one_turn_for_all(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(for_both(), name="first")
    made = [of(kubelet, name) for name in (AMD64, ARM64)]
    builds.create(for_both(), name="second")
    body = wait_for_build(api, namespace, "second", phase)
    assert (body["status"]["phase"], body["status"]["reason"]) == ("Queued", "ClusterLimit")
    assert "platforms" not in body["status"]
    assert len(kubelet.pods()) == 2
    builds.patch({"spec": {"cancel": True}}, name="first")
    second = [of(kubelet, name, *made) for name in (AMD64, ARM64)]
    assert {pod["metadata"]["ownerReferences"][0]["name"] for pod in second} == {"second"}


@pytest.mark.usefixtures("operator")
def test_a_deleted_build_gets_no_more_pods(builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str):
    builds.create(for_both())
    made = [of(kubelet, name) for name in (AMD64, ARM64)]
    wait_for_build(api, namespace, "hello", phase)
    builds.delete_all()
    wait_for_deletion(api, namespace, "hello")
    for pod in made:
        assert [(owner["name"], owner["controller"]) for owner in pod["metadata"]["ownerReferences"]] == [
            ("hello", True)
        ]
        kubelet.report(pod, "Failed", build=FAILED)
    builds.create(spec(cancel=True), name="later")
    wait_for_finish(api, namespace, "later")
    assert sorted(kubelet.pods()) == sorted(pod["metadata"]["name"] for pod in made)


@pytest.mark.usefixtures("operator")
def test_one_platform_needs_no_index(builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str):
    builds.create(spec(output={"images": [IMAGE], "platforms": ["linux/arm/v7"]}))
    pod = kubelet.pod()
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm"}
    assert {"name": "PLATFORM", "value": "linux/arm/v7"} in pod["spec"]["initContainers"][-1]["env"]
    kubelet.report(pod, "Succeeded", build=BUILT, push=PUSHED)
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["digest"]) == ("Succeeded", DIGEST)
    assert "platforms" not in status
