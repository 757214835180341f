"""The tools that the tests run with, and their user in the registry."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from images.daemon import docker_daemon, unmount_below
from images.tool import USER, Tool, docker, podman, subordinate_ids

USERNAME, PASSWORD = "builder", "correct horse"


class Tools:
    """The tools, each started when it is first asked for."""

    def __init__(self, registries: Sequence[str], stack: ExitStack) -> None:
        self._registries = registries
        self._stack = stack
        self._found: dict[str, Tool] = {}

    def get(self, name: str) -> Tool:
        """docker, podman or `rootless podman`."""
        if name not in self._found:
            home = self._stack.enter_context(_home())
            if name == "docker":
                self._found[name] = docker(home, self._registries, self._stack.enter_context(docker_daemon()))
            elif name == "podman":
                self._found[name] = podman(home, self._registries)
            else:
                self._stack.enter_context(subordinate_ids())
                self._found[name] = podman(home, self._registries, USER)
            self._stack.callback(_clean, self._found[name])
        return self._found[name]


@contextmanager
def _home() -> Iterator[Path]:
    # Not below pytest's directories, which only root may enter.
    home = Path(tempfile.mkdtemp(prefix="imagebuild-home-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _clean(tool: Tool) -> None:
    if tool.name == "podman":
        # Rootless podman keeps a process that holds its user namespace; this ends it.
        tool.shell("podman rm --all --force --time 0; podman system migrate", Path("/"))
        unmount_below(tool.home)
