"""A cluster with a kubelet, and the chart of this tree installed in it."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import oci
from cluster.artefacts import artefact
from environment import ROOT, cluster_registry, cluster_variables, program, with_programs
from functional.kube import Builds, Kubectl
from kaniko_shim.engines.kaniko.executor.abilities import Abilities
from kubernetes import client, config
from support.executor import executor_in, note
from support.file_server import FileServer, serve_files
from support.program_image import push_programs
from support.registry import Registry

#: Vulnerabilities that are made up: package, name, version that has it no more, severity.
ADVISORIES = [
    ("openssl", "CVE-2099-0001", "3.0.99-1", 4, "CRITICAL"),
    ("zlib", "CVE-2099-0002", "", 3, "HIGH"),
    ("tzdata", "CVE-2099-0003", "2099a-1", 1, "LOW"),
]


@pytest.fixture(scope="session")
def cluster() -> dict[str, str]:
    """KUBECONFIG, REGISTRY and so on; a cluster that is not ours may lack some."""
    try:
        variables = cluster_variables()
        with_programs(variables)
        cluster_registry(variables)
    except SystemExit as error:
        pytest.exit(str(error), returncode=1)
    return variables


def needed(cluster: dict[str, str], variable: str, what: str) -> str:
    """A variable that a cluster may lack; the test is skipped where it does."""
    if not cluster.get(variable):
        pytest.skip(f"{variable} is not set: {what}")
    return cluster[variable]


@pytest.fixture(scope="session")
def executor(pytestconfig: pytest.Config) -> Abilities:
    """The executor of the builder image."""
    layout = [sys.executable, "shim/image/build.py", "--print-layout"]
    asked = subprocess.run(layout, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = executor_in(Path(asked.stdout.strip()))
    note(pytestconfig, found)
    return found


@pytest.fixture(scope="session", autouse=True)
def installed(cluster: dict[str, str], executor: Abilities) -> None:
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
        pytest.exit(f"the chart could not be installed with {executor.name}:\n{done.stdout}{done.stderr}", returncode=1)


@pytest.fixture(scope="session")
def api(cluster: dict[str, str]) -> Iterator[client.ApiClient]:
    """A client with all rights."""
    with config.new_client_from_config(cluster["KUBECONFIG"]) as made:
        yield made


@pytest.fixture(scope="session")
def kubectl(cluster: dict[str, str]) -> Kubectl:
    """The cluster's kubectl."""
    if "KUBECACHEDIR" in cluster:
        os.environ.setdefault("KUBECACHEDIR", cluster["KUBECACHEDIR"])
    return Kubectl(program("kubectl", cluster), Path(cluster["KUBECONFIG"]))


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


@pytest.fixture(scope="session")
def registry(cluster: dict[str, str]) -> Registry:
    """The registry without a password."""
    about = cluster_registry(cluster)
    return Registry(about.address, program("crane", cluster), about.name)


@pytest.fixture(scope="session")
def hub(cluster: dict[str, str]) -> Registry:
    """What builds pull busybox from: a mirror in the cluster, or Docker Hub."""
    about = cluster_registry(cluster)
    if about.hub_mirror == about.host:
        return Registry(about.address.partition("/")[0], program("crane", cluster), about.host)
    return Registry(about.hub_mirror or "index.docker.io", program("crane", cluster), about.hub_mirror)


@pytest.fixture(scope="session")
def private_registry(cluster: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The registry with TLS, a private CA and a password, seen by one who knows it."""
    name = needed(cluster, "PRIVATE_REGISTRY", "a registry with a password and a certificate from a private CA")
    auth = needed(cluster, "REGISTRY_AUTH", "a Docker config with the credentials of PRIVATE_REGISTRY")
    needed(cluster, "REGISTRY_PASSWORD", "the password of PRIVATE_REGISTRY")
    needed(cluster, "REGISTRY_CA", "the path of the CA of PRIVATE_REGISTRY")
    address = cluster.get("PRIVATE_REGISTRY_ADDRESS") or name
    folder = tmp_path_factory.mktemp("docker-config")
    (folder / "config.json").write_text(auth.replace(name, address))
    environment = {**with_programs(cluster), "DOCKER_CONFIG": str(folder)}
    return Registry(address, program("crane", cluster), name, environment)


@pytest.fixture
def host_address(cluster: dict[str, str]) -> str:
    """This machine as pods reach it."""
    return needed(cluster, "HOST_ADDRESS", "an address of this machine that pods reach")


@pytest.fixture
def node_folder(cluster: dict[str, str], tmp_path: Path) -> Path:
    """A folder that is on the node, too."""
    needed(cluster, "CONTAINERD_ADDRESS", "the socket of the containerd of a node that is this machine")
    return tmp_path


@pytest.fixture
def files(host_address: str) -> Iterator[FileServer]:
    """A web server that pods reach."""
    with serve_files(host_address) as server:
        yield server


@pytest.fixture(scope="session")
def scanner(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image of Trivy."""
    push_programs(registry, tmp_path_factory.mktemp("trivy"), "scan/trivy:1", {"usr/local/bin/trivy": "trivy"})
    return by_digest(registry, "scan/trivy")


@pytest.fixture(scope="session")
def database(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image of its database."""
    folder = tmp_path_factory.mktemp("database")
    names = ("package", "name", "fixed", "number", "severity")
    advisories = [{"platform": "debian 12", **dict(zip(names, each, strict=True))} for each in ADVISORIES]
    command = [str(artefact("trivy-database")), str(folder / "content")]
    subprocess.run(command, input=json.dumps(advisories), text=True, check=True)
    push_folder(registry, folder / "content", folder / "layout", "scan/database:1")
    return by_digest(registry, "scan/database")


@pytest.fixture
def gate(scanner: str, database: str) -> dict[str, str]:
    """What limits.vulnerabilities of the defaults needs."""
    return {"scanner": scanner, "database": database}


def by_digest(registry: Registry, repository: str) -> str:
    """An image as nodes pull it, whatever they have kept of an earlier one."""
    name = f"{registry.name}/{repository}"
    return f"{name}@{registry.digest(f'{name}:1')}"


def push_folder(registry: Registry, content: Path, layout: Path, image: str) -> None:
    """Push a folder as an image."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(content, arcname=".")
    archive.seek(0)
    layout.mkdir()
    oci.write_layout(layout, archive, {})
    registry.push(str(layout), image)
