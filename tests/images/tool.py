"""docker and podman as users have them, with storage of the tests' own."""

import os
import pwd
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Runs rootless podman: a user that every Debian has, and that owns no files.
USER = "nobody"
_SUBORDINATE = f"{USER}:1879048192:65536\n"


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: docker or podman.
        home: the user's home directory.
        environment: variables that make it use the tests' own daemon or storage.
        user: who runs it; "" for root.
    """

    name: str
    home: Path
    environment: Mapping[str, str]
    user: str = ""

    def shell(self, script: str, directory: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a script as a user would, in bash, up to the first error."""
        command = ["bash", "-euo", "pipefail", "-c", script]
        if self.user:
            command = ["setpriv", f"--reuid={self.user}", "--regid=nogroup", "--clear-groups", *command]
        home = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home / "run"), "TMPDIR": str(self.home)}
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment = {**kept, **home, **self.environment, **variables}
        environment["PATH"] = f"{self.home / 'bin'}:{environment['PATH']}:/usr/sbin:/sbin"
        return subprocess.run(
            command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=400
        )

    def make(self, script: str, *options: str, **variables: str) -> str:
        """Run one of the programs that make images, as `make image` does; its output."""
        command = [sys.executable, str(ROOT / script), *options]
        environment = {**os.environ, "CONTAINER_TOOL": self.name, **self.environment, **variables}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def images(self) -> list[str]:
        """The images in its storage, by name and tag."""
        listed = self.shell(f"{self.name} images --format '{{{{.Repository}}}}:{{{{.Tag}}}}'", Path("/"))
        assert listed.returncode == 0, listed.stderr
        return listed.stdout.split()


def docker(home: Path, registries: Sequence[str], environment: Mapping[str, str]) -> Tool:
    """Docker. The bridge of its daemon leads nowhere, so containers get the network of the machine.

    Args:
        home: the user's home directory.
        registries: addresses of registries that speak HTTP.
        environment: leads to the daemon.
    """
    _wrap("docker", home, registries, "--network=host")
    return Tool("docker", home, environment)


def _wrap(name: str, home: Path, registries: Sequence[str], *options: str) -> None:
    """Add options to `run`: the commands of the pages are for registries with TLS, and those of the tests have none."""
    added = shlex.join([f"--env=INSECURE_REGISTRIES={';'.join(registries)}", *options])
    wrapper = home / "bin" / name
    wrapper.parent.mkdir()
    program = shutil.which(name)
    wrapper.write_text(f'#!/bin/sh\n[ "$1" != run ] || {{ shift; set -- run {added} "$@"; }}\nexec {program} "$@"\n')
    wrapper.chmod(0o755)


def podman(home: Path, registries: Sequence[str], user: str = "") -> Tool:
    """Podman.

    Args:
        home: the user's home directory; storage and configuration are in it.
        registries: addresses of registries that speak HTTP.
        user: who runs it; "" for root.
    """
    if not shutil.which("podman"):
        pytest.skip("podman is not installed. As root: make images-check")
    files = {
        "CONTAINERS_STORAGE_CONF": (
            f'[storage]\ndriver = "overlay"\ngraphroot = "{home}/storage"\nrunroot = "{home}/run/storage"\n'
        ),
        # The limits that Debian sets need a capability that containers often lack.
        "CONTAINERS_CONF": (
            '[containers]\nnetns = "host"\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n'
            '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n'
        ),
        "CONTAINERS_REGISTRIES_CONF": "".join(
            f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n' for registry in registries
        ),
    }
    _wrap("podman", home, registries)
    (home / "run").mkdir(mode=0o700)
    for name, content in files.items():
        (home / name).write_text(content)
    tool = Tool("podman", home, {name: str(home / name) for name in files}, user)
    if user:
        give(home, user)
    tried = tool.shell("podman info", home)
    if tried.returncode:
        pytest.skip(f"podman can't run on this machine as {user or 'root'}: {tried.stderr.strip()}")
    return tool


def give(place: Path, user: str) -> None:
    """Give a folder and all in it to a user."""
    owner = pwd.getpwnam(user)
    for path in (place, *place.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


@contextmanager
def subordinate_ids() -> Iterator[None]:
    """Let USER have user IDs for its containers, as Debian does for every user that it adds."""
    files = [Path("/etc/subuid"), Path("/etc/subgid")]
    before = {file: file.read_text() if file.exists() else None for file in files}
    for file, content in before.items():
        file.write_text((content or "") + _SUBORDINATE)
    try:
        yield
    finally:
        for file, content in before.items():
            if content is None:
                file.unlink()
            else:
                file.write_text(content)
