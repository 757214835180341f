"""A cluster with a kubelet, and the chart of this tree installed in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from environment import ROOT, cluster_variables, with_programs
from functional.kube import Builds, Kubectl
from kubernetes import client, config
from support.executor import executor_in, note
from support.file_server import FileServer, serve_files
from support.registry import Registry


@pytest.fixture(scope="session")
def cluster() -> dict[str, str]:
    """KUBECONFIG, BIN, REGISTRY and so on."""
    return cluster_variables()


@pytest.fixture(scope="session", autouse=True)
def installed(cluster: dict[str, str], pytestconfig: pytest.Config) -> None:
    """The chart, installed by Helm, its operator ready."""
    done = subprocess.run(
        [sys.executable, "tools/install.py"],
        cwd=ROOT,
        env=with_programs(cluster),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.exit(f"the chart could not be installed:\n{done.stdout}{done.stderr}", returncode=1)
    layout = [sys.executable, "shim/image/build.py", "--print-layout"]
    asked = subprocess.run(layout, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    note(pytestconfig, executor_in(Path(asked.stdout.strip())))


@pytest.fixture(scope="session")
def api(cluster: dict[str, str]) -> Iterator[client.ApiClient]:
    """A client with all rights."""
    with config.new_client_from_config(cluster["KUBECONFIG"]) as made:
        yield made


@pytest.fixture(scope="session")
def kubectl(cluster: dict[str, str]) -> Kubectl:
    """The cluster's kubectl."""
    os.environ.setdefault("KUBECACHEDIR", cluster.get("KUBECACHEDIR", ""))
    return Kubectl(Path(cluster["BIN"]) / "kubectl", Path(cluster["KUBECONFIG"]))


@pytest.fixture
def namespace(api: client.ApiClient) -> Iterator[str]:
    """A namespace of the test's own that enforces PodSecurity level baseline."""
    core = client.CoreV1Api(api)
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    made = core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(generate_name="e2e-", labels=labels)))
    assert made.metadata
    assert made.metadata.name
    yield made.metadata.name
    core.delete_namespace(made.metadata.name)


@pytest.fixture
def builds(api: client.ApiClient, namespace: str) -> Builds:
    """The ImageBuilds of the test's namespace."""
    return Builds(client.CustomObjectsApi(api), namespace)


def _crane(cluster: dict[str, str]) -> Path:
    program = shutil.which("crane", path=with_programs(cluster)["PATH"])
    assert program, "crane is neither in the cluster's BIN nor on PATH"
    return Path(program)


@pytest.fixture(scope="session")
def registry(cluster: dict[str, str]) -> Registry:
    """The registry without a password."""
    return Registry(cluster["REGISTRY_ADDRESS"], _crane(cluster), cluster["REGISTRY"])


@pytest.fixture(scope="session")
def private_registry(cluster: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The registry with TLS and a password, seen by one who knows it."""
    folder = tmp_path_factory.mktemp("docker-config")
    (folder / "config.json").write_text(
        cluster["REGISTRY_AUTH"].replace(cluster["PRIVATE_REGISTRY"], cluster["PRIVATE_REGISTRY_ADDRESS"])
    )
    environment = {**with_programs(cluster), "DOCKER_CONFIG": str(folder)}
    crane = _crane(cluster)
    return Registry(cluster["PRIVATE_REGISTRY_ADDRESS"], crane, cluster["PRIVATE_REGISTRY"], environment)


@pytest.fixture
def files(cluster: dict[str, str]) -> Iterator[FileServer]:
    """A web server that pods reach."""
    with serve_files(cluster["HOST_ADDRESS"]) as server:
        yield server
