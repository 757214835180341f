"""What a chaos run does to its cluster, and how it undoes it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml
from chaos import packets
from chaos.api import Api
from chaos.timeline import Fault
from chaos.victims import Victim, held, in_pods, part
from chaos.workload import NAMESPACES
from cluster import lifecycle, processes
from cluster.settings import NODE_NAME, SYSTEM_PATH, Cluster
from install import NAMESPACE

TAINT: Final = {"key": "chaos", "value": "on", "effect": "NoExecute"}
#: How far the clock of an operator is off, in seconds.
OFF: Final = {"ahead": "+300s", "behind": "-300s"}
FILLED: Final = 160 << 20
GRACE_SECONDS: Final = 30


class Faults:
    """Does what a timeline says. Each fault that lasts is undone by the thread that did it."""

    def __init__(self, cluster: Cluster, api: Api, seed: str, folder: Path) -> None:
        """Prepare them.

        Args:
            cluster: The cluster, which is this run's own.
            api: Its API server.
            seed: Of which pod or process is chosen.
            folder: For files of the run.
        """
        self._cluster = cluster
        self._api = api
        self._random = Random(f"victims/{seed}")
        self._folder = folder
        self._heal_lock = threading.Lock()
        self.settings: dict[str, Any] = {}
        #: What was done, and to which process or pod.
        self.done: list[str] = []
        self.errors: list[str] = []

    def do(self, fault: Fault) -> None:
        """Do one thing, and undo it."""
        kinds: dict[str, Callable[[Fault], object]] = {
            "kill": self._kill,
            "stop": self._stop,
            "delete-pod": self._delete_pod,
            "drain": self._drain,
            "taint": self._taint,
            "fill-registry": self._fill_registry,
            "cut-network": partial(self._on_the_way, packets.cut),
            "lose-packets": partial(self._on_the_way, packets.lose),
            "delay-packets": partial(self._on_the_way, packets.delay),
            "clock": self._clock,
        }
        try:
            to = kinds[fault.kind](fault)
        except Exception as error:  # noqa: BLE001 - a fault that could not be done while another lasts is no failure
            self.errors.append(f"{fault}: {type(error).__name__}: {error}")
        else:
            self.done.append(f"{fault} ({to})")

    def heal(self) -> None:
        """Start what is dead, and wait until all is ready."""
        everything = lifecycle.parts(self._cluster)
        with self._heal_lock:
            processes.ensure_started(self._cluster, everything)
        processes.await_ready(self._cluster, everything)
        self._node({"spec": {"unschedulable": False, "taints": None}})

    def _kill(self, fault: Fault) -> str:
        with held(self._pids(fault.victim)) as found:
            victim = self._choose(fault.victim, found)
            victim.send(signal.SIGKILL)
        if fault.seconds:
            time.sleep(fault.seconds)
            with self._heal_lock:
                processes.ensure_started(self._cluster, lifecycle.parts(self._cluster))
        return str(victim.pid)

    def _stop(self, fault: Fault) -> str:
        with held(self._pids(fault.victim)) as found:
            victim = self._choose(fault.victim, found)
            victim.send(signal.SIGSTOP)
            try:
                time.sleep(fault.seconds)
            finally:
                victim.send(signal.SIGCONT)
        return str(victim.pid)

    def _pids(self, name: str) -> Iterator[int]:
        if name in {"executor", "shim"}:
            return in_pods(self._cluster, name)
        if name in {"leader", "standby"}:
            return in_pods(self._cluster, "operator")
        pid = part(self._cluster, name)
        return iter([] if pid is None else [pid])

    def _choose(self, name: str, found: list[Victim]) -> Victim:
        if name in {"leader", "standby"}:
            holder = self._api.lease_holder()
            is_leader = [each for each in found if each.environment.get("HOSTNAME", "-") in holder]
            found = is_leader if name == "leader" else [each for each in found if each not in is_leader]
        if not found:
            raise LookupError(f"no {name} runs")
        return self._random.choice(found)

    def _delete_pod(self, _: Fault) -> str:
        pod = self._random.choice(self._running_pods())
        self._api.delete_pod(pod, grace=0)
        return str(pod["metadata"]["name"])

    def _drain(self, fault: Fault) -> str:
        self._node({"spec": {"unschedulable": True}})
        try:
            pods = self._running_pods()
            for pod in pods:
                self._api.evict(pod)
            time.sleep(fault.seconds)
        finally:
            self._insist(lambda: self._node({"spec": {"unschedulable": False}}))
        return f"{len(pods)} pods"

    def _taint(self, fault: Fault) -> str:
        self._node({"spec": {"taints": [TAINT]}})
        try:
            time.sleep(fault.seconds)
        finally:
            self._insist(lambda: self._node({"spec": {"taints": None}}))
        return NODE_NAME

    def _running_pods(self) -> list[dict[str, Any]]:
        pods = chain.from_iterable(self._api.pods(namespace) for namespace in NAMESPACES)
        running = [pod for pod in pods if pod["status"].get("phase") in {"Pending", "Running"}]
        if not running:
            raise LookupError("no build runs")
        return running

    def _node(self, change: dict[str, Any]) -> None:
        self._api.patch(f"/api/v1/nodes/{NODE_NAME}", change)

    @staticmethod
    def _insist(undo: Callable[[], None]) -> None:
        """Undo something, although the API server may be dead for a while."""
        for _ in range(60):
            try:
                undo()
            except OSError:
                time.sleep(1)
            else:
                return

    def _fill_registry(self, fault: Fault) -> str:
        filler = registry_folder(self._cluster) / "filler"
        try:
            with filler.open("wb") as file:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
        except OSError:
            time.sleep(fault.seconds)
        finally:
            filler.unlink()
        return "registry-private"

    def _on_the_way(self, trouble: packets.Trouble, fault: Fault) -> str:
        with trouble(self._cluster) as link:
            time.sleep(fault.seconds)
        return link

    def _clock(self, fault: Fault) -> str:
        """Let an operator act whose clock is off, while those in pods are stopped for longer than their Lease."""
        with held(in_pods(self._cluster, "operator")) as found, self._operator_with_clock(OFF[fault.victim]) as pid:
            for each in found:
                each.send(signal.SIGSTOP)
            try:
                time.sleep(fault.seconds)
            finally:
                for each in found:
                    each.send(signal.SIGCONT)
        return str(pid)

    @contextmanager
    def _operator_with_clock(self, off: str) -> Iterator[int]:
        settings = {**self.settings, "probes": {"port": 18080}, "metrics": {"enabled": False}}
        file = self._folder / "clock.yaml"
        file.write_text(yaml.safe_dump(settings), encoding="utf-8")
        environment = {
            "PATH": SYSTEM_PATH,
            "KUBECONFIG": str(self._cluster.kubeconfig),
            "IMAGEBUILD_SETTINGS_FILE": str(file),
            "HOSTNAME": "clock",
            "LD_PRELOAD": str(next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))),
            "FAKETIME": off,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        command = [sys.executable, "-m", "imagebuild_operator"]
        with (self._folder / "clock.log").open("a") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd="/")
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def registry_folder(cluster: Cluster) -> Path:
    """Where the private registry keeps its data."""
    return cluster.state / "registries" / "private"


@contextmanager
def small_disk(cluster: Cluster) -> Iterator[None]:
    """Give the private registry a small file system of its own, for as long as the block lasts."""
    folder = registry_folder(cluster)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.path.ismount(folder):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FILLED}", "tmpfs", str(folder)], check=True)
    yield
    # Unmounted with the cluster: its images are looked at afterwards.


def operator_settings(api: Api, release: str) -> dict[str, Any]:
    """The settings file of the operator, as its chart has written it."""
    name = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{release}-imagebuild-operator"
    found: dict[str, Any] = yaml.safe_load(api.get(name)["data"]["settings.yaml"])
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]
