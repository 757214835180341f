"""Runs the builder image in a container of an OCI runtime, with nothing of Kubernetes around it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from kaniko_shim.engines.kaniko.executor.abilities import Abilities, read_abilities
from standalone.registry import ROOT
from support.expectations import OLD, SHIPPED

# What the build pod grants.
CAPABILITIES = tuple(
    f"CAP_{name}" for name in ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETFCAP")
)

BUILDKIT_CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_SETFCAP")

CGROUPS = Path("/sys/fs/cgroup")

_MOUNTS: list[dict[str, Any]] = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "nodev", "mode=1777"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "nodev", "ro"]},
]


@dataclass(frozen=True)
class Limits:
    """What a container may have: bytes (0 = as many as there are), capabilities, mounts that it can't write, and files
    of /proc that are covered, as container runtimes do by default."""

    disk: int = 0
    memory: int = 0
    capabilities: tuple[str, ...] = CAPABILITIES
    read_only: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()


UNLIMITED = Limits()


@dataclass(frozen=True)
class Done:
    """A container's end."""

    code: int
    log: str
    result: dict[str, Any]
    seconds: float


def builder_layout(engine: str = "kaniko") -> Path:
    """The OCI layout of the builder image with an engine, which is made now if it is not cached."""
    script = [sys.executable, str(ROOT / "shim" / "image" / "build.py"), f"--engine={engine}", "--print-layout"]
    return Path(subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


@dataclass
class Builder:
    """The builder image, unpacked once."""

    rootfs: Path
    config: dict[str, Any]
    scratch: Path
    containers: list["Container"] = field(default_factory=list)
    runtime: str = field(default_factory=lambda: shutil.which("runc") or shutil.which("crun") or "runc")

    @classmethod
    def unpack(cls, layout: Path, scratch: Path) -> "Builder":
        def blob(digest: str) -> Path:
            return layout / "blobs" / digest.replace(":", "/")

        index = json.loads((layout / "index.json").read_bytes())
        manifest = json.loads(blob(index["manifests"][0]["digest"]).read_bytes())
        rootfs = scratch / "rootfs"
        rootfs.mkdir()
        for layer in manifest["layers"]:
            subprocess.run(["tar", "-xf", blob(layer["digest"]), "-C", rootfs], check=True)
        return cls(rootfs, json.loads(blob(manifest["config"]["digest"]).read_bytes())["config"], scratch)

    @property
    def is_buildkit(self) -> bool:
        """Whether its engine is BuildKit, as opposed to kaniko."""
        return (self.rootfs / "kaniko/.Shim/bin/buildkitd").exists()

    @property
    def has_shipped_executor(self) -> bool:
        """Whether its executor is of the line that ships, as opposed to kaniko up to 1.25."""
        return self.is_buildkit or not self.abilities.is_old

    @cached_property
    def abilities(self) -> Abilities:
        """What the executor in it is and can do."""
        return read_abilities((self.rootfs / "kaniko/.Shim/executor.help").read_text(encoding="utf-8"))

    @property
    def executor(self) -> str:
        """`shipped` or `old`, as in expected.yaml of tests/cases."""
        return SHIPPED if self.has_shipped_executor else OLD

    def remove(self) -> None:
        """End what a failed test left."""
        for container in self.containers:
            container.remove()
        for cgroups in CGROUPS.glob("**/imagebuild-standalone"):
            # Another run of the tests may have containers in it.
            with suppress(OSError):
                cgroups.rmdir()

    def start(
        self,
        *arguments: str,
        env: Mapping[str, str],
        mounts: Mapping[str, Path] | None = None,
        user: int = 0,
        limits: Limits = UNLIMITED,
    ) -> "Container":
        container = Container(self, arguments, env, mounts or {}, user, limits)
        self.containers.append(container)
        return container

    def run(
        self,
        *arguments: str,
        env: Mapping[str, str],
        mounts: Mapping[str, Path] | None = None,
        user: int = 0,
        timeout: float = 300,
        limits: Limits = UNLIMITED,
    ) -> Done:
        return self.start(*arguments, env=env, mounts=mounts, user=user, limits=limits).wait(timeout)


class Container:
    """One container, with a root file system of its own."""

    def __init__(
        self,
        builder: Builder,
        arguments: Sequence[str],
        env: Mapping[str, str],
        mounts: Mapping[str, Path],
        user: int,
        limits: Limits,
    ) -> None:
        self.name = f"builder-{uuid.uuid4().hex[:12]}"
        self._runtime = builder.runtime
        self._directory = builder.scratch / self.name
        self._log = self._directory / "log"
        self._termination_log = self._directory / "termination-log"
        self._root = self._directory / "rootfs"
        self._disk = self._directory / "disk"
        for directory in (self._root, self._disk):
            directory.mkdir(parents=True)
        if limits.disk:
            options = f"size={limits.disk}"
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "-o", options, self._disk], check=True)
        for directory in (self._disk / "upper", self._disk / "work", self._disk / "state"):
            directory.mkdir()
        self._termination_log.touch()
        self._termination_log.chmod(0o666)
        overlay = f"lowerdir={builder.rootfs},upperdir={self._disk / 'upper'},workdir={self._disk / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", overlay, self._root], check=True)
        self._write_spec(builder, arguments, env, mounts, user, limits)
        self._begin = time.monotonic()
        try:
            self._process = self._start()
        except OSError:
            self._unmount()
            raise

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for(self, text: str, timeout: float = 120) -> None:
        deadline = time.monotonic() + timeout
        while text not in self.log:
            assert self._process.poll() is None, f"the container ended before it wrote {text!r}:\n{self.log}"
            assert time.monotonic() < deadline, f"no {text!r} in {timeout} s:\n{self.log}"
            time.sleep(0.05)

    def wait_until_started(self, timeout: float = 30) -> None:
        """Wait until the shim holds back, or handles, SIGTERM; before that its interpreter is still starting."""
        deadline = time.monotonic() + timeout
        while not any(_minds_sigterm(pid) for pid in self.processes(check=False)):
            assert time.monotonic() < deadline, f"the shim did not start in {timeout} s"
            time.sleep(0.005)

    def signal(self, number: signal.Signals) -> None:
        subprocess.run([self._runtime, "kill", self.name, str(int(number))], check=True)

    def execute(self, *command: str, user: int, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command in the container, as kubectl exec does."""
        return subprocess.run(self._exec(command, user), input=content, capture_output=True, check=False, timeout=60)

    def executing(self, *command: str, user: int) -> subprocess.Popen[bytes]:
        """Start a command in the container, with pipes."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self._exec(command, user), stdin=pipe, stdout=pipe, stderr=pipe)

    def _exec(self, command: Sequence[str], user: int) -> list[str]:
        return [self._runtime, "exec", "--user", f"{user}:{user}", self.name, *command]

    def processes(self, *, check: bool = True) -> list[int]:
        """The ids of the container's processes, as the host sees them."""
        command = [self._runtime, "ps", "--format", "json", self.name]
        done = subprocess.run(command, check=check, capture_output=True, text=True)
        return list(json.loads(done.stdout or "[]") or [])

    def has(self, path: str) -> bool:
        """Whether its root file system has a path at this moment."""
        return os.path.lexists(self._root / path)

    def program(self, pid: int) -> str:
        """The program that a process runs, as the container sees it."""
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()

    def wait(self, timeout: float = 300) -> Done:
        try:
            code = self._process.wait(timeout)
            seconds = time.monotonic() - self._begin
            text = self._termination_log.read_text()
            return Done(code, self.log, json.loads(text) if text else {}, seconds)
        finally:
            self.remove()

    def remove(self) -> None:
        subprocess.run([self._runtime, "delete", "--force", self.name], check=False, capture_output=True)
        self._process.wait(30)
        self._unmount()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [self._runtime, "run", "--bundle", str(self._directory), self.name]
        with self._log.open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def _unmount(self) -> None:
        for mount in (self._root, self._disk):
            subprocess.run(["umount", mount], check=False, capture_output=True)
        shutil.rmtree(self._disk, ignore_errors=True)

    def _copy_of(self, file: Path) -> Path:
        """A copy of a file of the machine: a RUN can write to what is mounted."""
        return Path(shutil.copyfile(file, self._directory / file.name))

    def _write_spec(
        self,
        builder: Builder,
        arguments: Sequence[str],
        env: Mapping[str, str],
        mounts: Mapping[str, Path],
        user: int,
        limits: Limits,
    ) -> None:
        binds = {
            **{f"/etc/{name}": self._copy_of(Path("/etc", name)) for name in ("resolv.conf", "hosts")},
            "/dev/termination-log": self._termination_log,
            # Overlays of BuildKit can't lie on the overlay that is the root file system.
            **({"/kaniko/.buildkit": self._disk / "state"} if builder.is_buildkit else {}),
            **mounts,
        }
        granted = limits.capabilities
        if builder.is_buildkit and granted == CAPABILITIES:
            granted = BUILDKIT_CAPABILITIES
        capabilities = list(granted) if user == 0 else []
        sets = ("bounding", "effective", "permitted") if user == 0 else ("bounding",)
        spec = {
            "ociVersion": "1.0.2",
            "root": {"path": str(self._root), "readonly": user != 0 or "/" in limits.read_only},
            "hostname": "builder",
            "process": {
                "user": {"uid": user, "gid": user},
                "args": [*builder.config["Entrypoint"], *arguments],
                "env": [*builder.config["Env"], *(f"{name}={value}" for name, value in env.items())],
                "cwd": builder.config.get("WorkingDir") or "/",
                "capabilities": dict.fromkeys(sets, capabilities),
                "noNewPrivileges": not builder.is_buildkit,
            },
            "mounts": [
                *_MOUNTS,
                *(
                    {
                        "destination": where,
                        "type": "bind",
                        "source": str(path),
                        "options": ["rbind", "ro" if where in limits.read_only else "rw"],
                    }
                    for where, path in binds.items()
                ),
            ],
            # The host's network: registries and servers of the tests listen there.
            "linux": {
                "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup")],
                "cgroupsPath": f"/imagebuild-standalone/{self.name}",
                **({"maskedPaths": list(limits.masked)} if limits.masked else {}),
                **({"resources": {"memory": {"limit": limits.memory}}} if limits.memory else {}),
            },
        }
        (self._directory / "config.json").write_text(json.dumps(spec))


def _minds_sigterm(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        program = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    masks = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigBlk:", "SigCgt:"))]
    return b"kaniko-shim" in program and any(mask & 1 << (signal.SIGTERM - 1) for mask in masks)
