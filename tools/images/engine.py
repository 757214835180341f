"""Build a Dockerfile with what is there: docker, podman or buildah; the result is an OCI image layout."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.console import ClusterError, run


@dataclass(frozen=True)
class Build:
    """One image to build."""

    name: str
    dockerfile: Path
    context: Path
    arguments: Mapping[str, str]
    #: Build arguments that name a base image kept as an OCI layout, and its folder. Buildah only.
    base_layouts: Mapping[str, Path]


def find_engine() -> str:
    """Name the tool to build with; IMAGE_ENGINE chooses it.

    Raises:
        ClusterError: there is none.
    """
    if chosen := os.environ.get("IMAGE_ENGINE"):
        return chosen
    for name in ("docker", "podman"):
        if shutil.which(name) and _succeeds(name, "info"):
            return name
    if shutil.which("buildah"):
        return "buildah"
    raise ClusterError("no tool to build images with: install docker, podman or buildah")


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def build(image: Build, engine: str, layout: Path, log: Path) -> None:
    """Build an image and write it to a folder as an OCI layout.

    Raises:
        ClusterError: the build failed; the message holds the end of its log.
    """
    tag = f"localhost/{image.name}:build"
    match engine:
        case "buildah":
            _buildah(image, tag, layout, log)
        case "podman":
            run(["podman", "build", *_options(image, tag), image.context], log=log)
            run(["podman", "save", "--format=oci-dir", f"--output={layout}", tag])
        case "docker":
            run(["docker", "build", *_options(image, tag), image.context], log=log)
            _save(tag, layout)
        case _:
            raise ClusterError(f"IMAGE_ENGINE={engine}: write docker, podman or buildah")


def _options(image: Build, tag: str) -> list[str]:
    if image.base_layouts:
        raise ClusterError(f"base images kept in folders need buildah: {', '.join(image.base_layouts)}")
    arguments = [f"--build-arg={name}={value}" for name, value in image.arguments.items()]
    return [f"--file={image.dockerfile}", f"--tag={tag}", *arguments]


def _buildah(image: Build, tag: str, layout: Path, log: Path) -> None:
    pulled = {name: _pull_layout(path) for name, path in image.base_layouts.items()}
    arguments = [f"--build-arg={name}={value}" for name, value in (dict(image.arguments) | pulled).items()]
    options = [f"--file={image.dockerfile}", f"--tag={tag}", "--isolation=chroot", "--layers", *arguments]
    run(["buildah", "build", *options, image.context], log=log)
    run(["buildah", "push", "--quiet", tag, f"oci:{layout}:latest"])


def _pull_layout(layout: Path) -> str:
    """Give the id that an image of a folder gets in Buildah's store."""
    # Buildah makes the image's name from the path as it is given, and refuses many: the last part alone will do.
    command = ["buildah", "pull", "--quiet", f"oci:{layout.name}"]
    done = subprocess.run(command, cwd=layout.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


def _save(tag: str, layout: Path) -> None:
    """Unpack what `docker save` writes: an OCI layout, from Docker 25 on."""
    archive = layout / "image.tar"
    run(["docker", "save", f"--output={archive}", tag])
    with tarfile.open(archive) as tar:
        tar.extractall(layout, filter="data")
    archive.unlink()
    if not (layout / "oci-layout").is_file():
        raise ClusterError("docker save wrote no OCI layout: Docker 25 or later is needed")
