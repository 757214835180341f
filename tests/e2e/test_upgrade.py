"""Upgrade, rollback, uninstallation and reinstallation of the chart while builds run.

The tests run the commands of docs/how-to/upgrade.md, docs/how-to/uninstall.md and docs/how-to/engines.md, on the
release of the tests.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.test_builds import build
from environment import ROOT, with_programs
from functional.kube import Builds, Kubectl
from install import CHART, NAMESPACE, RELEASE
from kubernetes import client
from support.file_server import FileServer
from support.registry import Registry
from support.watching import (
    Json,
    phase,
    wait_for_build,
    wait_for_definitions,
    wait_for_finish,
    wait_for_no_pods,
    wait_for_pod,
)

DEFINITIONS = ("imagebuilds", "imagebuilddefaults", "clusterimagebuilddefaults")


@dataclass(frozen=True)
class Release:
    """Runs commands of Helm on the release of the tests.

    Attributes:
        environment: variables with the cluster's KUBECONFIG and PATH.
        values: file with the values that the release had before the test.
        older: the chart, packaged as version 0.0.1: the chart from which the tests upgrade.
    """

    environment: dict[str, str]
    values: Path
    older: Path

    def __call__(self, command: str, *arguments: str) -> str:
        """What Helm printed.

        Raises:
            AssertionError: it failed; the message holds its standard error.
        """
        whole = ["helm", command, RELEASE, *arguments, "--namespace", NAMESPACE, "--timeout=120s"]
        done = subprocess.run(whole, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(whole)}: {done.stderr}"
        return done.stdout + done.stderr

    def version(self) -> str:
        """The version of the installed chart."""
        command = ["helm", "list", "--namespace", NAMESPACE, f"--filter=^{RELEASE}$", "--output=json"]
        listed = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, text=True, check=True)
        [installed] = json.loads(listed.stdout)
        return str(installed["chart"]).removeprefix(f"{CHART.name}-")


@pytest.fixture
def release(cluster: dict[str, str], api: client.ApiClient, tmp_path: Path) -> Iterator[Release]:
    """The release of the tests; afterwards it is as it was."""
    environment, values = with_programs(cluster), tmp_path / "values.yaml"

    def helm(*arguments: str) -> str:
        return subprocess.run(
            ["helm", *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    values.write_text(helm("get", "values", RELEASE, "--namespace", NAMESPACE, "--output=yaml"))
    helm("package", str(CHART), "--version=0.0.1", f"--destination={tmp_path}")
    made = Release(environment, values, tmp_path / f"{CHART.name}-0.0.1.tgz")
    yield made
    made("upgrade", str(CHART), "--install", f"--values={values}", "--take-ownership", "--wait")
    wait_for_definitions(api)


def waits_for(files: FileServer, path: str, then: str = "true") -> dict[str, str]:
    """A build context whose build ends when the test serves a file."""
    wait = f"until wget -q -O /dev/null {files.url}/{path}; do sleep 1; done"
    return {"Dockerfile": f"FROM busybox\nRUN {wait}\nRUN {then}\n"}


def pods_of(api: client.ApiClient, namespace: str, name: str) -> list[str]:
    """The uids of the pods of a build, of earlier attempts too."""
    listed = client.CoreV1Api(api).list_namespaced_pod(namespace, label_selector=f"imagebuild.dev/build={name}")
    return [str(pod.metadata.uid) for pod in listed.items if pod.metadata]


def is_over(pod: Json) -> bool:
    """Whether all containers of a pod have ended."""
    return pod["status"]["phase"] in {"Succeeded", "Failed"}


def reach(api: client.ApiClient, namespace: str, name: str, expected: str) -> None:
    """Wait until a build is in a phase."""
    wait_for_build(api, namespace, name, lambda body: phase(body) == expected, timeout=90)


def test_the_chart_gives_nodes_a_seccomp_profile_and_buildkit_builds_under_it(
    release: Release, cluster: dict[str, str], builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    # A kubelet looks below its root directory, which is not the usual one in the test cluster.
    kubelet = Path(cluster["BIN"]).parent / "kubelet" if "BIN" in cluster else Path("/var/lib/kubelet")
    prefix = "builder.buildkit.nodeProfile"
    directory = f"--set={prefix}.directory={kubelet / 'seccomp'}"

    def filters(name: str) -> str:
        image = f"{registry.name}/{namespace}/{name}:1"
        dockerfile = "FROM busybox\nRUN grep Seccomp_filters /proc/self/status > /filters\n"
        builds.create(build({"Dockerfile": dockerfile}, image, engine="BuildKit"), name)
        status = wait_for_finish(api, namespace, name)
        assert status["phase"] == "Succeeded", status
        return registry.files(image)["/filters"].content.decode().split()[1]

    assert filters("without") == "1"  # That of BuildKit.
    release("upgrade", str(CHART), "--reuse-values", f"--set={prefix}.enabled=true", directory, "--wait")
    assert filters("with") == "2"


@pytest.mark.shows("F36")
def test_an_upgrade_and_a_rollback_lose_no_build_and_build_none_twice(
    release: Release,
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    registry: Registry,
    files: FileServer,
):
    limit = f"--set=admission.namespaces.{namespace}=1"
    release("upgrade", str(release.older), f"--values={release.values}", limit, "--wait")
    assert release.version() == "0.0.1"
    image = f"{registry.name}/{namespace}/{{}}:1"
    builds.create(build({"Dockerfile": "FROM busybox\n"}, image.format("finished")), name="finished")
    finished = wait_for_finish(api, namespace, "finished")
    builds.create(build(waits_for(files, "running"), image.format("running")), name="running")
    reach(api, namespace, "running", "Building")
    pods = pods_of(api, namespace, "running")
    builds.create(build(waits_for(files, "queued"), image.format("queued")), name="queued")
    builds.create(build({"Dockerfile": "FROM busybox\n"}, image.format("held"), suspend=True), name="held")
    reach(api, namespace, "queued", "Queued")

    release("upgrade", str(CHART), "--reset-then-reuse-values", "--wait")
    assert release.version() != "0.0.1"
    assert [phase(builds.get(name)) for name in ("running", "queued")] == ["Building", "Queued"]
    files.files["/running"] = b"go"
    assert wait_for_finish(api, namespace, "running")["phase"] == "Succeeded"
    reach(api, namespace, "queued", "Building")

    release("rollback", "--wait")
    assert release.version() == "0.0.1"
    assert phase(builds.get("queued")) == "Building"
    files.files["/queued"] = b"go"
    builds.patch({"spec": {"suspend": False}}, name="held")
    for name in ("running", "queued", "held"):
        status = wait_for_finish(api, namespace, name)
        assert (status["phase"], status["attemptCount"]) == ("Succeeded", 1), status
        assert status["digest"] == registry.digest(image.format(name))
        assert len(pods_of(api, namespace, name)) == 1
    assert pods_of(api, namespace, "running") == pods
    assert builds.get("finished")["status"] == finished


@pytest.mark.shows("F37")
def test_builds_outlive_an_uninstallation_and_end_after_the_next_installation(
    release: Release,
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    registry: Registry,
    files: FileServer,
):
    image = f"{registry.name}/{namespace}/{{}}:1"
    builds.create(build({"Dockerfile": "FROM busybox\n"}, image.format("finished")), name="finished")
    finished = wait_for_finish(api, namespace, "finished")
    builds.create(build({"Dockerfile": "FROM busybox\n"}, image.format("held"), suspend=True), name="held")
    for name, then in (("running", "true"), ("failing", "exit 3")):
        builds.create(build(waits_for(files, "go", then), image.format(name)), name=name)
    for name in ("running", "failing"):
        reach(api, namespace, name, "Building")
    pods = {name: pods_of(api, namespace, name) for name in ("running", "failing")}

    assert "kept" in release("uninstall", "--wait")
    builds.create(build({"Dockerfile": "FROM busybox\n"}, image.format("new")), name="new")
    builds.patch({"spec": {"suspend": False}}, name="held")
    files.files["/go"] = b"go"
    for name, end in (("running", "Succeeded"), ("failing", "Failed")):
        pod = wait_for_pod(api, namespace, is_over, f"imagebuild.dev/build={name}", timeout=90)
        assert pod["status"]["phase"] == end
        assert phase(builds.get(name)) == "Building"
    assert "status" not in builds.get("new")

    release("install", str(CHART), f"--values={release.values}", "--wait")
    for name in ("running", "held", "new"):
        status = wait_for_finish(api, namespace, name)
        assert (status["phase"], status["attemptCount"]) == ("Succeeded", 1), status
        assert status["digest"] == registry.digest(image.format(name))
        assert len(pods_of(api, namespace, name)) == 1
    failed = wait_for_finish(api, namespace, "failing")
    assert (failed["reason"], failed["attemptCount"]) == ("RunCommandFailed", 1), failed
    assert {name: pods_of(api, namespace, name) for name in pods} == pods
    assert builds.get("finished")["status"] == finished


def test_the_builds_go_with_their_definitions(
    release: Release, builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    listed = json.loads(kubectl("get", ",".join(DEFINITIONS), "--all-namespaces", "-o", "json"))["items"]
    places = {f"{item['kind']} of {item['metadata'].get('namespace', 'the cluster')}" for item in listed}
    if foreign := {place for place in places if not re.search(" of (e2e-|imagebuild-demo)", place)}:
        pytest.skip(f"{', '.join(sorted(foreign))}, which no test has made, would be deleted")
    builds.create(build({"Dockerfile": "FROM busybox\nRUN sleep 60\n"}, f"{registry.name}/{namespace}/gone:1"))
    reach(api, namespace, "hello", "Building")
    release("uninstall", "--wait")
    kubectl("delete", "crd", *(f"{plural}.imagebuild.dev" for plural in DEFINITIONS))
    wait_for_no_pods(api, namespace, timeout=60)
