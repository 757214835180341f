"""How soon an operator that starts makes its first pod, beside finished builds: with none, and with many.

Runs against the functional test cluster (etcd and kube-apiserver), which it starts if need be:

    .venv/bin/python bench/restart.py [COUNT ...]

It prints seconds from the start to the pod of a new build, the operator's memory then, and the bytes that it has been
sent of ImageBuilds, for each COUNT (0, 1000 and 10000), and the ratio of the last to the first.
"""

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kubernetes import client, config

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from environment import cluster_variables  # noqa: E402
from functional.kube import GROUP, PLURAL, VERSION, spec  # noqa: E402
from functional.operator_process import OperatorProcess  # noqa: E402
from support.api_proxy import ApiProxy  # noqa: E402
from support.watching import wait_for_pod  # noqa: E402

THREADS = 8
STATUS = {
    "phase": "Succeeded",
    "message": "Pushed registry.example.com/team/app:1 as sha256:" + "ab" * 32 + ".",
    "completionTime": "2026-11-24T08:00:00Z",
    "digest": "sha256:" + "ab" * 32,
}


class Bench:
    """A namespace with finished builds, and the operators that start there."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self._api = config.new_client_from_config(str(kubeconfig))
        self._core = client.CoreV1Api(self._api)
        self._builds = client.CustomObjectsApi(self._api)
        made = self._core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(generate_name="bench-")))
        self._namespace = str(made.metadata and made.metadata.name)
        account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
        self._core.create_namespaced_service_account(self._namespace, account)
        self._finished = 0

    def finish(self, count: int) -> None:
        """See that there are so many finished builds."""
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._finish, range(self._finished, count)))
        self._finished = max(self._finished, count)

    def _finish(self, number: int) -> None:
        self._create(f"old-{number}")
        arguments = GROUP, VERSION, self._namespace, PLURAL, f"old-{number}"
        self._builds.patch_namespaced_custom_object_status(*arguments, {"status": STATUS})

    def _create(self, name: str) -> None:
        body: dict[str, Any] = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ImageBuild", "metadata": {"name": name}}
        arguments = GROUP, VERSION, self._namespace, PLURAL
        self._builds.create_namespaced_custom_object(*arguments, {**body, "spec": spec()})

    def start(self) -> tuple[float, float, int]:
        """Seconds to the first pod, MiB of memory, and bytes of ImageBuilds."""
        name = f"new-{time.monotonic_ns()}"
        self._create(name)
        with tempfile.TemporaryDirectory() as folder, ApiProxy(self._kubeconfig).running() as proxy:
            through = proxy.kubeconfig(Path(folder) / "kubeconfig")
            operator = OperatorProcess(through, self._namespace, Path(folder) / "log")
            begin = time.monotonic()
            operator.start()
            try:
                pod = wait_for_pod(self._api, self._namespace, timeout=120)
                seconds = time.monotonic() - begin
                memory = operator.memory() / 2**20
            finally:
                operator.stop()
            received = sum(size for (path, _), size in proxy.passed.items() if path.endswith(PLURAL))
        self._builds.delete_namespaced_custom_object(GROUP, VERSION, self._namespace, PLURAL, name)
        self._core.delete_namespaced_pod(pod["metadata"]["name"], self._namespace, grace_period_seconds=0)
        return seconds, memory, received

    def close(self) -> None:
        """Remove all of it."""
        self._builds.delete_collection_namespaced_custom_object(GROUP, VERSION, self._namespace, PLURAL)
        self._core.delete_namespace(self._namespace)


def main(counts: list[int]) -> None:
    """Measure each count three times and print the best."""
    subprocess.run([sys.executable, "-m", "cluster", "up", "--functional"], cwd=ROOT / "tests", check=True)
    variables = cluster_variables("--functional")
    kubectl = [str(Path(variables["BIN"]) / "kubectl"), "--kubeconfig", variables["KUBECONFIG"]]
    apply = [*kubectl, "apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds")]
    subprocess.run(apply, check=True, stdout=subprocess.DEVNULL)
    bench = Bench(Path(variables["KUBECONFIG"]))
    try:
        results = []
        for count in counts:
            bench.finish(count)
            results.append(min(bench.start() for _ in range(3)))
            seconds, memory, received = results[-1]
            print(f"{count:6} finished   first pod {seconds:5.2f} s   memory {memory:4.0f} MiB   {received:9} bytes")
        ratio = results[-1][0] / results[0][0]
        print(f"ratio of {counts[-1]} to {counts[0]}: {ratio:.2f}")
    finally:
        bench.close()


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [0, 1000, 10000])
