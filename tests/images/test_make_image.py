"""`make image` and `make operator-image` with docker and podman."""

import os
import sys
from pathlib import Path

import pytest
from images.tool import ROOT, Tool
from images.tools import Tools
from standalone.registry import cluster

sys.path.append(str(ROOT / "shim"))

from image.names import image_name

BUILDER = "shim/image/build.py"
OPERATOR = "tools/operator_image.py"


@pytest.fixture(params=["docker", "podman"])
def tool(request: pytest.FixtureRequest, tools: Tools) -> Tool:
    return tools.get(request.param)


@pytest.fixture
def buildx(tmp_path: Path) -> dict[str, str]:
    """The variable by which docker finds its plugin for builds, which Debian has no package of."""
    plugins = tmp_path / "cli-plugins"
    plugins.mkdir()
    (plugins / "docker-buildx").symlink_to(Path(cluster("artefact", "buildx")))
    (tmp_path / "config.json").write_text("{}")
    return {"DOCKER_CONFIG": str(tmp_path)}


def test_the_builder_image_is_built(tool: Tool, buildx: dict[str, str]):
    said = tool.make(BUILDER, "--no-cache", **buildx)
    assert f"builder image  {image_name('builder')} (in {tool.name}'s storage)" in said
    assert "made " in said
    assert image_name("builder") in tool.images()
    started = tool.shell(f"{tool.name} run --rm {image_name('builder')} --version", ROOT)
    assert started.returncode == 0, started.stderr


def test_the_operator_image_is_built_without_buildkit(tools: Tools):
    docker = tools.get("docker")
    said = docker.make(OPERATOR, "--no-cache", DOCKER_BUILDKIT="0")
    assert f"operator image  {image_name('operator')} (in docker's storage)" in said
    assert f"kind load docker-image {image_name('operator')}" in said
    started = docker.shell(f"docker run --rm {image_name('operator')}", ROOT)
    assert "IMAGEBUILD_SETTINGS_FILE is not set" in started.stderr


@pytest.mark.parametrize(("script", "part"), [(BUILDER, "builder"), (OPERATOR, "operator")])
def test_a_cached_image_is_loaded_under_its_name(tool: Tool, script: str, part: str):
    name = image_name(part, "localhost:5000")
    said = tool.make(script, IMAGE_REGISTRY="localhost:5000")
    assert f"{tool.name} push {name}" in said
    assert "made " not in said
    assert name in tool.images()


@pytest.mark.parametrize("script", [BUILDER, OPERATOR])
def test_a_daemon_that_is_not_there_is_named(tools: Tools, script: str):
    docker = tools.get("docker")
    done = docker.shell(
        f"{sys.executable} {ROOT}/{script}", ROOT, CONTAINER_TOOL="docker", DOCKER_HOST="unix:///nowhere"
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: no container tool works (docker: Cannot connect to the Docker daemon at unix:///now")


def test_a_build_that_fails_ends_in_one_line(tool: Tool):
    variables = dict.fromkeys(("EXECUTOR_IMAGE", "CRANE_IMAGE", "PYTHON_IMAGE", "HELPERS_IMAGE"), "localhost:1/none:1")
    home = {"HOME": os.environ.get("HOME", "/root")}
    done = tool.shell(f"{sys.executable} {ROOT}/{BUILDER}", ROOT, CONTAINER_TOOL=tool.name, **variables, **home)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: `{tool.name} build ")
    assert last.endswith("its output is above.")
