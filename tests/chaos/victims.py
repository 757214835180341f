"""Finds the processes that a chaos run may hurt: those of its own cluster, and no others."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster import processes
from cluster.settings import Cluster

#: What the command line of each process in a pod begins with, or has in it.
COMMANDS = {
    "operator": ("imagebuild-operator",),
    "executor": ("/kaniko/executor", "--context"),
    "shim": ("kaniko-shim", "build"),
}


@dataclass(frozen=True)
class Victim:
    """A process, by a descriptor that can reach no other of the same pid."""

    pid: int
    descriptor: int
    environment: dict[str, str]

    def send(self, what: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        try:
            signal.pidfd_send_signal(self.descriptor, what)
        except ProcessLookupError:
            return


def part(cluster: Cluster, name: str) -> int | None:
    """The pid of a part of the cluster."""
    found = (each for each in processes.find(cluster.state) if each.part == name and each.leader)
    return next((each.pid for each in found), None)


@contextmanager
def held(pids: Iterator[int]) -> Iterator[list[Victim]]:
    """Descriptors of processes, for as long as the block lasts."""
    found: list[Victim] = []
    for pid in pids:
        try:
            found.append(Victim(pid, os.pidfd_open(pid), _environment(pid)))
        except OSError:
            continue  # It has ended meanwhile.
    try:
        yield found
    finally:
        for each in found:
            os.close(each.descriptor)


def in_pods(cluster: Cluster, name: str) -> Iterator[int]:
    """The pids of the processes in the cluster's pods that run a program."""
    marker = f"/{cluster.name}/"
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            group = (folder / "cgroup").read_text()
        except OSError:
            continue
        if marker in group and all(word in command for word in COMMANDS[name]):
            yield int(folder.name)


def _environment(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    return dict(entry.partition("=")[::2] for entry in text.split("\0") if "=" in entry)
