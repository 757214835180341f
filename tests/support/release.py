"""Small images in a registry, and the commands of tools/release as the workflows call them."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.programs import program
from release.tree import PROJECT, ROOT

#: Of cosign, for what is signed with the key beside cosign.pub.
BY_KEY = ("--key=cosign.pub", "--insecure-ignore-tlog=true", "--allow-http-registry")
_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "tools"), "COSIGN_PASSWORD": "rehearsal"}


@dataclass(frozen=True)
class Published:
    """A release in a local registry.

    Attributes:
        registry: its host.
        digests: of the image of each name.
        folder: the key, its public key, and `dist`.
        printed: what the command printed.
    """

    registry: str
    digests: Mapping[str, str]
    folder: Path
    printed: list[str]

    @property
    def project(self) -> str:
        """What the names of its images begin with."""
        return f"{self.registry}/{PROJECT}"

    @property
    def options(self) -> list[str]:
        """What `publish` and `verify` need to know."""
        key, dist = self.folder / "cosign.key", self.folder / "dist"
        return [f"--registry={self.registry}", "--plain-http", f"--key={key}", f"--dist={dist}"]


def bake(registry: str, socket: Path, folder: Path) -> Path:
    """Build and push what docker-bake.hcl says, for all platforms, with small Dockerfiles; bake's metadata file.

    Args:
        registry: its host.
        socket: of a BuildKit daemon.
        folder: gets all files.
    """
    shutil.copy(ROOT / "docker-bake.hcl", folder)
    for name in ("Dockerfile.operator", "Dockerfile.builder"):
        (folder / name).write_text(f"FROM scratch\nCOPY {name} /\n")
    variables = {"IMAGE_REGISTRY": registry, "VERSION": version(), "REVISION": "0123abc"}

    def buildx(*arguments: str) -> None:
        words = [program("buildx"), *arguments]
        environment = _ENVIRONMENT | {"DOCKER_CONFIG": str(folder / "docker")} | variables
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    buildx("create", "--name=rehearsal", "--driver=remote", f"unix://{socket}")
    # BuildKit makes an SBOM with an image from Docker Hub.
    without_sbom = "--set=*.attest=type=sbom,disabled=true"
    buildx("bake", "--builder=rehearsal", without_sbom, "--push", "--metadata-file=images.json")
    return folder / "images.json"


def publish(registry: str, metadata: Path, folder: Path) -> Published:
    """Sign images that were pushed, and push the chart that pins them, as a release does.

    Args:
        registry: its host.
        metadata: a metadata file of bake.
        folder: gets the key and `dist`.
    """
    cosign("generate-key-pair", folder=folder)
    targets = json.loads(metadata.read_text()).items()
    digests = {name: str(about["containerimage.digest"]) for name, about in targets if isinstance(about, dict)}
    published = Published(registry, digests, folder, [])
    done = release("publish", metadata, *published.options)
    assert done.returncode == 0, done.stderr
    published.printed.extend(done.stdout.split())
    return published


def version() -> str:
    """The version of this tree."""
    return release("check").stdout.strip().removeprefix("version=")


def release(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a command of tools/release."""
    words = [sys.executable, "-m", "release", *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, env=_ENVIRONMENT, capture_output=True, text=True, check=False)


def cosign(*arguments: str, folder: Path) -> str:
    """Run cosign in a folder; what it printed."""
    words = [program("cosign"), *arguments]
    done = subprocess.run(words, cwd=folder, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def statement(image: str, kind: str, options: Sequence[str], folder: Path) -> dict[str, Any]:
    """What is said of an image, of which cosign has verified the signature."""
    said = cosign("verify-attestation", *options, f"--type={kind}", image, folder=folder)
    envelope = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    return dict(json.loads(base64.b64decode(envelope["payload"])))


def push_image(reference: str, folder: Path, architectures: tuple[str, ...] = ("amd64", "arm64")) -> str:
    """Push an index of small images; its digest."""
    layer = folder / "layer.tar"
    with tarfile.open(layer, "w") as archive:
        content = reference.encode()
        entry = tarfile.TarInfo("hello")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    images = []
    for architecture in architectures:
        image = f"{reference}-{architecture}"
        crane("append", "--oci-empty-base", f"--new_layer={layer}", f"--new_tag={image}")
        crane("mutate", image, f"--set-platform=linux/{architecture}", f"--tag={image}")
        images.append(f"--manifest={image}")
    crane("index", "append", *images, f"--tag={reference}")
    return crane("digest", reference).strip()


def crane(*arguments: str) -> str:
    done = subprocess.run([program("crane"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
