"""Registries to push to: real ones, each with what a test asks of it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from support.https import Https
from support.ports import free_port
from support.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
_numbers = count(1)
BASES = {"busybox": "library/busybox:latest", "python": "library/python:3.11"}


def cluster(*arguments: str) -> str:
    command = [sys.executable, "-m", "cluster", *arguments]
    done = subprocess.run(command, cwd=ROOT / "tests", check=True, capture_output=True, text=True)
    return done.stdout.strip().splitlines()[-1]


@contextmanager
def empty_registry(scratch: Path) -> Iterator[Registry]:
    """An empty registry."""
    with _serve(scratch, {}) as registry:
        yield registry


@contextmanager
def private_registry(scratch: Path, user: str, password: str) -> Iterator[Registry]:
    """An empty registry that wants a password."""
    accounts = scratch / "htpasswd"
    made = subprocess.run(["htpasswd", "-Bbn", user, password], check=True, capture_output=True).stdout
    accounts.write_bytes(made)
    with _serve(scratch, {"auth": {"htpasswd": {"realm": "private", "path": str(accounts)}}}) as registry:
        yield registry


@contextmanager
def https_registry(scratch: Path, certificate: Path, key: Path) -> Iterator[Registry]:
    """An empty registry that speaks HTTPS."""
    with _serve(scratch, {}, {"tls": {"certificate": str(certificate), "key": str(key)}}) as registry:
        yield registry


@dataclass(frozen=True)
class CloudRegistry:
    """A registry by the name of a cloud's, at the port that goes with it, which wants a password.

    Attributes:
        host: its name in the builder's containers.
        registry: reached from this machine.
        authority: the CA of its certificate.
        hosts: the containers' /etc/hosts.
    """

    host: str
    registry: Registry
    authority: str
    hosts: Path

    def crane(self, image: str) -> str:
        """The name of an image on this machine."""
        return f"{self.registry.address}/{image}"


@contextmanager
def cloud_registry(scratch: Path, host: str, user: str = "", password: str = "") -> Iterator[CloudRegistry]:
    """An empty registry by the name of a cloud's; without a user it is open to all."""
    https = Https.make(scratch, host)
    address = f"127.{os.getpid() % 250 + 1}.{next(_numbers)}.1"
    more: dict[str, object] = {}
    config = scratch / "docker"
    config.mkdir()
    if user:
        accounts = scratch / "htpasswd"
        made = subprocess.run(["htpasswd", "-Bbn", user, password], check=True, capture_output=True).stdout
        accounts.write_bytes(made)
        more = {"auth": {"htpasswd": {"realm": "cloud", "path": str(accounts)}}}
        auth = b64encode(f"{user}:{password}".encode()).decode()
        (config / "config.json").write_text(json.dumps({"auths": {f"{address}:443": {"auth": auth}}}))
    tls: dict[str, object] = {"tls": {"certificate": str(https.certificate), "key": str(https.key)}}
    hosts = scratch / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{address} {host}\n")
    with _serve(scratch, more, tls, address=f"{address}:443") as registry:
        inside = replace(registry, environment={"DOCKER_CONFIG": str(config)})
        yield CloudRegistry(host, inside, https.authority.read_text(), hosts)


@contextmanager
def own_registry(scratch: Path) -> Iterator[Registry]:
    """A registry of our own, with the base images in it."""
    with _serve(scratch, {}) as registry:
        for base, image in BASES.items():
            layout = cluster("base-image", base).removeprefix("oci:")
            registry.push(layout, image)
        yield registry


@contextmanager
def _serve(
    scratch: Path, more: dict[str, object], http: dict[str, object] | None = None, address: str = ""
) -> Iterator[Registry]:
    address = address or f"127.0.0.1:{free_port()}"
    config = scratch / "registry.json"
    config.write_text(
        json.dumps(
            {
                "version": 0.1,
                "storage": {"filesystem": {"rootdirectory": str(scratch / "registry")}, "delete": {"enabled": True}},
                "http": {"addr": address, **(http or {})},
                "log": {"accesslog": {"disabled": True}},
                **more,
            }
        )
    )
    program = shutil.which("docker-registry") or "registry"
    # It reads each variable REGISTRY_… as a setting, and `make cluster-info` prints some.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    with (scratch / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", config], env=environment, stdout=log, stderr=log)
    registry = Registry(address, Path(cluster("artefact", "crane")))
    try:
        _wait(address)
        yield registry
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def any_registry(scratch: Path) -> Iterator[Registry]:
    """The one that REGISTRY_ADDRESS names (the test cluster's), or else our own."""
    address = os.environ.get("REGISTRY_ADDRESS", "")
    if address:
        yield Registry(address, Path(cluster("artefact", "crane")))
        return
    with own_registry(scratch) as registry:
        yield registry


def _wait(address: str) -> None:
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the registry does not listen"
            time.sleep(0.05)
        else:
            return
