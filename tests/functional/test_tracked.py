"""TrackedImages at a real API server: what it refuses, and one build for each cause, whatever befalls the operator."""

import itertools
import json
import os
import re
import signal
import subprocess
import sysconfig
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from functional.autopilot import Autopilot
from functional.kube import GROUP, VERSION, Builds, Defaults, Json, Kubectl, spec
from functional.operator_process import Deaths, OperatorProcess
from imagebuild_operator.controller.worker import MAX_CONCURRENT_RECONCILES
from kubernetes import client
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.metrics import value
from support.waiting import until

PLURAL = "trackedimages"
GIT = {"git": {"url": "https://git.example/app", "revision": "main"}}
FLUX = {"fluxRef": {"kind": "GitRepository", "name": "web"}}
INLINE = {"inline": {"files": {"Dockerfile": "FROM scratch\n"}}}


def tracked(name: str = "web", source: Json | None = None, image: Json | None = None, **spec: Any) -> Json:  # noqa: ANN401 - any field
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "TrackedImage",
        "metadata": {"name": name},
        "spec": {
            "template": {"spec": {} if source == {} else {"source": source or INLINE}},
            "image": {"repositories": ["r.example/app"], **(image or {})},
            **spec,
        },
    }


WRONG = [
    (tracked("w" * 53), "write a name of at most 52 characters"),
    (tracked(image={"tags": ["latest"]}), "a tag that stays the same would be moved by each build"),
    (tracked(image={"tags": ["{number}-{Branch}"]}), "write letters, digits"),
    (tracked(image={"tags": ["{shortCommit}"]}), "needs triggers.source, which finds the commit"),
    (tracked(image={"repositories": ["r.example/app:1"]}), "write a repository without http://, tag and digest"),
    (tracked(triggers={"source": {}}), "triggers.source watches Git repositories"),
    (tracked(triggers={"source": {"interval": "5 minutes"}}, source=GIT), "interval"),
    (tracked(source={}), "say what is built: set template.spec.source, or triggers.source.fluxRef"),
    (tracked(source={}, triggers={"source": {}}), "say what is built"),
    (tracked(triggers={"source": FLUX}, source=GIT), "or set triggers.source.fluxRef, without template.spec.source"),
    (tracked(triggers={"source": {**FLUX, "paths": ["web"]}}, source={}), "leave files out of the artifact in Flux"),
    (
        tracked(triggers={"source": {"fluxRef": {"kind": "HelmRepository", "name": "a"}}}, source={}),
        "Unsupported value",
    ),
    (tracked(triggers={"source": {"fluxRef": {**FLUX["fluxRef"], "namespace": "b"}}}, source={}), "unknown field"),
    (tracked(history={"succeeded": 0}), "greater than or equal to 1"),
    (tracked(triggers={"schedule": {}}), "spec.triggers.schedule.cron: Required value"),
    (
        tracked(template={"spec": {"source": INLINE}, "metadata": {"labels": {"imagebuild.dev/number": "7"}}}),
        "are set by the operator",
    ),
    (tracked(template={"spec": {"source": {**INLINE, **GIT}}}), "only one source can be set"),
    (tracked(template={"spec": {"source": INLINE, "output": {"images": ["a.b/c"]}}}), "unknown field"),
]


@pytest.mark.parametrize(("body", "words"), WRONG, ids=[words[:40] for _, words in WRONG])
def test_what_is_wrong_is_refused_with_words_that_help(
    crd: Path, kubectl: Kubectl, namespace: str, body: Json, words: str
):
    assert crd.exists()
    command = ("-n", namespace, "create", "--dry-run=server", "--validate=strict", "-f", "-")
    done = kubectl.run(*command, stdin=json.dumps(body))
    assert done.returncode != 0
    assert words in done.stderr


def test_all_that_a_page_shows_is_accepted(crd: Path, kubectl: Kubectl, namespace: str):
    assert crd.exists()
    body = tracked(
        source=GIT,
        image={"tags": ["{branch}-{number}-{shortCommit}"], "movingTags": ["latest"]},
        triggers={
            "source": {"interval": "5m"},
            "baseImages": {"interval": "1h"},
            "schedule": {"cron": "0 4 * * 1", "timeZone": "Europe/Berlin", "ifOlderThan": "168h", "cache": False},
        },
        minInterval="10m",
        failure={"backoff": {"initial": "1m", "max": "6h"}},
        history={"succeeded": 3, "failed": 2},
        suspend=False,
    )
    kubectl("-n", namespace, "create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(body))
    fetched = tracked(source={}, image={"tags": ["{branch}-{shortCommit}"]}, triggers={"source": FLUX})
    kubectl("-n", namespace, "create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(fetched))


def test_a_cluster_without_flux_is_told_so(
    operator: OperatorProcess, builds: Builds, api: client.ApiClient, namespace: str
):
    custom = client.CustomObjectsApi(api)
    assert builds.namespace == namespace
    assert operator.is_running()
    body = tracked(source={}, triggers={"source": FLUX})
    custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, body)

    def conditions() -> dict[str, Any]:
        found: Any = custom.get_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, "web")
        return {each["type"]: each for each in (found.get("status") or {}).get("conditions") or ()}

    until(lambda: conditions().get("Watching", {}).get("status") == "False")
    told = "The cluster has no GitRepository of source.toolkit.fluxcd.io/v1: install Flux 2.7 or later."
    assert conditions()["Watching"]["message"] == told
    until(lambda: told in conditions()["Reconciling"]["message"])
    assert conditions()["Ready"]["status"] == "False"


@pytest.fixture
def custom(api: client.ApiClient, builds: Builds, namespace: str) -> Iterator[client.CustomObjectsApi]:
    assert builds.namespace == namespace
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)
    made = client.CustomObjectsApi(api)
    yield made
    made.delete_collection_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)


def latest(custom: client.CustomObjectsApi, namespace: str) -> dict[str, str]:
    found: Any = custom.list_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)
    statuses = {each["metadata"]["name"]: each.get("status") or {} for each in found["items"]}
    return {name: (status.get("latestBuild") or {}).get("name", "") for name, status in statuses.items()}


class Crashes:
    """Kills the operator at the write that the name of a TrackedImage says, once for each."""

    def __init__(self, operator: OperatorProcess) -> None:
        self.deaths = Deaths(operator)
        self.hit: set[str] = set()
        self._counts: Counter[str] = Counter()

    def fault(self, call: Call) -> Fault:
        name = name_of(call)
        self._counts[name] += 1
        if not name or name in self.hit:
            return NOTHING
        if not self.deaths.is_up:
            # It is being killed for another: this write would be one less at which it can be.
            return Fault(reaches=False, status=0)
        nth, when = int(name[1]), name[2:]
        # Or at the next, where the operator was being killed for another.
        if self._counts[name] < nth:
            return NOTHING
        self.deaths.is_up = False
        self.hit.add(name)
        if when == "before":
            return Fault(before=self.deaths.kill, reaches=False, status=0)
        return Fault(after=self.deaths.kill, status=0)


def name_of(call: Call) -> str:
    """The TrackedImage that a write is about; empty for other calls."""
    if call.method == "POST" and call.path.endswith("/imagebuilds"):
        labels = ((call.body or {}).get("metadata") or {}).get("labels") or {}
        return str(labels.get("imagebuild.dev/tracked-image") or "")
    _, found, rest = call.path.partition(f"/{PLURAL}/")
    return rest.partition("/")[0] if found and call.method == "PATCH" else ""


def test_a_crash_before_or_after_any_write_makes_one_build_for_each_cause(
    kubeconfig: Path, custom: client.CustomObjectsApi, api: client.ApiClient, namespace: str, tmp_path: Path
):
    names = [f"t{nth}{when}" for nth, when in itertools.product(range(1, 5), ("before", "after"))]
    with ApiProxy(kubeconfig).running() as proxy:
        config = proxy.kubeconfig(tmp_path / "kubeconfig")
        operator = OperatorProcess(config, namespace, tmp_path / "operator.log", {"watches": {"silenceSeconds": 2}})
        crashes = Crashes(operator)
        proxy.fault = crashes.fault
        operator.start()
        try:
            with crashes.deaths.survived(), Autopilot(api, namespace).flying() as pilot:
                for name in names:
                    custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, tracked(name))
                for number in (1, 2):
                    wanted = {name: f"{name}-{number}" for name in names}
                    until(lambda wanted=wanted: latest(custom, namespace) == wanted, timeout=120)  # type: ignore[misc]
                    change = {"spec": {"template": {"spec": {"target": "0"}}}} if number == 1 else {}
                    for name in names if change else ():
                        custom.patch_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, name, change)
        finally:
            if operator.is_running():
                operator.stop(signal.SIGKILL)
        made = Counter(body["metadata"]["name"] for kind, body in pilot.builds if kind == "ADDED")
        assert made == Counter(f"{name}-{number}" for name in names for number in (1, 2))
        assert crashes.hit == set(names)
        assert "Traceback" not in operator.log, operator.log


def test_two_operators_make_one_build(
    kubeconfig: Path, custom: client.CustomObjectsApi, api: client.ApiClient, namespace: str, tmp_path: Path
):
    operators = [OperatorProcess(kubeconfig, namespace, tmp_path / f"{number}.log") for number in (1, 2)]
    for operator in operators:
        operator.start()
    try:
        with Autopilot(api, namespace).flying() as pilot:
            for number in range(10):
                body = tracked(f"two{number}")
                custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, body)
            wanted = {f"two{number}": f"two{number}-1" for number in range(10)}
            until(lambda: latest(custom, namespace) == wanted, timeout=60)
        made = Counter(body["metadata"]["name"] for kind, body in pilot.builds if kind == "ADDED")
        assert made == Counter(wanted.values())
    finally:
        for operator in operators:
            operator.stop()


def secrets_of(pod: Json) -> set[str]:
    env = [variable for container in pod["spec"]["containers"] for variable in container["env"]]
    return {each["valueFrom"]["secretKeyRef"]["name"] for each in env if "valueFrom" in each}


@pytest.mark.shows("A60")
def test_the_watcher_has_the_secrets_that_are_named_and_none_that_the_defaults_keep_for_pushing(
    operator: OperatorProcess,
    defaults: Defaults,
    kubectl: Kubectl,
    api: client.ApiClient,
    namespace: str,
):
    assert operator.is_running()
    defaults.create({"limits": {"pushSecrets": ["push"]}})
    custom = client.CustomObjectsApi(api)

    def create(name: str, secret: str) -> None:
        source = {"git": {**GIT["git"], "secretRef": {"name": secret}}}
        body = tracked(name, source, triggers={"source": {}})
        custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, body)

    def watcher() -> Json:
        done = kubectl.run("-n", namespace, "get", "pod", "imagebuild-watcher", "-o", "json")
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

    try:
        # Their author would get the password at their own server.
        create("thief", "push")
        create("web", "git")
        pod = until(watcher)
        assert secrets_of(pod) == {"git"}
        assert [each["name"] for each in pod["metadata"]["ownerReferences"]] == ["web"]
        assert pod["spec"]["automountServiceAccountToken"] is False
        create("app", "other")
        until(lambda: (found := watcher()) and secrets_of(found) == {"git", "other"})
        # It is not built without a commit, and never with the Secret.
        assert kubectl("-n", namespace, "get", "imagebuilds", "-o", "name") == ""
        custom.delete_collection_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)
        until(lambda: not watcher())
    finally:
        custom.delete_collection_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)


def test_hundreds_are_watched_by_several_pods_of_which_those_that_are_needed_stay(
    kubeconfig: Path, custom: client.CustomObjectsApi, api: client.ApiClient, namespace: str, tmp_path: Path
):
    core = client.CoreV1Api(api)

    def watchers() -> set[str]:
        selector = "app.kubernetes.io/component=watcher"
        found: Any = core.list_namespaced_pod(namespace, label_selector=selector).items
        return {pod.metadata.name for pod in found}

    names = [f"many{number}" for number in range(300)]
    for name in names:
        body = tracked(name, GIT, triggers={"source": {}})
        custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, body)
    operator = OperatorProcess(kubeconfig, namespace, tmp_path / "operator.log")
    operator.start()
    try:
        until(lambda: watchers() == {"imagebuild-watcher", "imagebuild-watcher-2"}, timeout=60)
        operator.stop()
        for name in names[10:]:
            custom.delete_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, name)
        operator.start()
        until(lambda: watchers() == {"imagebuild-watcher"}, timeout=60)
        for name in names[:10]:
            custom.delete_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, name)
        until(lambda: watchers() == set(), timeout=60)
    finally:
        operator.stop()


def test_the_commands_show_it_run_it_and_wait_for_the_build(
    operator: OperatorProcess, kubeconfig: Path, api: client.ApiClient, builds: Builds, namespace: str
):
    assert operator.is_running()
    custom = client.CustomObjectsApi(api)
    program = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(program), *arguments, "-n", builds.namespace]
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)

    assert "There are no TrackedImages in namespace" in run("tracked").stderr
    try:
        with Autopilot(api, namespace).flying() as pilot:
            custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, tracked())
            pilot.wait("web-1", "Succeeded")
            until(lambda: latest(custom, namespace) == {"web": "web-1"})
            done = run("run", "web", "--detach", "-o", "name")
            assert (done.returncode, done.stdout) == (0, "imagebuild.imagebuild.dev/web-2\n"), done.stderr
            pilot.wait("web-2", "Succeeded")
            until(lambda: latest(custom, namespace) == {"web": "web-2"})
        shown = run("tracked", "web").stdout
        assert re.search(r"^Build: +web-2 \(Requested\)$", shown, re.MULTILINE), shown
        assert re.search(r"^Image: +r\.example/app@sha256:", shown, re.MULTILINE), shown
        head, row = run("tracked").stdout.splitlines()
        assert head.split() == ["NAME", "READY", "STATUS", "TAG", "BUILD", "AGE"]
        assert row.split()[:5] == ["web", "True", "UpToDate", "2", "web-2"]
        assert json.loads(run("tracked", "web", "-o", "json").stdout)["kind"] == "TrackedImage"
        custom.patch_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, "web", {"spec": {"suspend": True}})
        until(lambda: value(operator.metrics(), "imagebuild_tracked_images", status="Suspended", ready="true") == 1)
        refused = run("run", "web")
        assert refused.returncode != 0
        assert "No build is started while suspend is true." in refused.stderr
        assert "nothing" in run("tracked", "nothing").stderr
    finally:
        custom.delete_collection_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)


def test_a_build_that_a_quota_refuses_is_created_later_and_one_that_is_in_the_way_is_named(
    operator: OperatorProcess, builds: Builds, api: client.ApiClient, namespace: str
):
    assert operator.is_running()
    core, custom = client.CoreV1Api(api), client.CustomObjectsApi(api)

    def told(name: str, kind: str) -> str:
        found: Any = custom.get_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, name)
        known = (found.get("status") or {}).get("conditions") or ()
        return next((each["message"] for each in known if each["type"] == kind and each["status"] == "True"), "")

    builds.create(spec(), name="app-1")
    hard = client.V1ResourceQuota(
        metadata=client.V1ObjectMeta(name="none"),
        spec=client.V1ResourceQuotaSpec(hard={"count/imagebuilds.imagebuild.dev": "1"}),
    )
    try:
        custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, tracked("app"))
        until(lambda: "there is another ImageBuild app-1: delete it" in told("app", "Stalled"))
        core.create_namespaced_resource_quota(namespace, hard)
        # There is no quota controller here.
        counted = {"count/imagebuilds.imagebuild.dev": "1"}
        body: Any = {"status": {"hard": counted, "used": counted}}
        core.patch_namespaced_resource_quota_status("none", namespace, body)
        custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, tracked("web"))
        until(lambda: "quota" in told("web", "Reconciling"))
        assert told("web", "Stalled") == ""
    finally:
        custom.delete_collection_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)


def test_a_build_of_a_user_does_not_wait_for_hundreds_of_tracked_images(
    kubeconfig: Path, custom: client.CustomObjectsApi, builds: Builds, namespace: str, tmp_path: Path
):
    names = [f"many{number}" for number in range(300)]
    for name in names:
        custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, tracked(name))
    builds.create(spec(), "waited")
    with ApiProxy(kubeconfig).running() as proxy:

        def made(kind: str, calls: Sequence[Call] | None = None) -> list[Call]:
            """What the operator made, in its order; of all calls, if none are given."""
            calls = proxy.calls if calls is None else calls
            return [call for call in calls if call.method == "POST" and call.path.endswith(f"/{kind}")]

        def between(name: str, seen: int) -> list[Call]:
            """The builds of TrackedImages that were made while a build waited for its pod."""
            until(lambda: any(call.build == name for call in made("pods")), timeout=60)
            pod = next(call for call in made("pods") if call.build == name)
            return made("imagebuilds", proxy.calls[seen : proxy.calls.index(pod)])

        operator = OperatorProcess(proxy.kubeconfig(tmp_path / "kubeconfig"), namespace, tmp_path / "operator.log")
        operator.start()
        try:
            assert len(between("waited", 0)) <= MAX_CONCURRENT_RECONCILES
            until(lambda: len(made("imagebuilds")) > MAX_CONCURRENT_RECONCILES)
            builds.create(spec(), "new")
            seen = len(proxy.calls)
            # Those that are being made, and those of the moments in which the watch has not shown it yet.
            assert len(between("new", seen)) <= 3 * MAX_CONCURRENT_RECONCILES
            assert len(made("imagebuilds")) < len(names)
            until(lambda: len(made("imagebuilds")) == len(names), timeout=60)
        finally:
            operator.stop()
