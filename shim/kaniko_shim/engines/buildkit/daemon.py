"""The daemon, from its start to its end."""

import os
import signal
import socket as sockets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kaniko_shim.engines.buildkit.command import daemon, daemon_config, socket
from kaniko_shim.engines.buildkit.namespaces import has_own_processes, missing_isolation, start, unavailable
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.system.container.mounts import read_mountinfo
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes.signals import raise_if_stopped
from kaniko_shim.system.tool_environment import tool_environment

_READY_SECONDS = 60.0
_PAUSE = 0.005
_LAST_LINES = 5
_NO_ROOM = "no space left on device"


@contextmanager
def running(request: BuildRequest, job: Job) -> Iterator[None]:
    """Start the daemon, and wait until it accepts builds.

    Raises:
        JobError: EngineUnavailable; the container or the node does not let it work. Internal; it has ended.
    """
    paths = job.paths
    mountinfo = read_mountinfo()
    own_ids = Path("/proc/self/uid_map").read_text(encoding="ascii")
    if lack := missing_isolation(request.isolation, own_ids, mountinfo):
        raise unavailable(*lack)
    paths.buildkit_run.mkdir(parents=True, exist_ok=True)
    paths.buildkit_state.mkdir(parents=True, exist_ok=True)
    config, log = paths.buildkit_run / "buildkitd.toml", paths.buildkit_run / "buildkitd.log"
    config.write_text(daemon_config(request.registries, paths), encoding="utf-8")
    # USER: else it takes itself for a daemon without root's rights, which has other defaults.
    environment = tool_environment(job.environment, paths) | {"USER": "root"}
    # For xz and git, which it starts.
    environment["PATH"] = f"{paths.program_files / 'bin'}:{environment['PATH']}"
    argv = daemon(paths, config, has_own_processes=has_own_processes(mountinfo))
    child = start(argv, environment, log)
    try:
        _wait(child, socket(paths), log)
        yield
    finally:
        _end(child)


def last_words(job: Job) -> str:
    """The last lines of the daemon's log."""
    try:
        text = (job.paths.buildkit_run / "buildkitd.log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_LAST_LINES:])


def _wait(child: int, path: Path, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        raise_if_stopped()
        with sockets.socket(sockets.AF_UNIX) as client, suppress(OSError):
            client.connect(str(path))
            return
        if os.waitpid(child, os.WNOHANG)[0]:
            raise _ended(log)
        time.sleep(_PAUSE)
    raise JobError(Reason.INTERNAL, f"BuildKit was not ready within {_READY_SECONDS:.0f} s.")


def _ended(log: Path) -> JobError:
    words = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2] if log.exists() else ""
    if _NO_ROOM in words:
        return JobError(Reason.DISK_FULL, "The disk is full: BuildKit can't start.")
    return unavailable(
        f"its daemon has ended: {words or 'without a word'}",
        "Its state has to be on a volume on a disk, such as an emptyDir that is not in memory.",
    )


def _end(child: int) -> None:
    for number, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(child, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if os.waitpid(child, os.WNOHANG)[0]:
                    return
            except ChildProcessError:
                return
            time.sleep(_PAUSE)
