"""The control group of the cluster's pods, in each hierarchy of the machine (version 1 or 2)."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cluster import processes
from cluster.settings import Cluster

FIRST_OPTIONAL_FIELD = 6


def ensure(cluster: Cluster) -> None:
    """Make the group, with all controllers that version 2 may hand down."""
    for mount, kind in _mounts():
        if kind == "cgroup2":
            controllers = (mount / "cgroup.controllers").read_text().split()
            enabled = (mount / "cgroup.subtree_control").read_text().split()
            for controller in set(controllers) - set(enabled):
                with suppress(OSError):  # not all can be; the kubelet says so if it needs one of these
                    (mount / "cgroup.subtree_control").write_text(f"+{controller}")
        (mount / cluster.name).mkdir(exist_ok=True)


def remove(cluster: Cluster) -> None:
    """End all processes of pods, by force, and remove the group."""
    marker = f"/{cluster.name}/"

    def is_ours(pid: int) -> bool:
        try:
            return marker in Path(f"/proc/{pid}/cgroup").read_text()
        except OSError:
            return False

    for mount, _ in _mounts():
        group = mount / cluster.name
        while pids := _members(group):
            processes.end(pids[: processes.AT_ONCE], is_ours, grace=0)
        for folder, _, _ in os.walk(group, topdown=False):
            _remove_folder(Path(folder))


def _members(group: Path) -> list[int]:
    return [int(pid) for file in group.rglob("cgroup.procs") for pid in file.read_text().split()]


def _remove_folder(folder: Path, seconds: float = 5) -> None:
    """The kernel says "busy" for a moment after the last process has gone."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _mounts() -> Iterator[tuple[Path, str]]:
    """Mount point and type of each hierarchy; each once, though it may be mounted at several places."""
    seen = set()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        device, point = fields[2], fields[4]
        kind = fields[fields.index("-", FIRST_OPTIONAL_FIELD) + 1]
        if kind in {"cgroup", "cgroup2"} and device not in seen:
            seen.add(device)
            yield Path(point), kind
