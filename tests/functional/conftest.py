"""A real API server for the tests of this folder, and a namespace for each of them.

It is the test cluster's functional mode (etcd and kube-apiserver), started where it isn't running and left running for
the next time; FUNCTIONAL_KUBECONFIG names another server. KUBECONFIG is not looked at: these tests write what a kubelet
would, so the cluster must have none.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from chart.helm import CHART, find_helm
from environment import cluster_variables
from functional.kube import Builds, Defaults, Helm, Kubectl
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess, Settings
from kubernetes import client, config
from support.api_proxy import ApiProxy
from support.watching import wait_for_definitions

TESTS = Path(__file__).parents[1]
CRDS = TESTS.parent / "crds"


@pytest.fixture(scope="session")
def cluster() -> dict[str, str]:
    """KUBECONFIG, and what else is known of the cluster (BIN: a folder with kubectl)."""
    if given := os.environ.get("FUNCTIONAL_KUBECONFIG"):
        return {**os.environ, "KUBECONFIG": given}
    try:
        subprocess.run([sys.executable, "-m", "cluster", "up", "--functional"], cwd=TESTS, check=True)
    except subprocess.CalledProcessError as error:
        pytest.exit(f"no API server: {error}", returncode=1)
    return cluster_variables("--functional")


@pytest.fixture(scope="session")
def kubeconfig(cluster: dict[str, str]) -> Path:
    """Path of a kubeconfig with all rights."""
    return Path(cluster["KUBECONFIG"])


@pytest.fixture(scope="session")
def kubectl(cluster: dict[str, str], kubeconfig: Path) -> Kubectl:
    """The cluster's kubectl, or else the one on PATH."""
    search = os.pathsep.join(filter(None, [cluster.get("BIN"), os.environ.get("PATH")]))
    program = shutil.which("kubectl", path=search)
    assert program, "kubectl is neither in the cluster's BIN nor on PATH"
    return Kubectl(Path(program), kubeconfig)


@pytest.fixture(scope="session")
def api(kubeconfig: Path) -> Iterator[client.ApiClient]:
    """A client with all rights."""
    with config.new_client_from_config(str(kubeconfig)) as made:
        yield made
        made.rest_client.pool_manager.clear()  # its sockets, which the client leaves open


@pytest.fixture(scope="session")
def crd(kubectl: Kubectl, api: client.ApiClient) -> Path:
    """The CRD of ImageBuild; it and that of ImageBuildDefaults are installed."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    wait_for_definitions(api)
    return CRDS / "imagebuild.yaml"


@pytest.fixture
def namespace(api: client.ApiClient) -> Iterator[str]:
    """A namespace of the test's own."""
    core = client.CoreV1Api(api)
    made = core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(generate_name="test-")))
    assert made.metadata
    assert made.metadata.name
    yield made.metadata.name
    core.delete_namespace(made.metadata.name)


@pytest.fixture
def builds(crd: Path, api: client.ApiClient, namespace: str) -> Iterator[Builds]:
    """The ImageBuilds of the test's namespace."""
    assert crd.exists()
    made = Builds(client.CustomObjectsApi(api), namespace)
    yield made
    # In functional mode nothing empties a namespace that is deleted.
    made.delete_all()


@pytest.fixture
def defaults(crd: Path, api: client.ApiClient, namespace: str) -> Iterator[Defaults]:
    """The ImageBuildDefaults of the test's namespace."""
    assert crd.exists()
    made = Defaults(client.CustomObjectsApi(api), namespace)
    yield made
    made.delete_all()


@pytest.fixture
def proxy(kubeconfig: Path) -> Iterator[ApiProxy]:
    """A proxy before the API server, for operators that are to meet faults."""
    with ApiProxy(kubeconfig).running() as running:
        yield running


@pytest.fixture
def settings() -> Settings:
    """What differs from the operator's default settings; a test says more with `parametrize`."""
    return {}


@pytest.fixture
def operator(
    kubeconfig: Path,
    crd: Path,
    namespace: str,
    api: client.ApiClient,
    tmp_path: Path,
    settings: Settings,
) -> Iterator[OperatorProcess]:
    """A running operator for the test's namespace; it must never have logged an unexpected exception."""
    assert crd.exists()
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)
    process = OperatorProcess(kubeconfig, namespace, tmp_path / "operator.log", settings)
    process.start()
    yield process
    if process.is_running():
        process.stop()
    assert process.surprises() == []


@pytest.fixture
def kubelet(api: client.ApiClient, namespace: str) -> Kubelet:
    """The hand of the kubelet."""
    return Kubelet(api, namespace)


@pytest.fixture
def helm(kubeconfig: Path, namespace: str, crd: Path) -> Iterator[Helm]:
    """Install the chart with `helm("install", …)`; the release is named after the test's namespace and in it."""
    assert crd.exists()
    program = str(find_helm())

    def run(command: str, *arguments: str) -> str:
        chart = [str(CHART)] if command in {"install", "upgrade"} else []
        line = [program, command, namespace, *chart, "--namespace", namespace, *arguments]
        done = subprocess.run(
            [*line, "--kubeconfig", str(kubeconfig)], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    run("uninstall", "--ignore-not-found")


@pytest.fixture
def token(kubeconfig: Path, api: client.ApiClient, namespace: str, tmp_path: Path) -> Path:
    """A kubeconfig with the token of a ServiceAccount `operator`, which may do everything in the namespace."""
    name = client.V1ObjectMeta(name="operator")
    core, rbac = client.CoreV1Api(api), client.RbacAuthorizationV1Api(api)
    core.create_namespaced_service_account(namespace, client.V1ServiceAccount(metadata=name))
    role = client.V1RoleRef(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name="cluster-admin")
    subject = client.RbacV1Subject(kind="ServiceAccount", name="operator", namespace=namespace)
    rbac.create_namespaced_role_binding(
        namespace, client.V1RoleBinding(metadata=name, role_ref=role, subjects=[subject])
    )
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[]))
    made = core.create_namespaced_service_account_token("operator", namespace, request)
    assert made.status
    document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    document["users"] = [{"name": entry["name"], "user": {"token": made.status.token}} for entry in document["users"]]
    path = tmp_path / "token.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path
