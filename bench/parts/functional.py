"""The functional test cluster (etcd and kube-apiserver), and who makes pods in it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from environment import cluster_variables
from functional.operator_process import OperatorProcess, Settings
from parts.api import CONFLICT, Api, ApiError, at_once, connected
from support.ports import free_port
from support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
TEKTON_NAMESPACE = "tekton-pipelines"
#: Where the benchmarks' own cluster is.
STATE = Path("/var/lib" if os.geteuid() == 0 else Path.home() / ".cache") / "imagebuild-bench"
PORTS = "40"
RATES = ("--kube-api-qps=400", "--kube-api-burst=800")
#: What Tekton puts into pods; nothing pulls them here.
IMAGES = ("entrypoint", "nop", "shell", "workingdirinit", "sidecarlogresults")


@dataclass(frozen=True)
class Process:
    """A process of which the use of the machine is measured."""

    pid: int

    def cpu(self) -> float:
        """Seconds of CPU time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """MiB of memory that it holds."""
        pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Functional:
    """The cluster."""

    def __init__(self) -> None:
        _cluster("up")
        variables = cluster_variables("--functional")
        self.kubeconfig, self.bin = Path(variables["KUBECONFIG"]), Path(variables["BIN"])
        self.apply(*sorted((ROOT / "crds").glob("*.yaml")))

    def apply(self, *files: Path) -> None:
        """Apply manifests, and wait for the definitions in them."""
        named = [word for file in files for word in ("-f", str(file))]
        self._kubectl("apply", "--server-side", "--force-conflicts", *named)
        until(self._defined, timeout=60)

    def _defined(self) -> bool:
        definitions = json.loads(self._kubectl("get", "customresourcedefinitions", "--output=json"))["items"]
        conditions = [each.get("status", {}).get("conditions") or [] for each in definitions]
        return all(any(c["type"] == "Established" and c["status"] == "True" for c in of) for of in conditions)

    def _kubectl(self, *arguments: str) -> str:
        command = [str(self.bin / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    @contextmanager
    def operator(self, namespaces: str = "", settings: Settings | None = None) -> Iterator[OperatorProcess]:
        """The operator with a Lease, as the chart installs it, which watches these namespaces, or all."""
        lease = {"leaderElection": {"leaseName": "imagebuild-bench", "leaseNamespace": "default"}}
        with tempfile.TemporaryDirectory() as folder:
            process = OperatorProcess(self.kubeconfig, namespaces, Path(folder) / "log", {**lease, **(settings or {})})
            process.start()
            try:
                yield process
            finally:
                process.stop()

    @contextmanager
    def job_controller(self) -> Iterator[Process]:
        """The Job controller of kube-controller-manager, alone in its process."""
        port = free_port()
        command = [str(self.bin / "kube-controller-manager"), "--controllers=job-controller", "--leader-elect=false"]
        command += [f"--kubeconfig={self.kubeconfig}", "--bind-address=127.0.0.1", f"--secure-port={port}", *RATES]
        with _running(command) as process:
            yield process

    @contextmanager
    def tekton(self, program: Path, config: Path) -> Iterator[Process]:
        """Tekton's controller, with rates and threads that do not hold it back.

        Args:
            program: The controller.
            config: The folder `config` of its module.
        """
        with tempfile.TemporaryDirectory() as folder:
            self.apply(*_tekton_manifests(config, Path(folder)))
            images = [word for name in IMAGES for word in (f"-{name}-image", f"registry.example.com/{name}:1")]
            images += ["-shell-image-win", "registry.example.com/shell:1"]
            command = [str(program), *images, "-disable-ha", "-threads-per-controller=32"]
            command += [f"-kubeconfig={self.kubeconfig}", *RATES]
            names = {
                "CONFIG_DEFAULTS_NAME": "config-defaults",
                "CONFIG_LOGGING_NAME": "config-logging",
                "CONFIG_OBSERVABILITY_NAME": "config-observability",
                "CONFIG_FEATURE_FLAGS_NAME": "feature-flags",
                "CONFIG_LEADERELECTION_NAME": "config-leader-election-controller",
                "CONFIG_SPIRE": "config-spire",
            }
            ports = {"PROBES_PORT": str(free_port()), "METRICS_PROMETHEUS_PORT": str(free_port())}
            about = {"SYSTEM_NAMESPACE": TEKTON_NAMESPACE, "METRICS_DOMAIN": "tekton.dev/pipeline"}
            with _running(command, {**names, **ports, **about, "KUBERNETES_MIN_VERSION": "v1.28.0"}) as process:
                yield process

    @asynccontextmanager
    async def api(self) -> AsyncIterator[Api]:
        """A client with all rights."""
        async with connected(self.kubeconfig) as api:
            yield api


@contextmanager
def fresh() -> Iterator[Functional]:
    """A cluster in which nothing is, beside the one that tests use; nothing of it stays."""
    os.environ.setdefault("IMAGEBUILD_CLUSTER_STATE", str(STATE))
    os.environ.setdefault("IMAGEBUILD_FUNCTIONAL_PORTS", PORTS)
    _cluster("down")
    try:
        yield Functional()
    finally:
        _cluster("down")


def _cluster(command: str) -> None:
    subprocess.run([sys.executable, "-m", "cluster", command, "--functional"], cwd=ROOT / "tests", check=True)


@contextmanager
def _running(command: list[str], environment: dict[str, str] | None = None) -> Iterator[Process]:
    with tempfile.TemporaryFile("w+") as log:
        whole = {**os.environ, **(environment or {})}
        process = subprocess.Popen(command, env=whole, stdout=log, stderr=log)
        try:
            yield Process(process.pid)
        finally:
            ended = process.poll() is not None
            process.terminate()
            process.wait(30)
            if ended:
                log.seek(0)
                print(f"{command[0]} has ended by itself:\n{log.read()[-3000:]}", file=sys.stderr)


def _tekton_manifests(config: Path, folder: Path) -> Iterator[Path]:
    """Its definitions and settings; without webhooks, for there is no network to reach them by."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEKTON_NAMESPACE}}
    found = [namespace]
    for file in (*sorted((config / "300-crds").glob("*.yaml")), *sorted(config.glob("config-*.yaml"))):
        found += [each for each in yaml.safe_load_all(file.read_text(encoding="utf-8")) if each]
    for each in found:
        spec = each.get("spec", {})
        if isinstance(spec, dict):
            spec.pop("conversion", None)
    file = folder / "tekton.yaml"
    file.write_text(yaml.safe_dump_all(found), encoding="utf-8")
    yield file


async def make_namespaces(api: Api, names: list[str]) -> None:
    """Make namespaces with the ServiceAccount of their pods; those that are there stay."""

    async def make(name: str) -> None:
        for path, body in (
            ("/api/v1/namespaces", {"metadata": {"name": name}}),
            (f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}}),
        ):
            try:
                await api.ask("POST", path, body)
            except ApiError as error:
                if error.status != CONFLICT:
                    raise

    await at_once(names, make)
