"""How soon after an ImageBuild is created is its pod there, beside a pod that is created directly.

Runs against the functional test cluster (etcd and kube-apiserver), which it starts if need be:

    .venv/bin/python bench/created_to_pod.py [COUNT]

Both are measured from the client's call to the moment when a watch shows the pod, one at a time and in a burst.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kubernetes import client, config, watch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from environment import cluster_variables  # noqa: E402
from functional.kube import GROUP, PLURAL, VERSION, spec  # noqa: E402
from functional.operator_process import OperatorProcess  # noqa: E402

THREADS = 8


class Watched:
    """The moments at which a watch has shown the pods of a namespace, by the name of what they were made for."""

    def __init__(self, kubeconfig: str, namespace: str) -> None:
        self._seen: dict[str, float] = {}
        self._changed = threading.Condition()
        api = config.new_client_from_config(kubeconfig)
        thread = threading.Thread(target=self._follow, args=(client.CoreV1Api(api), namespace), daemon=True)
        thread.start()

    def _follow(self, core: client.CoreV1Api, namespace: str) -> None:
        for event in watch.Watch().stream(core.list_namespaced_pod, namespace):
            if event["type"] != "ADDED":
                continue
            metadata = event["raw_object"]["metadata"]
            owners = metadata.get("ownerReferences")
            with self._changed:
                self._seen[owners[0]["name"] if owners else metadata["name"]] = time.monotonic()
                self._changed.notify_all()

    def moment(self, name: str) -> float:
        """Wait for the pod made for `name`; when it was seen."""
        with self._changed:
            self._changed.wait_for(lambda: name in self._seen, timeout=60)
            return self._seen[name]


def measure(create: Callable[[str], object], watched: Watched, prefix: str, count: int) -> tuple[list[float], float]:
    """Seconds from call to pod, one at a time; and pods per second of a burst."""
    alone = []
    for number in range(count):
        start = time.monotonic()
        create(f"{prefix}-{number}")
        alone.append(watched.moment(f"{prefix}-{number}") - start)
    names = [f"{prefix}-burst-{number}" for number in range(count)]
    start = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(create, names))
    burst = max(watched.moment(name) for name in names) - start
    return alone, count / burst


def main(count: int) -> None:
    """Measure both and print them, and their ratio."""
    subprocess.run([sys.executable, "-m", "cluster", "up", "--functional"], cwd=ROOT / "tests", check=True)
    kubeconfig = cluster_variables("--functional")["KUBECONFIG"]
    api = config.new_client_from_config(kubeconfig)
    core, builds = client.CoreV1Api(api), client.CustomObjectsApi(api)
    kubectl = Path(cluster_variables("--functional")["BIN"]) / "kubectl"
    crd = str(ROOT / "crds")
    apply = [str(kubectl), "--kubeconfig", kubeconfig, "apply", "--server-side", "--force-conflicts", "-f", crd]
    subprocess.run(apply, check=True, stdout=subprocess.DEVNULL)
    metadata = client.V1ObjectMeta(generate_name="bench-")
    created = core.create_namespace(client.V1Namespace(metadata=metadata))
    namespace = str(created.metadata and created.metadata.name)
    watched = Watched(kubeconfig, namespace)

    def create_pod(name: str) -> None:
        pod = {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        core.create_namespaced_pod(namespace, pod)  # type: ignore[arg-type]

    def create_build(name: str) -> None:
        body: dict[str, Any] = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ImageBuild", "metadata": {"name": name}}
        builds.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, {**body, "spec": spec()})

    with tempfile.TemporaryDirectory() as folder:
        operator = OperatorProcess(Path(kubeconfig), namespace, Path(folder) / "log")
        operator.start()
        try:
            create_build("warm-up")
            watched.moment("warm-up")
            bare, bare_rate = measure(create_pod, watched, "pod", count)
            ours, our_rate = measure(create_build, watched, "build", count)
        finally:
            operator.stop()
            builds.delete_collection_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)
            core.delete_collection_namespaced_pod(namespace, grace_period_seconds=0)
            core.delete_namespace(namespace)
    for name, times, rate in (("pod created directly", bare, bare_rate), ("ImageBuild", ours, our_rate)):
        median, worst = statistics.median(times) * 1000, statistics.quantiles(times, n=100)[98] * 1000
        print(f"{name:22} p50 {median:6.1f} ms   p99 {worst:6.1f} ms   burst {rate:6.0f} pods/s")
    print(f"ratio                  p50 {statistics.median(ours) / statistics.median(bare):6.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
