"""The container tool at hand: docker, podman or buildah."""

# ruff: noqa: S603 - it runs the tools on the PATH of the user who makes the image

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from image.archive import read_archive, write_archive


class ToolError(Exception):
    """A command failed, or no container tool works; the message says what to do next."""


class Tool(ABC):
    """What making an image needs of a container tool."""

    name: str

    def obstacle(self) -> str:
        """Why it can't be used; "" if it works."""
        if shutil.which(self.name) is None:
            return "not installed"
        done = subprocess.run([self.name, "info"], check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return ""
        lines = f"{done.stdout}\n{done.stderr}".strip().splitlines()
        # The docker command sums up last, without a word of the cause, what it has printed before.
        said = next((line for line in lines if "annot connect" in line or "denied" in line), lines[-1] if lines else "")
        said = said or f"`{self.name} info` ended with {done.returncode}"
        return said.removeprefix("ERROR: ").partition(". Is the")[0]

    def build(self, context: Path, dockerfile: Path, image: str, arguments: Mapping[str, str]) -> None:
        """Build an image."""
        flags = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        run(*self._build(), *flags, f"--tag={image}", f"--file={dockerfile}", str(context))

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

    def deliveries(self, image: str) -> dict[str, str]:
        """The commands that take an image from the tool's storage to a cluster, by where they take it."""
        return {"to a registry": f"{self.name} push {image}"}

    def _build(self) -> Sequence[str]:
        """The command that builds, with flags of its own."""
        return (self.name, "build")


class Docker(Tool):
    """Docker, or what pretends to be it."""

    name = "docker"

    def load(self, layout: Path, image: str) -> None:
        """See Tool."""
        with tempfile.TemporaryDirectory() as directory:
            archive = Path(directory, "image.tar")
            write_archive(layout, image, archive)
            run("docker", "load", "--quiet", f"--input={archive}")

    def save(self, image: str, layout: Path) -> None:
        """See Tool."""
        with tempfile.TemporaryDirectory() as directory:
            archive = Path(directory, "image.tar")
            run("docker", "save", f"--output={archive}", image)
            read_archive(archive, layout)

    def _build(self) -> Sequence[str]:
        if os.environ.get("DOCKER_BUILDKIT") != "0" and succeeds("docker", "buildx", "version"):
            # A builder outside of the daemon leaves the image in its own cache otherwise.
            return ("docker", "buildx", "build", "--load")
        return ("docker", "build")

    def deliveries(self, image: str) -> dict[str, str]:
        """See Tool."""
        return {"to kind": f"kind load docker-image {image}", **super().deliveries(image)}


class Podman(Tool):
    """Podman."""

    name = "podman"

    def load(self, layout: Path, image: str) -> None:
        """See Tool."""
        _pull_layout(self.name, layout, image)

    def save(self, image: str, layout: Path) -> None:
        """See Tool."""
        run("podman", "push", "--quiet", image, f"oci:{layout}:latest")

    def deliveries(self, image: str) -> dict[str, str]:
        """See Tool."""
        kind = f"podman save --output image.tar {image} && kind load image-archive image.tar"
        return {"to kind": kind, **super().deliveries(image)}


class Buildah(Tool):
    """Buildah, which needs neither a daemon nor, with chroot isolation, any container runtime."""

    name = "buildah"

    def load(self, layout: Path, image: str) -> None:
        """See Tool."""
        _pull_layout(self.name, layout, image)

    def save(self, image: str, layout: Path) -> None:
        """See Tool."""
        run("buildah", "push", "--quiet", image, f"oci:{layout}:latest")

    def deliveries(self, image: str) -> dict[str, str]:
        """See Tool."""
        kind = f"buildah push {image} docker-archive:image.tar:{image} && kind load image-archive image.tar"
        return {"to kind": kind, **super().deliveries(image)}

    def _build(self) -> Sequence[str]:
        # Without --force-rm, the containers of earlier stages stay behind; it wants --no-cache, which is the default.
        pull = "--pull=never" if self.offline else "--pull=missing"
        return ("buildah", "build", "--isolation=chroot", "--format=oci", "--force-rm", "--no-cache", pull)

    offline = False
    _inspection = ("inspect", "--type=image", "--format={{.FromImageID}}")


def choose_tool(wanted: str = "") -> Tool:
    """The tool of this name, or else the first that works.

    Raises:
        ToolError: there is none.
    """
    tools: dict[str, Tool] = {tool.name: tool for tool in (Docker(), Podman(), Buildah())}
    if wanted and wanted not in tools:
        raise ToolError(f"CONTAINER_TOOL={wanted} is unknown. Write docker, podman or buildah.")
    obstacles = dict[str, str]()
    for tool in [tools[wanted]] if wanted else tools.values():
        if obstacle := tool.obstacle():
            obstacles[tool.name] = obstacle
            continue
        for name, why in obstacles.items():
            if why != "not installed":
                sys.stderr.write(f"using {tool.name}, since {name} does not work: {why}\n")
        return tool
    found = "; ".join(f"{name}: {why}" for name, why in obstacles.items())
    raise ToolError(f"no container tool works ({found}). Start or install one; with Debian: apt-get install buildah.")


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


def run(*command: str) -> str:
    """Run a command and return what it prints on stdout; its stderr goes to ours.

    Raises:
        ToolError: it failed.
    """
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        # What a build prints is its log.
        sys.stderr.write(done.stdout)
        raise ToolError(f"`{shlex.join(command)}` failed with exit code {done.returncode}; its output is above.")
    return done.stdout


def succeeds(*command: str) -> bool:
    """Whether a command succeeds."""
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
