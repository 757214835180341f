"""The defaults of a namespace, against a real API server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, Defaults, Kubectl, spec
from functional.kubelet import PUSHED, Kubelet, terminated, waiting
from functional.operator_process import OperatorProcess, Settings
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.resync import relist
from imagebuild_operator.telemetry.prometheus import Metrics
from kubernetes import client
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.watching import (
    phase,
    wait_for_build,
    wait_for_deletion,
    wait_for_finish,
    watch_builds,
)

Json = dict[str, Any]

DEFAULTS: Json = {
    "pushSecretRef": {"name": "team-push"},
    "pullSecretRefs": [{"name": "team-pull"}],
    "registries": [{"host": "docker.io", "mirrors": ["mirror.example.com"]}],
    "cache": {"enabled": True, "repo": "registry.example.com/team/cache"},
    "podTemplate": {"spec": {"nodeSelector": {"pool": "builds"}}},
    "resources": {"limits": {"memory": "2Gi"}},
    "timeoutSeconds": 600,
}
#: What the chart gives all build pods.
CHART: Json = {
    "nodeSelector": {"pool": "chart"},
    "registries": [{"host": "docker.io", "mirrors": ["chart.example.com"]}, {"host": "plain:5000", "plainHTTP": True}],
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
}


@pytest.fixture
def settings() -> Settings:
    return {"builder": CHART}


def variables(pod: Json, container: str) -> dict[str, Any]:
    every = [*pod["spec"]["initContainers"], *pod["spec"]["containers"]]
    [env] = [item["env"] for item in every if item["name"] == container]
    return {
        variable["name"]: variable.get("value") or variable["valueFrom"]["secretKeyRef"]["name"] for variable in env
    }


def begun(build: Json) -> bool:
    return phase(build) == "Preparing"


def succeed(kubelet: Kubelet, pod: Json) -> None:
    kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)


@pytest.mark.usefixtures("operator")
def test_the_build_goes_before_its_namespace_and_that_before_the_chart_and_the_status_shows_it(
    builds: Builds, defaults: Defaults, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    defaults.create(DEFAULTS)
    own = spec(
        timeoutSeconds=60,
        pullSecretRefs=[{"name": "own"}],
        resources={"requests": {"ephemeral-storage": "3Gi"}},
    )
    created = builds.create(own)["metadata"]["resourceVersion"]
    pod = kubelet.pod()
    assert (
        variables(pod, "build").items()
        >= {
            "CACHE": "true",
            "CACHE_REPO": "registry.example.com/team/cache",
            "REGISTRY_MIRRORS": "mirror.example.com",
            "INSECURE_REGISTRIES": "plain:5000",
            "DOCKER_CONFIG_JSON": "own",
            "DOCKER_CONFIG_JSON_1": "team-pull",
        }.items()
    )
    assert variables(pod, "push")["DOCKER_CONFIG_JSON"] == "team-push"
    assert pod["spec"]["nodeSelector"] == {"pool": "builds"}
    assert pod["spec"]["activeDeadlineSeconds"] == 60
    assert pod["spec"]["initContainers"][-1]["resources"] == {
        "requests": {"cpu": "1", "memory": "2Gi", "ephemeral-storage": "3Gi"},  # a request is its limit where not given
        "limits": {"memory": "2Gi"},
    }
    # With the first write, and not with one of its own.
    [first] = watch_builds(api, namespace, created, lambda build: "podName" in (build.get("status") or {}))
    shared = {name: value for name, value in DEFAULTS.items() if name != "pushSecretRef"}
    assert first["status"]["appliedDefaults"] == {
        "sources": [{"kind": "ImageBuildDefaults", "generation": 1}],
        "spec": {"output": {"pushSecretRef": {"name": "team-push"}}, **shared},
    }
    assert first["spec"] == builds.get()["spec"]
    assert "cache" not in first["spec"]


@pytest.mark.usefixtures("operator")
def test_a_change_counts_for_a_build_that_waits_and_not_for_one_that_has_begun(
    builds: Builds, defaults: Defaults, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    defaults.create({"pullSecretRefs": [{"name": "old"}], "retry": {"limit": 1}})
    builds.create(spec(suspend=True), name="later")
    builds.create(spec())
    first = kubelet.pod()
    wait_for_build(api, namespace, "hello", begun)
    defaults.replace({"pullSecretRefs": [{"name": "new"}], "retry": {"limit": 0}, "timeoutSeconds": 1})
    builds.patch({"spec": {"suspend": False}}, name="later")
    later = kubelet.pod_after(first)
    assert variables(later, "build")["DOCKER_CONFIG_JSON"] == "new"
    kubelet.report(first, "Failed", build=terminated(1, '{"reason": "RegistryUnavailable"}', "Error"))
    second = kubelet.pod_after(first, later)
    assert variables(second, "build")["DOCKER_CONFIG_JSON"] == "old"
    body = wait_for_build(
        api, namespace, "hello", lambda build: build["status"]["podName"] == second["metadata"]["name"]
    )
    applied = body["status"]["appliedDefaults"]
    assert applied["spec"] == {"pullSecretRefs": [{"name": "old"}], "retry": {"limit": 1}}
    assert wait_for_finish(api, namespace, "later")["reason"] == "DeadlineExceeded"


@pytest.mark.shows("A62")
@pytest.mark.usefixtures("operator")
def test_the_base_images_that_are_allowed_stay_so_for_every_attempt(
    builds: Builds, defaults: Defaults, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    defaults.create({"limits": {"baseImages": ["docker.io/library", "registry.example.com/approved"]}})
    builds.create(spec())
    first = kubelet.pod()
    wait_for_build(api, namespace, "hello", begun)
    defaults.replace({})
    kubelet.report(first, "Failed", build=terminated(1, '{"reason": "RegistryUnavailable"}', "Error"))
    for pod in (first, kubelet.pod_after(first)):
        allowed = variables(pod, "build")["ALLOWED_BASE_IMAGES"]
        assert allowed == "docker.io/library,registry.example.com/approved"


@pytest.mark.usefixtures("operator")
def test_defaults_say_whether_they_are_in_force_and_builds_wait_for_their_correction(
    builds: Builds, defaults: Defaults, kubelet: Kubelet, api: client.ApiClient, namespace: str, kubectl: Kubectl
):
    # The rule of the CRD knows URLs; whatever else looks like a credential is found by the operator.
    secret = {"podTemplate": {"metadata": {"annotations": {"example.com/hook": "https://example.com/?token=hunter2"}}}}
    defaults.create(secret)
    kubectl("wait", "ibd/default", "--for=condition=Stalled", "-n", namespace, "--timeout=30s")
    [ready, _] = defaults.get()["status"]["conditions"]
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "False", "InvalidSpec")
    assert "spec.podTemplate.metadata.annotations[example.com/hook]" in ready["message"]
    builds.create(spec())
    body = wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Queued")
    assert body["status"]["reason"] == "DefaultsInvalid"
    defaults.replace({"timeoutSeconds": 77})
    assert kubelet.pod()["spec"]["activeDeadlineSeconds"] == 77
    kubectl("wait", "ibd/default", "--for=condition=Ready", "-n", namespace, "--timeout=30s")
    assert defaults.get()["status"]["observedGeneration"] == 2
    assert kubectl("get", "ibd", "-n", namespace).split()[7:9] == ["default", "True"]


def test_an_operator_that_starts_knows_the_defaults_before_a_build_begins(
    operator: OperatorProcess, builds: Builds, defaults: Defaults, kubelet: Kubelet
):
    operator.stop()
    builds.create(spec())
    defaults.create(DEFAULTS)
    operator.start()
    assert variables(kubelet.pod(), "push")["DOCKER_CONFIG_JSON"] == "team-push"


def test_what_is_learned_before_anything_is_decided_has_the_defaults(
    defaults: Defaults, kubeconfig: Path, namespace: str, monkeypatch: pytest.MonkeyPatch
):
    defaults.create({"limits": {"maxRunning": 1}})
    # Read when the library is imported.
    monkeypatch.setattr("kubernetes.aio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
    store = Store()

    async def resync() -> None:
        cluster = await Cluster.connect(Metrics())
        await relist(cluster, store, [namespace])
        await cluster.close()

    asyncio.run(resync())
    assert store.max_running == {namespace: 1}


def test_an_operator_that_starts_knows_the_limits_before_a_build_begins(
    operator: OperatorProcess,
    builds: Builds,
    defaults: Defaults,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
):
    operator.stop()
    names = {"a", "b", "c"}
    for name in names:
        builds.create(spec(), name=name)
    defaults.create({"limits": {"maxRunning": 1}})
    operator.start()
    [owner] = kubelet.pod()["metadata"]["ownerReferences"]
    for name in names - {owner["name"]}:
        wait_for_build(api, namespace, name, lambda build: phase(build) == "Queued")
    wait_for_build(api, namespace, owner["name"], begun)
    assert len(kubelet.pods()) == 1


def test_defaults_that_are_made_anew_count_and_those_that_are_gone_do_not(
    operator: OperatorProcess,
    builds: Builds,
    defaults: Defaults,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
):
    waits = {"podTemplate": {"spec": {"serviceAccountName": "default"}}, "limits": {"maxTimeoutSeconds": 60}}
    defaults.create(waits)
    builds.create(spec(timeoutSeconds=61), name="refused")
    assert wait_for_finish(api, namespace, "refused")["reason"] == "InvalidSpec"
    defaults.delete_all()
    defaults.create({"pullSecretRefs": [{"name": "new"}]})
    defaults.delete_all()
    defaults.create({"pullSecretRefs": [{"name": "newer"}]})
    builds.create(spec(timeoutSeconds=61, suspend=True))
    wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Queued")
    defaults.delete_all()
    builds.patch({"spec": {"suspend": False}})
    pod = kubelet.pod()
    assert "DOCKER_CONFIG_JSON" not in variables(pod, "build")
    assert operator.is_running()


@pytest.mark.shows("A23")
@pytest.mark.usefixtures("operator")
def test_a_service_account_that_is_not_allowed_fails_also_where_it_waits(
    builds: Builds, defaults: Defaults, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    asks = {"podTemplate": {"spec": {"serviceAccountName": "builder"}}}
    builds.create(spec(**asks, suspend=True), name="waits")
    wait_for_build(api, namespace, "waits", lambda build: phase(build) == "Queued")
    defaults.create({"allowedServiceAccounts": ["signer"]})
    for name in ("waits", "later"):
        if name == "later":
            builds.create(spec(**asks), name=name)
        status = wait_for_finish(api, namespace, name)
        assert (status["phase"], status["reason"]) == ("Failed", "InvalidSpec")
        assert status["message"].startswith(
            "spec.podTemplate.spec.serviceAccountName: ServiceAccount builder is not allowed by the "
            "ImageBuildDefaults: write one of default, signer, or leave it out"
        )
    assert kubelet.pods() == []
    builds.create(spec(), name="names-none")
    assert kubelet.pod()


def queued_behind(builds: Builds, api: client.ApiClient, namespace: str) -> None:
    """Create a build that begins and one that has to wait for it."""
    builds.create(spec(), name="first")
    wait_for_build(api, namespace, "first", begun)
    builds.create(spec(), name="second")
    body = wait_for_build(api, namespace, "second", lambda build: phase(build) == "Queued")
    assert body["status"]["reason"] == "NamespaceLimit"
    assert body["status"]["message"] == "Waiting: the namespace runs its limit of 1 build."


@pytest.mark.usefixtures("operator")
def test_a_namespace_has_a_limit_of_its_own_until_it_has_none(
    builds: Builds, defaults: Defaults, api: client.ApiClient, namespace: str
):
    defaults.create({"limits": {"maxRunning": 1}})
    queued_behind(builds, api, namespace)
    defaults.replace({})
    wait_for_build(api, namespace, "second", begun)


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("settings", [{"admission": {"maxRunningPerNamespace": 1}}])
def test_a_namespace_may_have_more_than_the_charts_limit_for_all(
    builds: Builds, defaults: Defaults, api: client.ApiClient, namespace: str
):
    queued_behind(builds, api, namespace)
    defaults.create({"limits": {"maxRunning": 2}})
    wait_for_build(api, namespace, "second", begun)


@pytest.mark.usefixtures("operator")
def test_limits_of_history_and_age_count_for_what_has_ended_before(
    builds: Builds, defaults: Defaults, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    seen: list[Json] = []
    # Whose ends are in the same second is told apart by the name.
    for name in ("one", "two", "two-kept"):
        builds.create(spec(ttlSecondsAfterFinished=300_000_000) if name == "two-kept" else spec(), name=name)
        seen.append(kubelet.pod_after(*seen))
        succeed(kubelet, seen[-1])
        assert wait_for_finish(api, namespace, name)["phase"] == "Succeeded"
    defaults.create({"history": {"succeeded": 2}})
    wait_for_deletion(api, namespace, "one")
    assert builds.get("two")
    defaults.replace({"ttlSecondsAfterFinished": 0})
    wait_for_deletion(api, namespace, "two")
    assert builds.get("two-kept")
    builds.create(spec(), name="last")
    succeed(kubelet, kubelet.pod_after(*seen))
    wait_for_deletion(api, namespace, "last")
    assert builds.get("two-kept")


def without_the_definition(call: Call) -> Fault:
    """The API server as it is where the CRD of ImageBuildDefaults was never installed."""
    if "/imagebuilddefaults" in call.path:
        return Fault(status=404, reaches=False)
    return Fault(edit=_without_defaults) if call.path.rstrip("/").endswith("/apis/imagebuild.dev/v1alpha1") else NOTHING


def _without_defaults(content: bytes) -> bytes:
    found = json.loads(content)
    kept = [one for one in found["resources"] if not one["name"].startswith("imagebuilddefaults")]
    return json.dumps({**found, "resources": kept}).encode()


@pytest.mark.shows("F21")
def test_without_the_definition_the_operator_says_so_once_and_works_and_a_build_asks_for_defaults_itself(
    defaults: Defaults,
    kubeconfig: Path,
    builds: Builds,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
    tmp_path: Path,
):
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)
    with ApiProxy(kubeconfig).running() as proxy:
        proxy.fault = without_the_definition
        operator = OperatorProcess(proxy.kubeconfig(tmp_path / "proxy.yaml"), namespace, tmp_path / "operator.log")
        operator.start()
        builds.create(spec())
        pod = kubelet.pod()
        kubelet.report(pod, "Pending", build=waiting("CreateContainerConfigError", 'secret "x" not found'))
        wait_for_build(api, namespace, "hello", lambda build: (build.get("status") or {}).get("reason"))
        assert operator.log.count("imagebuilddefaults") == 1
        proxy.fault = lambda _: NOTHING
        # No watch tells of these: a build is no older than the defaults that were there when it was made.
        defaults.create(DEFAULTS)
        builds.create(spec(), name="later")
        assert variables(kubelet.pod_after(pod), "push")["DOCKER_CONFIG_JSON"] == "team-push"
        operator.stop()
        assert operator.surprises() == []
