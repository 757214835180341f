"""What a burst of builds in one namespace does to a single build in another.

Runs against the functional test cluster (etcd and kube-apiserver), which it starts if need be:

    .venv/bin/python bench/burst.py [BUILDS [LIMIT]]

It makes 2000 builds in one namespace, with at most 10 at once, then one build in another namespace. It prints how many
builds of the burst began between the creation of the single build and its own begin, and how long that took: no more
than the limit have to end before it is its turn.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kubernetes import client, config, watch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from environment import cluster_variables  # noqa: E402
from functional.kube import GROUP, PLURAL, VERSION, spec  # noqa: E402
from functional.kubelet import PUSHED, Kubelet, terminated  # noqa: E402
from functional.operator_process import OperatorProcess  # noqa: E402
from support.waiting import until  # noqa: E402

THREADS = 8


class Begun(threading.Thread):
    """Lets each pod of some namespaces succeed as soon as it is there, and counts them."""

    def __init__(self, api: client.ApiClient, *namespaces: str) -> None:
        super().__init__(daemon=True)
        self._core = client.CoreV1Api(api)
        self._kubelets = {namespace: Kubelet(api, namespace) for namespace in namespaces}
        self.of = Counter(dict.fromkeys(namespaces, 0))

    def run(self) -> None:
        """Watch pods until the program ends."""
        for event in watch.Watch().stream(self._core.list_pod_for_all_namespaces):
            pod = event["raw_object"]
            namespace = pod["metadata"]["namespace"]
            if event["type"] == "ADDED" and namespace in self._kubelets:
                self.of[namespace] += 1
                self._kubelets[namespace].report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)


def make_namespace(core: client.CoreV1Api) -> str:
    """A namespace with a ServiceAccount for its pods."""
    made = core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(generate_name="bench-")))
    name = str(made.metadata and made.metadata.name)
    core.create_namespaced_service_account(name, client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default")))
    return name


def main(count: int, limit: int) -> None:
    """Measure and print."""
    subprocess.run([sys.executable, "-m", "cluster", "up", "--functional"], cwd=ROOT / "tests", check=True)
    variables = cluster_variables("--functional")
    kubectl = [str(Path(variables["BIN"]) / "kubectl"), "--kubeconfig", variables["KUBECONFIG"]]
    apply = [*kubectl, "apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds")]
    subprocess.run(apply, check=True, stdout=subprocess.DEVNULL)
    api = config.new_client_from_config(variables["KUBECONFIG"])
    core, builds = client.CoreV1Api(api), client.CustomObjectsApi(api)
    busy, quiet = make_namespace(core), make_namespace(core)

    def create(namespace: str, name: str) -> None:
        body: dict[str, Any] = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ImageBuild", "metadata": {"name": name}}
        builds.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, {**body, "spec": spec()})

    with tempfile.TemporaryDirectory() as folder:
        settings = {"admission": {"maxRunning": limit}}
        operator = OperatorProcess(Path(variables["KUBECONFIG"]), f"{busy},{quiet}", Path(folder) / "log", settings)
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda number: create(busy, f"well-{number}"), range(count)))
        operator.start()
        try:
            begun = Begun(api, busy, quiet)
            begun.start()
            # In the middle of it.
            until(lambda: begun.of[busy] > 3 * limit)
            before, begin = begun.of[busy], time.monotonic()
            create(quiet, "alone")
            until(lambda: begun.of[quiet])
            seconds, after = time.monotonic() - begin, begun.of[busy] - before
        finally:
            operator.stop()
            for namespace in (busy, quiet):
                builds.delete_collection_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)
                core.delete_collection_namespaced_pod(namespace, grace_period_seconds=0)
                core.delete_namespace(namespace)
    print(f"{count} builds, {limit} at once: another namespace's build began after {seconds:.2f} s")
    print(f"of the burst {after} began before it; {after / limit:.1f} times the limit")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, int(sys.argv[2]) if len(sys.argv) > 2 else 10)  # noqa: PLR2004
