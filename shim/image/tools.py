"""The container tool at hand: docker, podman or buildah."""

# ruff: noqa: S603 - it runs the tools on the PATH of whoever makes the image

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path


class Tool(ABC):
    """What making an image needs of a container tool."""

    name: str

    def usable(self) -> bool:
        """Whether it is installed and works."""
        return shutil.which(self.name) is not None and self._answers()

    def build(self, context: Path, dockerfile: Path, image: str, arguments: Mapping[str, str]) -> None:
        """Build an image."""
        flags = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        run(self.name, "build", *self._build_flags(), *flags, f"--tag={image}", f"--file={dockerfile}", str(context))

    def identify(self, image: str) -> str | None:
        """The id of an image in the tool's storage; None if it has none of that name."""
        done = subprocess.run([self.name, *self._inspection, image], check=False, capture_output=True, text=True)
        return done.stdout.strip() or None if done.returncode == 0 else None

    _inspection: Sequence[str] = ("image", "inspect", "--format={{.Id}}")

    @abstractmethod
    def load(self, layout: Path, image: str) -> None:
        """Take an image from an OCI layout."""

    @abstractmethod
    def save(self, image: str, layout: Path) -> None:
        """Write an image into a new OCI layout."""

    def _answers(self) -> bool:
        return succeeds(self.name, "info")

    def _build_flags(self) -> Sequence[str]:
        return ()


class Docker(Tool):
    """Docker, or what pretends to be it."""

    name = "docker"

    def load(self, layout: Path, image: str) -> None:
        """See Tool."""
        run("skopeo", "copy", f"oci:{layout}", f"docker-daemon:{image}")

    def save(self, image: str, layout: Path) -> None:
        """See Tool. Docker's own archives hold an OCI layout from version 25 on."""
        with tempfile.TemporaryDirectory() as directory:
            archive = Path(directory, "image.tar")
            run("docker", "save", f"--output={archive}", image)
            if shutil.which("skopeo"):
                run("skopeo", "copy", "--quiet", f"docker-archive:{archive}", f"oci:{layout}:latest")
                return
            with tarfile.open(archive) as stream:
                stream.extractall(layout, filter="data")
        if not (layout / "index.json").exists():
            message = "This Docker writes no OCI layout: install skopeo, or Docker 25 or later."
            raise SystemExit(message)


class Podman(Tool):
    """Podman."""

    name = "podman"

    def load(self, layout: Path, image: str) -> None:
        """See Tool."""
        _pull_layout(self.name, layout, image)

    def save(self, image: str, layout: Path) -> None:
        """See Tool."""
        run("podman", "push", "--quiet", image, f"oci:{layout}:latest")


class Buildah(Tool):
    """Buildah, which needs neither a daemon nor, with chroot isolation, any container runtime."""

    name = "buildah"

    def load(self, layout: Path, image: str) -> None:
        """See Tool."""
        _pull_layout(self.name, layout, image)

    def save(self, image: str, layout: Path) -> None:
        """See Tool."""
        run("buildah", "push", "--quiet", image, f"oci:{layout}:latest")

    def _build_flags(self) -> Sequence[str]:
        # Without --force-rm, the containers of earlier stages stay behind; it wants --no-cache, which is the default.
        pull = "--pull=never" if self.offline else "--pull=missing"
        return ("--isolation=chroot", "--format=oci", "--force-rm", "--no-cache", pull)

    offline = False
    _inspection = ("inspect", "--type=image", "--format={{.FromImageID}}")


def choose_tool(wanted: str = "") -> Tool:
    """The tool that was asked for, or else the first that works."""
    tools: tuple[Tool, ...] = (Docker(), Podman(), Buildah())
    for tool in tools:
        if wanted in {"", tool.name} and tool.usable():
            return tool
    message = f"{wanted or 'None of docker, podman and buildah'} works here. With Debian: apt-get install buildah."
    raise SystemExit(message)


def _pull_layout(program: str, layout: Path, image: str) -> None:
    # Both make a name out of the path, and not every path makes one.
    link = Path(tempfile.gettempdir(), f"imagebuild-layout-{os.getpid()}")
    link.symlink_to(layout)
    try:
        identity = run(program, "pull", "--quiet", f"oci:{link}").strip()
    finally:
        link.unlink()
    run(program, "tag", identity, image)
    succeeds(program, "rmi", f"localhost{link}")


def layout_size(layout: Path) -> int:
    """Bytes of an image's config and compressed layers."""

    def blob(digest: str) -> bytes:
        return (layout / "blobs" / digest.replace(":", "/")).read_bytes()

    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(blob(index["manifests"][0]["digest"]))
    return sum(int(part["size"]) for part in (manifest["config"], *manifest["layers"]))


def run(*command: str) -> str:
    """Run a command and return what it prints; its complaints go to ours."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def succeeds(*command: str) -> bool:
    """Whether a command succeeds."""
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
