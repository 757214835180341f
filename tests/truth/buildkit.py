"""A BuildKit daemon of one's own, which builds what Docker would have built. Needs root and runc."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cluster.settings import SYSTEM_PATH
from standalone.container import CGROUPS
from standalone.registry import cluster
from truth.subject import Subject

_NUMBERS = count()
_START_SECONDS = 60
_BUILD_SECONDS = 300
_CONFIG = """\
root = "{root}"
insecure-entitlements = ["network.host", "security.insecure"]
[grpc]
  address = ["unix://{socket}"]
[otel]
  socketPath = "{otel}"
[cdi]
  disabled = true
[worker.containerd]
  enabled = false
[worker.oci]
  enabled = true
  gc = false
  binary = "{runc}"
  snapshotter = "overlayfs"
  networkMode = "host"
  defaultCgroupParent = "{cgroup}"
[registry."docker.io"]
  mirrors = ["{registry}"]
[registry."{registry}"]
  http = true
"""


@dataclass(frozen=True)
class Built:
    """The end of a build: whether it succeeded, and its log."""

    succeeded: bool
    log: str


@dataclass(frozen=True)
class BuildKit:
    """A running daemon.

    Attributes:
        daemon: the program buildkitd.
        client: the program buildctl.
        socket: where the daemon listens.
    """

    daemon: Path
    client: Path
    socket: Path

    def build(self, subject: Subject, image: str) -> Built:
        """Build without a cache, and push the image to the registry that the daemon was started with."""
        command = [str(self.client), "--addr", f"unix://{self.socket}", "build", "--progress=plain", "--no-cache"]
        command += ["--allow=network.host", "--allow=security.insecure"]
        # As if a frontend had been named already: a `# syntax` line would be fetched from Docker Hub.
        options = {"filename": subject.dockerfile.name, "cmdline": "docker/dockerfile:1", **_options(subject)}
        # A name of its own: the daemon keeps its copy of a context by that name, and changes it into the next one,
        # whose directories then have the times of the change.
        own = f"context-{next(_NUMBERS)}"
        options["contextkey"] = own
        command += ["--frontend=dockerfile.v0", f"--local={own}={subject.context}"]
        # For .dockerignore alone.
        command += [f"--local=context={subject.context}"]
        command += [f"--local=dockerfile={subject.dockerfile.parent}"]
        command += [f"--opt={name}={value}" for name, value in options.items()]
        command += [f"--output=type=image,name={image},push=true,oci-mediatypes=true"]
        command += [f"--secret=id={secret},src={path}" for secret, path in _secret_files(subject)]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_BUILD_SECONDS)
        except subprocess.TimeoutExpired as error:
            return Built(succeeded=False, log=f"no end in {error.timeout} s")
        return Built(done.returncode == 0, done.stdout + done.stderr)


def _secret_files(subject: Subject) -> Iterator[tuple[str, Path]]:
    for secret in subject.secrets:
        path = subject.root.with_name(f"{subject.root.name}-secret-{secret.id}")
        path.write_bytes(secret.value)
        yield secret.id, path


def _options(subject: Subject) -> dict[str, str]:
    return {
        **{f"build-arg:{name}": value for name, value in subject.build_args.items()},
        **{f"label:{name}": value for name, value in subject.labels.items()},
        **({"target": subject.target} if subject.target else {}),
        **({"platform": subject.platform} if subject.platform else {}),
    }


@contextmanager
def running(registry: str) -> Iterator[BuildKit]:
    """Start a daemon, and end it with all that it has mounted and written.

    Args:
        registry: address of a plain HTTP registry, from which Docker Hub's images come.
    """
    daemon, client = (Path(cluster("artefact", name)) for name in ("buildkitd", "buildctl"))
    # The path of a socket has to be short.
    folder = Path(tempfile.mkdtemp(prefix="truth-"))
    socket, config, log = folder / "socket", folder / "buildkitd.toml", folder / "log"
    cgroup = f"imagebuild-{folder.name}"
    # As new as Docker's, and the one in the builder image: runc of 2022 gives a tmpfs other modes.
    runc = cluster("artefact", "runc")
    config.write_text(
        _CONFIG.format(
            root=folder / "root", socket=socket, otel=folder / "otel", runc=runc, registry=registry, cgroup=cgroup
        )
    )
    environment = {"PATH": SYSTEM_PATH, "TMPDIR": str(folder), "HOME": str(folder)}
    try:
        with log.open("wb") as output:
            process = subprocess.Popen([daemon, "--config", config], env=environment, stdout=output, stderr=output)
        try:
            kit = BuildKit(daemon, client, socket)
            _wait(kit, process, log)
            yield kit
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait(20)
    finally:
        _remove(folder, cgroup)


def _wait(kit: BuildKit, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    ask = [str(kit.client), "--addr", f"unix://{kit.socket}", "debug", "workers"]
    while not kit.socket.exists() or subprocess.run(ask, check=False, capture_output=True).returncode:
        assert process.poll() is None, f"buildkitd has ended:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"buildkitd is not ready in {_START_SECONDS} s:\n{log.read_text()}"
        time.sleep(0.05)


def _remove(folder: Path, cgroup: str) -> None:
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in reversed(mounted):
        if mount.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    shutil.rmtree(folder)
    for cgroups in {*CGROUPS.glob(f"*/{cgroup}"), *CGROUPS.glob(cgroup)}:
        for each in (*sorted(cgroups.rglob("*/"), reverse=True), cgroups):
            with suppress(OSError):
                os.rmdir(each)  # noqa: PTH106 - the kernel's files in it need not be removed
