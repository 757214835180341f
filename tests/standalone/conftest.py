"""The builder image and a registry, without Kubernetes. Needs root, an OCI runtime and overlayfs."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from standalone.container import Builder, builder_layout
from standalone.registry import any_registry
from support.executor import note
from support.registry import Registry


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Builder]:
    layout = Path(os.environ.get("BUILDER_LAYOUT") or builder_layout())
    unpacked = Builder.unpack(layout, tmp_path_factory.mktemp("builder"))
    note(pytestconfig, unpacked.abilities)
    yield unpacked
    unpacked.remove()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with any_registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source"
    directory.mkdir()
    return directory


@pytest.fixture
def env(registry: Registry, request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables of the README's example, for our registry."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return {
        "OUTPUT_IMAGE": f"{registry.address}/standalone/{name}:latest",
        "SOURCE_GET_URL": "dir:///tmp/source",
        "DOCKERFILE_PATH": "Dockerfile",
        "INSECURE_REGISTRIES": registry.address,
        "REGISTRY_MIRRORS": registry.address,
        "SKIP_DEFAULT_REGISTRY_FALLBACK": "true",
    }
