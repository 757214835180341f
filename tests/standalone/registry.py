"""A registry to push to, and what comes back from it."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[2]
BASES = {"busybox": "library/busybox:latest", "python": "library/python:3.11"}


@dataclass(frozen=True)
class Registry:
    """A registry that speaks plain HTTP, and crane to look into it with."""

    address: str
    crane: Path

    def manifest(self, image: str) -> bytes:
        return self._crane("manifest", image)

    def blob(self, image: str) -> bytes:
        return self._crane("blob", image)

    def digest(self, image: str) -> str:
        return "sha256:" + hashlib.sha256(self.manifest(image)).hexdigest()

    def config(self, image: str) -> dict[str, Any]:
        return dict(json.loads(self._crane("config", image)))

    def export(self, image: str) -> bytes:
        """An image's flattened file system, as a tar."""
        return self._crane("export", image, "-")

    def pull(self, image: str, into: Path) -> Path:
        """Unpack an image's flattened file system."""
        into.mkdir()
        content = self.export(image)
        # Its complaint about "/", which some layers name, is no news.
        subprocess.run(["tar", "-x", "-C", str(into)], input=content, check=True, capture_output=True)
        return into

    def own_layers(self, image: str, base: str) -> list[str]:
        """The paths in the layers that an image has on top of its base; directories end in a slash."""
        below = {layer["digest"] for layer in json.loads(self.manifest(base))["layers"]}
        repository = image.rpartition(":")[0]
        found = set[str]()
        for layer in json.loads(self.manifest(image))["layers"]:
            if layer["digest"] not in below:
                content = self._crane("blob", f"{repository}@{layer['digest']}")
                listing = subprocess.run(["tar", "-tz"], input=content, check=True, capture_output=True).stdout
                found.update(listing.decode().splitlines())
        return sorted(found - {"/"})

    def repositories(self, user: str, password: str) -> list[str]:
        login = b64encode(f"{user}:{password}".encode()).decode()
        request = Request(f"http://{self.address}/v2/_catalog", headers={"Authorization": f"Basic {login}"})
        with urlopen(request) as answer:
            return list(json.load(answer)["repositories"])

    def push_artifact(self, name: str, layers: Sequence[tuple[bytes, dict[str, str]]]) -> str:
        """Layers and their annotations, as ORAS pushes them; the digest."""
        repository, _, tag = name.partition(":")
        described = list[object]()
        for content, annotations in (*layers, (b"{}", {})):
            digest = "sha256:" + hashlib.sha256(content).hexdigest()
            begun = self._http("POST", f"{repository}/blobs/uploads/", b"")
            self._http("PUT", f"{begun}&digest={digest}", content, "application/octet-stream")
            kind = "application/vnd.oci.image.layer.v1.tar"
            described.append({"mediaType": kind, "digest": digest, "size": len(content), "annotations": annotations})
        *rest, config = described
        kind = "application/vnd.oci.image.manifest.v1+json"
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": rest}
        content = json.dumps(manifest).encode()
        self._http("PUT", f"{repository}/manifests/{tag}", content, kind)
        return "sha256:" + hashlib.sha256(content).hexdigest()

    def _http(self, method: str, path: str, content: bytes, kind: str = "") -> str:
        url = path if "://" in path else f"http://{self.address}/v2/{path}"
        with urlopen(Request(url, content, {"Content-Type": kind}, method=method)) as answer:
            return str(answer.headers.get("Location", ""))

    def push(self, layout: str, image: str) -> None:
        self._crane("push", layout, f"{self.address}/{image}")

    def _crane(self, command: str, *arguments: str) -> bytes:
        return subprocess.run([self.crane, "--insecure", command, *arguments], check=True, capture_output=True).stdout


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


@contextmanager
def own_registry(scratch: Path) -> Iterator[Registry]:
    """A registry of our own, with the base images in it."""
    with _serve(scratch, {}) as registry:
        for base, image in BASES.items():
            layout = cluster("base-image", base).removeprefix("oci:")
            registry.push(layout, image)
        yield registry


@contextmanager
def _serve(scratch: Path, more: dict[str, object], http: dict[str, object] | None = None) -> Iterator[Registry]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = scratch / "registry.json"
    config.write_text(
        json.dumps(
            {
                "version": 0.1,
                "storage": {"filesystem": {"rootdirectory": str(scratch / "registry")}, "delete": {"enabled": True}},
                "http": {"addr": f"127.0.0.1:{port}", **(http or {})},
                "log": {"accesslog": {"disabled": True}},
                **more,
            }
        )
    )
    program = shutil.which("docker-registry") or "registry"
    with (scratch / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", config], stdout=log, stderr=log)
    registry = Registry(f"127.0.0.1:{port}", Path(cluster("artefact", "crane")))
    try:
        _wait(port)
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


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the registry does not listen"
            time.sleep(0.05)
        else:
            return
