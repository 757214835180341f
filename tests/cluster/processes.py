"""The long-running parts of a cluster, found by a mark in their environment.

There are no pid files that could be stale or name a reused pid: the mark is kept by the kernel for
exactly as long as the process lives, and signals go through a pidfd, so they can reach no other.
"""

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cluster import store
from cluster.console import ClusterError, say, tail
from cluster.settings import SYSTEM_PATH, Cluster

MARK = "IMAGEBUILD_CLUSTER_PART"
READY_SECONDS = 60
GRACE_SECONDS = 10
LOOKS = 4
AT_ONCE = 200
"""So many processes are ended at once, for each needs a file descriptor."""


@dataclass(frozen=True)
class Part:
    """One long-running program of a cluster."""

    name: str
    argv: Sequence[str | Path]
    ready: Callable[[], bool]
    files: Mapping[Path, str] = field(default_factory=dict)
    """Its configuration, written before it starts; when it changes, the part is restarted."""
    on_node: bool = False
    """Whether it runs in the node's network namespace."""

    def version(self) -> str:
        """A hash of all that decides how it behaves."""
        executable = shutil.which(self.argv[0], path=SYSTEM_PATH) or self.argv[0]
        files = {str(path): content for path, content in self.files.items()}
        return store.key(os.path.realpath(executable), [str(word) for word in self.argv], files)


@dataclass(frozen=True)
class Process:
    """A process that carries the mark of a cluster."""

    pid: int
    part: str
    version: str
    leader: bool
    """False for what a part started itself, such as containerd's shims."""


def find(state: Path) -> Iterator[Process]:
    """All processes that the cluster of this state folder started, directly or not."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (process := _read(int(folder.name), state)):
            yield process


def _read(pid: int, state: Path) -> Process | None:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        session = os.getsid(pid)
    except OSError:
        return None
    prefix = f"{MARK}=".encode()
    for variable in environment:
        if variable.startswith(prefix):
            match os.fsdecode(variable.removeprefix(prefix)).split(":", 2):
                case [part, version, owner] if owner == str(state):
                    return Process(pid, part, version, session == pid)
    return None


def running(cluster: Cluster, part: Part) -> Process | None:
    """The process of a part, if it runs."""
    return next((each for each in find(cluster.state) if each.part == part.name and each.leader), None)


def ensure_started(cluster: Cluster, parts: Sequence[Part]) -> None:
    """Start each part that does not run, or that runs from another program or configuration."""
    leaders = {process.part: process for process in find(cluster.state) if process.leader}
    for part in parts:
        process = leaders.get(part.name)
        if process and process.version != part.version():
            say(f"{part.name} has changed")
            end([process.pid], lambda pid: _read(pid, cluster.state) is not None)
            process = None
        if process is None:
            _start(cluster, part)


def _start(cluster: Cluster, part: Part) -> None:
    say(f"starting {part.name}")
    for path, content in part.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    cluster.logs.mkdir(parents=True, exist_ok=True)
    # The caller's environment stays out: a proxy or a REGISTRY_* variable would change what parts do.
    environment = {"PATH": SYSTEM_PATH, MARK: f"{part.name}:{part.version()}:{cluster.state}"}
    enter = ["nsenter", f"--net={cluster.network_namespace}"] if part.on_node else []
    with (cluster.logs / f"{part.name}.log").open("a") as log:
        subprocess.Popen(
            [*enter, *part.argv],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def await_ready(cluster: Cluster, parts: Sequence[Part]) -> None:
    """Wait until each part says that it is ready.

    Raises:
        ClusterError: one has ended, or is not ready in time.
    """
    for part in parts:
        deadline = time.monotonic() + READY_SECONDS
        log = cluster.logs / f"{part.name}.log"
        unseen = 0
        while not part.ready():
            # One look is not enough: while a process becomes another program, it has no environment.
            unseen = 0 if running(cluster, part) else unseen + 1
            if unseen == LOOKS:
                raise ClusterError(f"{part.name} has ended; {tail(log)}")
            if time.monotonic() > deadline:
                raise ClusterError(f"{part.name} is not ready after {READY_SECONDS} s; {tail(log)}")
            time.sleep(0.05)


def end(pids: Sequence[int], ours: Callable[[int], bool], *, grace: float = GRACE_SECONDS) -> None:
    """End processes: politely, and by force those that are still there when the grace is over.

    `ours` is asked once a process can no longer be mistaken for another of the same pid.

    Raises:
        ClusterError: one of them lives on.
    """
    descriptors = []
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if ours(pid):
            descriptors.append(descriptor)
        else:
            os.close(descriptor)
    if grace:
        _signal(descriptors, signal.SIGTERM)
    left = _await_end(descriptors, grace)
    _signal(left, signal.SIGKILL)
    if _await_end(left, GRACE_SECONDS):
        raise ClusterError(f"some of these processes can't be killed: {' '.join(map(str, pids))}")
    for descriptor in descriptors:
        os.close(descriptor)


def end_all(cluster: Cluster) -> None:
    """End all that the cluster started, at once and by force: its state is about to be removed."""
    while pids := [process.pid for process in find(cluster.state)]:
        end(pids[:AT_ONCE], lambda pid: _read(pid, cluster.state) is not None, grace=0)


def _signal(descriptors: Sequence[int], number: signal.Signals) -> None:
    for descriptor in descriptors:
        try:
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            continue


def _await_end(descriptors: Sequence[int], seconds: float) -> list[int]:
    """The pidfds whose processes still live after at most so many seconds."""
    deadline = time.monotonic() + seconds
    left = list(descriptors)
    while left and (remaining := deadline - time.monotonic()) > 0:
        poll = select.poll()
        for descriptor in left:
            poll.register(descriptor, select.POLLIN)
        ended = {descriptor for descriptor, _ in poll.poll(remaining * 1000)}
        left = [each for each in left if each not in ended]
    return left
