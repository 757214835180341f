"""kubectl imagebuild explain of docs/how-to/cli.md against a real API server: it says what the operator does."""

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from functional.kube import Builds, Defaults, Kubectl, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.installed import install
from support.watching import phase, wait_for_build

Json = dict[str, Any]

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
GIT: Json = {"git": {"url": "https://git.example.com/team/app", "revision": "v1", "secretRef": {"name": "git"}}}
OUTPUT: Json = {"images": ["registry.example.com/team/app:1"], "pushSecretRef": {"name": "push"}}
#: Specs that use much of what a build can have.
SPECS: dict[str, Json] = {
    "least": {},
    "git": {"source": GIT, "output": OUTPUT, "contextDir": "app", "buildArgs": [{"name": "A", "value": "1"}]},
    "upload": {"source": {"upload": {}}, "dockerfile": {"path": "build/Dockerfile"}, "timeoutSeconds": 90},
    "platform": {"output": {**OUTPUT, "platforms": ["linux/arm64"], "attestations": {"sbom": "SPDX"}}},
    "template": {
        "cache": {"enabled": True, "repo": "registry.example.com/cache"},
        "resources": {"limits": {"memory": "1Gi"}},
        "podTemplate": {"metadata": {"labels": {"a": "b"}}},
    },
}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(kubeconfig: Path, namespace: str) -> Run:
    def go(*arguments: str, stdin: str = "", kubeconfig: Path = kubeconfig) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, "explain", *arguments, "-n", namespace],
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return go


@pytest.fixture
def installed(kubectl: Kubectl, namespace: str, operator: OperatorProcess, tmp_path: Path) -> OperatorProcess:
    """A running operator, with the objects of its installation."""
    install(kubectl, namespace, tmp_path / "operator.settings.yaml")
    return operator


def manifest(fields: Json, name: str = "app") -> str:
    body = {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuild", "metadata": {"name": name}}
    return json.dumps({**body, "spec": spec(**fields)})


def completed(kubectl: Kubectl, pod: Json) -> Json:
    """A pod as the API server would hold it, under another name, without what differs each time."""
    body = {**pod, "metadata": {**pod["metadata"], "name": "another"}}
    made = kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(body))
    return without_moments(json.loads(made))


def without_moments(pod: Json) -> Json:
    own = {"name", "uid", "creationTimestamp", "resourceVersion", "managedFields", "generation"}
    metadata = {name: value for name, value in pod["metadata"].items() if name not in own}
    return {"metadata": metadata, "spec": pod["spec"]}


@pytest.mark.parametrize("fields", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("settings", [{"builder": {"resources": {"requests": {"cpu": "100m"}}}, "tracing": {}}])
def test_the_pod_is_the_one_that_the_operator_creates(
    installed: OperatorProcess,
    run: Run,
    builds: Builds,
    defaults: Defaults,
    kubelet: Kubelet,
    kubectl: Kubectl,
    namespace: str,
    fields: Json,
):
    assert installed.is_running()
    defaults.create({"podTemplate": {"spec": {"nodeSelector": {"pool": "builds"}}}, "retry": {"limit": 1}})
    foreseen = json.loads(run("-f", "-", "-o", "json", stdin=manifest(fields)).stdout)
    builds.create(spec(**fields), "app")
    pod = kubelet.pod()
    shown = json.loads(run("app", "-o", "json").stdout)
    assert [each["metadata"]["name"] for each in shown["pods"]] == [pod["metadata"]["name"]]
    assert completed(kubectl, shown["pods"][0]) == without_moments(pod)
    uid = foreseen["pods"][0]["metadata"]["ownerReferences"][0]["uid"]
    ours = json.loads(json.dumps(foreseen["pods"][0]).replace(uid, builds.get("app")["metadata"]["uid"]))
    assert {**ours, "metadata": {**ours["metadata"], "name": ""}} == {
        **shown["pods"][0],
        "metadata": {**shown["pods"][0]["metadata"], "name": ""},
    }
    status = wait_for_build(builds.api.api_client, namespace, "app", phase)["status"]
    assert (foreseen["phase"], foreseen["reason"]) == (status["phase"], status.get("reason", ""))
    assert foreseen["message"].replace(foreseen["pods"][0]["metadata"]["name"], status["podName"]) == status["message"]


def test_the_pods_of_a_multi_platform_image(
    installed: OperatorProcess,
    run: Run,
    builds: Builds,
    kubelet: Kubelet,
    kubectl: Kubectl,
    api: client.ApiClient,
    namespace: str,
):
    assert installed.is_running()
    both = ["linux/amd64", "linux/arm64"]
    builds.create(spec(output={**OUTPUT, "platforms": both, "attestations": {"provenance": "SLSA"}}), "app")
    wait_for_build(api, namespace, "app", lambda build: len(kubelet.pods()) == 2 and phase(build))
    shown = json.loads(run("app", "-o", "json").stdout)["pods"]
    for pod in shown[:2]:
        made = kubectl("get", "pod", pod["metadata"]["name"], "-n", namespace, "-o", "json")
        assert completed(kubectl, pod) == without_moments(json.loads(made))
    assert [container["name"] for container in shown[2]["spec"]["containers"]] == ["index"]


@pytest.mark.parametrize("settings", [{"admission": {"maxRunningPerNamespace": 1}}])
def test_why_a_build_would_wait(
    installed: OperatorProcess, run: Run, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    assert installed.is_running()
    builds.create(spec(), "one")
    assert kubelet.pod()
    wait_for_build(api, namespace, "one", lambda build: phase(build) == "Preparing")
    done = run("-f", "-", stdin=manifest({}, "two"))
    assert done.returncode == 0, done.stderr
    builds.create(spec(), "two")
    status = wait_for_build(api, namespace, "two", phase)["status"]
    comments = [line.removeprefix("# ") for line in done.stdout.splitlines() if line.startswith("# ")]
    assert comments[0] == f"ImageBuild {namespace}/two gets phase {status['phase']} ({status['reason']})."
    assert comments[1] == status["message"]
    assert [each["kind"] for each in yaml.safe_load_all(done.stdout)] == ["Pod"]


def test_what_a_newer_build_supersedes(
    installed: OperatorProcess, run: Run, builds: Builds, api: client.ApiClient, namespace: str
):
    assert installed.is_running()
    group = {"group": "main", "policy": "LatestCancelRunning"}
    builds.create(spec(concurrency=group), "one")
    wait_for_build(api, namespace, "one", phase)
    shown = json.loads(run("-f", "-", "-o", "json", stdin=manifest({"concurrency": group}, "zwei")).stdout)
    assert shown["supersedes"] == ["one"], builds.get("one")


def test_an_invalid_spec_fails_as_it_would_with_the_operator(
    installed: OperatorProcess, run: Run, builds: Builds, defaults: Defaults, api: client.ApiClient, namespace: str
):
    assert installed.is_running()
    defaults.create({"limits": {"maxTimeoutSeconds": 60}})
    fields = {"timeoutSeconds": 61}
    done = run("-f", "-", "-o", "json", stdin=manifest(fields))
    assert done.returncode == 1, done.stderr
    builds.create(spec(**fields), "app")
    status = wait_for_build(api, namespace, "app", phase)["status"]
    shown = json.loads(done.stdout)
    assert [shown["phase"], shown["reason"], shown["message"]] == [
        status["phase"],
        status["reason"],
        status["message"],
    ]
    assert shown["pods"] == []


def test_a_dry_run_shows_the_answers_of_admission(
    installed: OperatorProcess, run: Run, builds: Builds, api: client.ApiClient, namespace: str
):
    assert installed.is_running()
    limit = client.V1LimitRangeItem(type="Container", min={"memory": "64Mi"})
    body = client.V1LimitRange(metadata=client.V1ObjectMeta(name="small"), spec=client.V1LimitRangeSpec(limits=[limit]))
    client.CoreV1Api(api).create_namespaced_limit_range(namespace, body)
    little = {"resources": {"requests": {"memory": "1Mi"}}}
    done = run("-f", "-", "--create-dry-run", stdin=manifest(little))
    assert done.returncode == 1, done.stdout + done.stderr
    builds.create(spec(**little), "app")
    status = wait_for_build(api, namespace, "app", phase)["status"]
    assert f"gets phase Failed ({status['reason']})" in done.stdout.replace("\n# ", " ")
    assert "minimum memory usage per Container" in done.stdout.replace("\n# ", " ")
    assert run("-f", "-", stdin=manifest(little, "b")).returncode == 0


def test_what_is_missing_and_what_is_not_known(run: Run, builds: Builds, api: client.ApiClient, namespace: str):
    done = run("-f", "-", stdin=manifest({"source": GIT, "output": OUTPUT}))
    said = done.stdout.replace("\n# ", " ")
    assert f"No operator builds ImageBuilds like this in namespace {namespace}" in said
    assert "Settings of the operator: the chart's defaults" in said
    assert "Secret git does not exist: create it, the build waits for it." in said
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="push"), string_data={"password": "none"})
    client.CoreV1Api(api).create_namespaced_secret(namespace, secret)
    said = run("-f", "-", stdin=manifest({"output": OUTPUT})).stdout
    assert "Secret push has no key .dockerconfigjson" in said
    assert builds.refusal({}).startswith("ImageBuild")


def test_a_user_of_one_namespace_is_told_what_is_assumed(
    installed: OperatorProcess, run: Run, builds: Builds, token: Path, namespace: str
):
    assert installed.is_running()
    assert builds.namespace == namespace
    said = run("-f", "-", stdin=manifest({}), kubeconfig=token).stdout.replace("\n# ", " ")
    assert "the chart's defaults, because you may not see the operator's Deployment." in said
    assert "ClusterImageBuildDefaults are not considered: you may not read them." in said
    named = run("-f", "-", "--operator-namespace", namespace, stdin=manifest({}), kubeconfig=token)
    assert f"ConfigMap {namespace}/imagebuild-operator." in named.stdout.replace("\n# ", " "), named.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "explain NAME, or explain -f FILE"),
        (["nosuch"], 4, '"nosuch" not found.'),
        (["-f", "-"], 4, "spec.output.images"),
    ],
)
def test_errors_are_one_line(run: Run, builds: Builds, arguments: list[str], code: int, message: str):
    assert builds.namespace
    done = run(*arguments, stdin=manifest({"output": {"images": []}}))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done.stderr
    assert message in done.stderr
