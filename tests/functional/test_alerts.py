"""Every alert and every query of the dashboard, evaluated by a real Prometheus that scrapes two releases at once.

One release is well, the other one is in trouble. Minutes of the alerts are shortened to 0.6 seconds.
"""

import json
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.helm import CHART, find_helm
from chart.render import Chart, one
from cluster.packages import ensure
from functional.kube import Builds, Defaults, Json, spec
from functional.kubelet import DIGEST, Kubelet, terminated
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.alongside import alongside
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.metrics import value
from support.prometheus import Prometheus
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_finish

#: Seconds that become a minute of the alerts.
MINUTE = 0.6
WELL, ILL = ("system-a", "builds"), ("system-b", "builds")
ALERTS = [rule["alert"] for rule in yaml.safe_load((CHART / "files/alerts.yaml").read_text())["groups"][0]["rules"]]
DASHBOARD = json.loads((CHART / "files/dashboard.json").read_text())
IMAGE = {"reference": "registry.example.com/team/app:1", "digest": DIGEST, "sizeBytes": 5_000_000}


@dataclass(frozen=True)
class Release:
    """An operator, the proxy through which it reaches the API server, and the namespace that it watches."""

    operator: OperatorProcess
    proxy: ApiProxy
    api: client.ApiClient
    namespace: str

    @property
    def builds(self) -> Builds:
        return Builds(client.CustomObjectsApi(self.api), self.namespace)

    @property
    def kubelet(self) -> Kubelet:
        return Kubelet(self.api, self.namespace)

    def fail_builds(self, number: int, prefix: str = "failing") -> None:
        """Run builds, all at once, that fail for the registry."""
        report = json.dumps({"reason": "RegistryUnavailable", "message": "It is away."})
        names = [f"{prefix}-{index}" for index in range(number)]
        for name in names:
            self.builds.create(spec(retry={"limit": 0}), name=name)
        for name in names:
            pod = wait_for_build(self.api, self.namespace, name, phase)["status"]["podName"]
            self.kubelet.report(self.kubelet.pod(named(pod)), "Failed", build=terminated(69, report, "Error"))
        for name in names:
            wait_for_finish(self.api, self.namespace, name)

    def has_leader(self) -> bool:
        return value(self.operator.metrics(), "imagebuild_leader") == 1

    def scraped(self, name: str, expected: float, **labels: str) -> None:
        """Wait until the operator shows a value."""
        until(lambda: value(self.operator.metrics(), name, build_namespace=self.namespace, **labels) == expected)


def end(operator: OperatorProcess) -> None:
    if operator.is_running():
        operator.stop(signal.SIGKILL)


def named(name: str) -> Callable[[Json], bool]:
    return lambda pod: bool(pod["metadata"]["name"] == name)


@pytest.fixture
def releases(
    kubeconfig: Path, crd: Path, namespace: str, api: client.ApiClient, tmp_path: Path
) -> Iterator[tuple[Release, Release]]:
    """Two releases: one as the chart installs it by default, one with metrics by namespace."""
    assert crd.exists()
    core = client.CoreV1Api(api)
    made = core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(generate_name="test-")))
    assert made.metadata
    second = str(made.metadata.name)
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    with ExitStack() as stack:
        found = []
        for name, labelled in ((namespace, False), (second, True)):
            core.create_namespaced_service_account(name, account)
            proxy = stack.enter_context(ApiProxy(kubeconfig).running())
            settings = {
                "leaderElection": {"leaseName": "operator", "leaseNamespace": name, "leaseSeconds": 2},
                "metrics": {"namespaceLabels": labelled},
            }
            folder = tmp_path / name
            folder.mkdir()
            operator = OperatorProcess(proxy.kubeconfig(folder / "kubeconfig"), name, folder / "log", settings)
            operator.start()
            stack.callback(end, operator)
            found.append(Release(operator, proxy, api, name))
        for release in found:
            until(release.has_leader)
        yield found[0], found[1]
    for name in (namespace, second):
        Builds(client.CustomObjectsApi(api), name).delete_all()
        Defaults(client.CustomObjectsApi(api), name).delete_all()
        client.CustomObjectsApi(api).delete_collection_namespaced_custom_object(
            "imagebuild.dev", "v1alpha1", name, "trackedimages"
        )
    core.delete_namespace(second)


@pytest.fixture(scope="module")
def rules() -> list[Json]:
    """The rules that the chart makes for each release."""
    chart = Chart(find_helm(), CHART)
    groups = []
    for namespace, name in (WELL, ILL):
        values = {"metrics": {"prometheusRule": {"enabled": True}}}
        rule = one(chart.render(values, name=name, namespace=namespace), "PrometheusRule")
        groups += [shortened({**group, "name": f"{group['name']} of {namespace}"}) for group in rule["spec"]["groups"]]
    return groups


@pytest.fixture
def prometheus(releases: tuple[Release, Release], rules: list[Json], tmp_path: Path) -> Iterator[Prometheus]:
    """Prometheus with both releases and their rules."""
    ensure(["prometheus"])
    well, ill = releases
    targets = {WELL: well.operator.metrics_address, ILL: ill.operator.metrics_address}
    with Prometheus(tmp_path, targets, rules) as server:
        until(lambda: len(server.query("imagebuild_operator_build_info")) == 2)
        yield server


def shortened(group: Mapping[str, Any]) -> Json:
    """Rules whose minutes, and thresholds of seconds, are shorter."""

    def duration(minutes: str) -> str:
        return f"{round(int(minutes) * MINUTE * 1000)}ms"

    rules = []
    for rule in group["rules"]:
        expression = re.sub(r"\[(\d+)m\]", lambda found: f"[{duration(found[1])}]", rule["expr"])
        expression = re.sub(r"> (\d{3,})\b", lambda found: f"> {int(found[1]) * MINUTE / 60}", expression)
        rules.append({**rule, "expr": expression, "for": duration(rule["for"].removesuffix("m"))})
    return {**group, "rules": rules}


def repeating(act: Callable[[int], None]) -> AbstractContextManager[None]:
    """Act every half second in a thread, with a number that counts up, for as long as the block lasts."""

    def run(over: threading.Event) -> None:
        for number in count():
            if over.wait(0.5):
                return
            act(number)

    return alongside(run)


@contextmanager
def busy(release: Release) -> Iterator[None]:
    """Let every watch of a release see a change now and then, as in a cluster that is used."""
    custom, core = client.CustomObjectsApi(release.api), client.CoreV1Api(release.api)
    release.builds.create(spec(), name="steady")
    name = release.kubelet.pod()["metadata"]["name"]
    # The operator has watches of its own for finished builds and for builds with a TTL.
    release.builds.create(spec(cancel=True, ttlSecondsAfterFinished=3600), name="finished")
    wait_for_finish(release.api, release.namespace, "finished")
    Defaults(custom, release.namespace).create({})
    tracked = {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "TrackedImage", "metadata": {"name": "idle"}}
    template = {"spec": {"source": spec()["source"]}}
    idle = {"suspend": True, "template": template, "image": {"repositories": ["r.example/idle"]}}
    here = "imagebuild.dev", "v1alpha1", release.namespace
    custom.create_namespaced_custom_object(*here, "trackedimages", {**tracked, "spec": idle})

    def touch(number: int) -> None:
        change = {"metadata": {"annotations": {"touched": str(number)}}}
        for build in ("steady", "finished"):
            release.builds.patch(change, build)
        core.patch_namespaced_pod(name, release.namespace, change)
        for plural, name_of_one in (("imagebuilddefaults", "default"), ("trackedimages", "idle")):
            custom.patch_namespaced_custom_object(*here, plural, name_of_one, change)

    with repeating(touch):
        yield


@contextmanager
def operator_down(release: Release) -> Iterator[None]:
    release.operator.stop(signal.SIGKILL)
    yield


@contextmanager
def no_leader(release: Release) -> Iterator[None]:
    release.proxy.fault = lambda call: Fault(reaches=False, status=503) if "/leases" in call.path else NOTHING
    yield


@contextmanager
def watch_stalled(release: Release) -> Iterator[None]:
    with release.proxy.silent():
        yield


@contextmanager
def defaults_unreadable(release: Release) -> Iterator[None]:
    release.operator.stop()
    forbidden = Fault(reaches=False, status=403)
    release.proxy.fault = lambda call: forbidden if "imagebuilddefaults" in call.path else NOTHING
    release.operator.start()
    yield


@contextmanager
def queue_stuck(release: Release) -> Iterator[None]:
    core = client.CoreV1Api(release.api)
    quota = client.V1ResourceQuota(
        metadata=client.V1ObjectMeta(name="none"), spec=client.V1ResourceQuotaSpec(hard={"pods": "0"})
    )
    core.create_namespaced_resource_quota(release.namespace, quota)
    full: Json = {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    core.patch_namespaced_resource_quota_status("none", release.namespace, full)
    release.builds.create(spec())
    yield


@contextmanager
def queue_slow(release: Release) -> Iterator[None]:
    release.builds.create(spec(suspend=True))
    body = wait_for_build(release.api, release.namespace, "hello", phase)
    release.scraped("imagebuild_queue_wait_seconds_count", 0)
    created = client.CoreV1Api(release.api)
    until(lambda: seconds_since(created, release.namespace, body) > 11)
    release.builds.patch({"spec": {"suspend": False}})
    yield


def seconds_since(core: client.CoreV1Api, namespace: str, body: Json) -> float:
    """How old an object is by the API server's clock."""
    dry = client.V1ConfigMap(metadata=client.V1ObjectMeta(generate_name="now-"))
    made = core.create_namespaced_config_map(namespace, dry, dry_run="All")
    assert made.metadata
    assert made.metadata.creation_timestamp
    created = yaml.safe_load(body["metadata"]["creationTimestamp"])
    return float((made.metadata.creation_timestamp - created).total_seconds())


@contextmanager
def infrastructure_failures(release: Release) -> Iterator[None]:
    # On a busy machine, failures that happen once may be over before Prometheus has seen the counter twice.
    with repeating(lambda number: release.fail_builds(6, f"failing-{number}")):
        yield


@contextmanager
def api_errors(release: Release) -> Iterator[None]:
    release.proxy.fault = lambda _: Fault(reaches=False, status=503)
    release.proxy.cut_watches()
    yield


@contextmanager
def reconcile_errors(release: Release) -> Iterator[None]:
    def refuse(call: Call) -> Fault:
        return Fault(reaches=False, status=500) if call.path.endswith("/status") else NOTHING

    release.proxy.fault = refuse
    with each_second(lambda number: release.builds.create(spec(), name=f"build-{number}")):
        yield


def each_second(act: Callable[[int], object]) -> AbstractContextManager[None]:
    def run(over: threading.Event) -> None:
        number = 0
        while not over.wait(1):
            number += 1
            act(number)

    return alongside(run)


TROUBLES = {
    "ImageBuildOperatorDown": operator_down,
    "ImageBuildNoLeader": no_leader,
    "ImageBuildWatchStalled": watch_stalled,
    "ImageBuildDefaultsUnreadable": defaults_unreadable,
    "ImageBuildQueueStuck": queue_stuck,
    "ImageBuildQueueSlow": queue_slow,
    "ImageBuildInfrastructureFailures": infrastructure_failures,
    "ImageBuildApiErrors": api_errors,
    "ImageBuildReconcileErrors": reconcile_errors,
}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_fires_for_the_release_in_trouble_and_for_no_other(
    alert: str, releases: tuple[Release, Release], prometheus: Prometheus
):
    well, ill = releases
    with busy(well), TROUBLES[alert](ill):
        others = 'ALERTS{alertstate="firing", namespace!="system-b"}'
        # On a busy machine, a scrape may be late for the shortened minutes: such an alert ends, a wrong one stays.
        until(lambda: (*ILL, alert) in prometheus.firing() and not prometheus.query(others), timeout=60)


def test_every_query_of_the_dashboard_has_an_answer_for_each_release(
    releases: tuple[Release, Release], prometheus: Prometheus
):
    well, ill = releases
    for release in releases:
        release.builds.create(spec(suspend=True), name="waiting")
        wait_for_build(release.api, release.namespace, "waiting", phase)
    until(lambda: scraped_series(prometheus, ill) > 100)
    for release in releases:
        release.fail_builds(1)
        succeed(release)
    targets = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]
    for (namespace, job), build_namespace in ((WELL, ".*"), (ILL, ill.namespace)):
        for title, expression in targets:
            filled = expression.replace("$__rate_interval", "30s").replace("$build_namespace", build_namespace)
            filled = filled.replace("$namespace", namespace).replace("$job", job)
            until(partial(answers, prometheus, filled), timeout=15)
            assert "$" not in filled, title
    for variable in DASHBOARD["templating"]["list"]:
        if found := re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]):
            selector, label = found[1].replace("$namespace", ".*").replace("$job", ".*"), found[2]
            assert label == variable["name"]
            assert any(each["metric"] for each in prometheus.query(f"group by ({label}) ({selector})")), label
    other = 'imagebuild_builds_finished_total{namespace="system-a", build_namespace!=""}'
    assert prometheus.query(other) == []
    assert well.operator.surprises() == ill.operator.surprises() == []


def scraped_series(prometheus: Prometheus, release: Release) -> int:
    return len(prometheus.query(f'{{build_namespace="{release.namespace}"}}'))


def answers(prometheus: Prometheus, expression: str) -> bool:
    """Whether a query has an answer; a quantile of nothing is no number."""
    return any(series["value"][1] != "NaN" for series in prometheus.query(expression))


def succeed(release: Release) -> None:
    """Run a build that pushes an image and finds some of its layers in the cache."""
    release.builds.create(spec(), name="pushed")
    pod = wait_for_build(release.api, release.namespace, "pushed", phase)["status"]["podName"]
    report = {"timings": {"fetchMs": 2000, "buildMs": 18000}, "cache": {"hits": 3, "misses": 1}}
    pushed = {"digest": DIGEST, "images": [IMAGE], "timings": {"pushMs": 500}}
    release.kubelet.report(
        release.kubelet.pod(named(pod)),
        "Succeeded",
        build=terminated(0, json.dumps(report)),
        push=terminated(0, json.dumps(pushed)),
    )
    assert wait_for_finish(release.api, release.namespace, "pushed")["phase"] == "Succeeded"
