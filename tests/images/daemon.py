"""A Docker daemon of the tests' own, apart from any that the machine has."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAMS = ("dockerd", "docker", "ip")
BRIDGE = "imagebuild-test"
# Of a network for benchmarks, which no host is in.
_ADDRESS = "198.18.250.1/24"
_SECONDS = 60


@contextmanager
def docker_daemon() -> Iterator[dict[str, str]]:
    """Start it; the variables by which the docker command finds it. It changes no iptables.

    So its bridge leads nowhere. Where it can't be started, the tests that need it are skipped, with what it said.
    """
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        pytest.skip(f"{' and '.join(missing)} not installed. As root: make images-check")
    # Not below pytest's directories: the path of a socket has at most 107 characters.
    place = Path(tempfile.mkdtemp(prefix="imagebuild-docker-"))
    environment = {"DOCKER_HOST": f"unix://{place}/docker.sock"}
    command = ["dockerd", f"--data-root={place}/data", f"--exec-root={place}/exec", f"--pidfile={place}/pid"]
    command += [f"--host={environment['DOCKER_HOST']}", f"--bridge={BRIDGE}", "--iptables=false", "--ip6tables=false"]
    # Of a run that was killed.
    subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True, check=False)
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("address", "add", _ADDRESS, "dev", BRIDGE)
    with (place / "log").open("wb") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _await(daemon, environment, place / "log")
        yield environment
    finally:
        daemon.terminate()
        daemon.wait(60)
        _ip("link", "delete", BRIDGE)
        unmount_below(place)
        shutil.rmtree(place)


def _await(daemon: subprocess.Popen[bytes], environment: dict[str, str], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    ask = ["docker", "version", "--format={{.Server.Version}}"]
    while subprocess.run(ask, env={**os.environ, **environment}, capture_output=True, check=False).returncode:
        if daemon.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines()
            pytest.skip(f"dockerd can't run on this machine: {said[-1] if said else daemon.returncode}")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.1)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def unmount_below(place: Path) -> None:
    """Unmount what a tool has left mounted in a folder."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for path in sorted((path for path in mounted if path.startswith(f"{place}/")), reverse=True):
        subprocess.run(["umount", "--lazy", path], check=True)
