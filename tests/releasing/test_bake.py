"""docker-bake.hcl, evaluated by buildx itself."""

import json
import os
import re
import subprocess
from typing import Any

import pytest
from release.programs import program
from release.tree import ROOT

DOCKERFILES = {
    "operator": "Dockerfile.operator",
    "builder": "Dockerfile.builder",
    "builder-buildkit": "Dockerfile.builder",
}
PIN = re.findall(r"(?m)^ARG BUILDKIT_IMAGE=(.+)$", (ROOT / "Dockerfile.builder").read_text(encoding="utf-8"))[0]
#: What tells the images of one Dockerfile apart.
ARGUMENTS = {"builder-buildkit": {"args": {"ENGINE_FILES": "/usr/bin", "ENGINE_IMAGE": PIN}}}
SOURCE = "https://github.com/imagebuild-dev/imagebuild-operator"


def bake(**variables: str) -> dict[str, Any]:
    """What `docker buildx bake` would build."""
    done = subprocess.run(
        [program("buildx"), "bake", "--print"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "IMAGE_REGISTRY"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["target"])


@pytest.mark.parametrize("name", list(DOCKERFILES))
def test_a_release_is_built_for_all_platforms_with_provenance_and_sbom(name: str):
    target = bake(VERSION="1.2.3", REVISION="0123abc")[name]
    assert target == {
        "context": ".",
        "dockerfile": DOCKERFILES[name],
        "platforms": ["linux/amd64", "linux/arm64"],
        "attest": [{"type": "provenance", "mode": "max"}, {"type": "sbom"}],
        "tags": [f"ghcr.io/imagebuild-dev/imagebuild-{name}:{tag}" for tag in ("1.2.3", "latest")],
        "labels": {
            "org.opencontainers.image.documentation": "https://imagebuild-dev.github.io/imagebuild-operator/",
            "org.opencontainers.image.revision": "0123abc",
            "org.opencontainers.image.source": SOURCE,
            "org.opencontainers.image.version": "1.2.3",
        },
        "annotations": [
            f"index:org.opencontainers.image.source={SOURCE}",
            "index:org.opencontainers.image.licenses=Apache-2.0",
            "index:org.opencontainers.image.version=1.2.3",
        ],
        **ARGUMENTS.get(name, {}),
    }


@pytest.mark.parametrize("version", ["1.2.3-rc.1", "dev"])
def test_only_a_release_is_the_latest(version: str):
    for name, target in bake(VERSION=version, IMAGE_REGISTRY="registry.example.com").items():
        assert target["tags"] == [f"registry.example.com/imagebuild-dev/imagebuild-{name}:{version}"]


def test_all_targets_are_built():
    assert set(bake()) == set(DOCKERFILES)


def test_both_images_have_the_same_python():
    named = {
        re.findall(r"(?m)^ARG PYTHON_IMAGE=(.+)$", (ROOT / file).read_text(encoding="utf-8"))[0]
        for file in DOCKERFILES.values()
    }
    assert len(named) == 1


def test_the_operator_image_is_made_by_the_uv_of_this_tree():
    pattern = r"UV_VERSION=([0-9.]+)"
    files = ("Dockerfile.operator", "tools/bootstrap.sh")
    assert len({re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"))[0] for file in files}) == 1


def test_the_image_of_buildkit_has_the_version_that_the_tests_run():
    module = (ROOT / "tests/cluster/buildkitd/go.mod").read_text(encoding="utf-8")
    version = re.findall(r"(?m)^require github.com/moby/buildkit (v\S+)$", module)[0]
    assert PIN.endswith(f":{version}")
