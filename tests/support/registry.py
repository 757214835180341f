"""A registry as a test sees it from outside: crane looks into it, and what tests put there."""

import hashlib
import io
import json
import posixpath
import subprocess
import tarfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen


class Entry(NamedTuple):
    """One file of an image."""

    kind: str
    mode: int
    content: bytes


@dataclass(frozen=True)
class Registry:
    """One registry.

    Attributes:
        address: reaches it from this machine.
        crane: the program.
        name: what builds call it; the address where they reach it by that.
        environment: crane's variables, such as where its credentials are.
    """

    address: str
    crane: Path
    name: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Its host and port, as builds call it."""
        return (self.name or self.address).partition("/")[0]

    def raw_manifest(self, image: str) -> bytes:
        return self._crane("manifest", image)

    def manifest(self, image: str) -> dict[str, Any]:
        return dict(json.loads(self.raw_manifest(image)))

    def blob(self, image: str) -> bytes:
        return self._crane("blob", image)

    def digest(self, image: str) -> str:
        """The digest that a tag points to, computed from its manifest."""
        return "sha256:" + hashlib.sha256(self.raw_manifest(image)).hexdigest()

    def has(self, image: str) -> bool:
        """Whether an image is there."""
        return self._run("manifest", image).returncode == 0

    def config(self, image: str) -> dict[str, Any]:
        return dict(json.loads(self._crane("config", image)))

    def export(self, image: str) -> bytes:
        """An image's flattened file system, as a tar.

        Its own, since crane's leaves out links that lead out of the root.
        """
        repository = image.partition("@")[0] if "@" in image else image.rpartition(":")[0]
        manifest = self.manifest(image)
        if "manifests" in manifest:
            (digest,) = [e["digest"] for e in manifest["manifests"] if e["platform"]["architecture"] == "amd64"]
            manifest = self.manifest(f"{repository}@{digest}")
        flat = io.BytesIO()
        hidden = dict[str, bool]()
        with tarfile.open(fileobj=flat, mode="w", format=tarfile.PAX_FORMAT) as into:
            for layer in reversed(manifest["layers"]):
                with tarfile.open(fileobj=io.BytesIO(self._crane("blob", f"{repository}@{layer['digest']}"))) as tar:
                    _lay(tar, into, hidden)
        return flat.getvalue()

    def files(self, image: str) -> dict[str, Entry]:
        """Every file and link of an image, its layers laid over one another, by path; no directories."""
        found: dict[str, Entry] = {}
        with tarfile.open(fileobj=io.BytesIO(self.export(image))) as tar:
            for member in tar:
                if member.isdir():
                    continue
                handle = tar.extractfile(member) if member.isfile() else None
                content = handle.read() if handle else member.linkname.encode()
                kind = "file" if member.isfile() else "link"
                found["/" + member.name.removeprefix("./").strip("/")] = Entry(kind, member.mode, content)
        return found

    def directories(self, image: str) -> set[str]:
        """Every directory of an image."""
        with tarfile.open(fileobj=io.BytesIO(self.export(image))) as tar:
            return {posixpath.normpath(f"/{member.name}") for member in tar if member.isdir()}

    def pull(self, image: str, into: Path) -> Path:
        """Unpack an image's flattened file system."""
        into.mkdir()
        content = self.export(image)
        # Its complaint about "/", which some layers name, is no news.
        subprocess.run(["tar", "-x", "-C", str(into)], input=content, check=True, capture_output=True)
        return into

    def own_layers(self, image: str, base: str) -> list[str]:
        """The paths in the layers that an image has on top of its base; directories end in a slash."""
        below = {layer["digest"] for layer in self.manifest(base)["layers"]}
        repository = image.rpartition(":")[0]
        found = set[str]()
        for layer in self.manifest(image)["layers"]:
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
        done = self._run(command, *arguments)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def _run(self, command: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        here = [argument.replace(self.name, self.address, 1) if self.name else argument for argument in arguments]
        line = [str(self.crane), "--insecure", command, *here]
        return subprocess.run(line, env=dict(self.environment) or None, capture_output=True, check=False)


def _lay(tar: tarfile.TarFile, into: tarfile.TarFile, hidden: dict[str, bool]) -> None:
    """Add what a layer has to those above it. `hidden`: paths that these have, and whether they hide what is below."""
    found = dict[str, bool]()
    for member in tar:
        path = posixpath.normpath(f"/{member.name}").lstrip("/")
        parent, _, name = path.rpartition("/")
        if name == ".wh..wh..opq":
            found[f"{parent}/"] = True
        elif name.startswith(".wh."):
            found[posixpath.join(parent, name.removeprefix(".wh."))] = True
        elif path not in hidden and not any(hidden.get(above) or hidden.get(f"{above}/") for above in _above(path)):
            found[path] = not member.isdir()
            member.name = path or "."
            into.addfile(member, tar.extractfile(member) if member.isfile() else None)
    hidden.update(found)


def _above(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition("/")[0]
        yield path
