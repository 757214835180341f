"""docker and podman, and what the commands of docs/how-to/standalone.md need: registries, a project, a bucket."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from images.tools import PASSWORD, USERNAME, Tools
from standalone.registry import own_registry, private_registry
from support.registry import Registry


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with busybox in it, for everyone."""
    with own_registry(tmp_path_factory.mktemp("bases")) as registry:
        yield registry


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that wants a password."""
    scratch = tmp_path_factory.mktemp("private")
    with private_registry(scratch, USERNAME, PASSWORD) as found:
        environment = {"DOCKER_CONFIG": str(scratch)}
        login = [str(found.crane), "auth", "login", found.address, "--username", USERNAME, "--password", PASSWORD]
        subprocess.run(login, env=environment, check=True, capture_output=True)
        yield replace(found, environment=environment)


@pytest.fixture(scope="session")
def tools(registry: Registry, bases: Registry) -> Iterator[Tools]:
    with ExitStack() as stack:
        yield Tools([registry.address, bases.address], stack)


@pytest.fixture
def project(bases: Registry) -> Iterator[Path]:
    """A project like a user's: its Dockerfile copies everything, and shows the secret and the cache."""
    place = Path(tempfile.mkdtemp(prefix="imagebuild-project-"))
    place.chmod(0o755)
    (place / "Dockerfile").write_text(
        f"FROM {bases.address}/library/busybox\nCOPY . /app\n"
        "RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=cache,target=/root/.npm \\\n"
        "    echo build >> /root/.npm/builds; wc -l < /root/.npm/builds > /builds; \\\n"
        "    if [ -s /root/.npmrc ]; then echo yes > /secret; fi; id -u > /user\n"
    )
    (place / "main.txt").write_text("text\n")
    yield place
    shutil.rmtree(place)
