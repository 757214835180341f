"""The pin of the executor: one line of Dockerfile.builder, moved with what a registry says."""

import subprocess
from pathlib import Path

import pytest
from release import executor
from release.errors import ReleaseError
from release.executor import Pin
from release.tree import BUILDER_DOCKERFILE, ROOT
from support.registry import Registry
from support.release import crane, push_image

DIGEST = "sha256:" + "0" * 64


def test_the_pin_has_a_version_and_a_digest():
    pin = executor.pinned()
    assert pin.image in BUILDER_DOCKERFILE.read_text(encoding="utf-8")


def test_no_other_file_names_the_shipped_version():
    """Recorded logs, results, test data and the changelog name the executor that they are about."""
    pin = executor.pinned()
    about_one = (":!CHANGELOG.md", ":!bench/results", ":!docs/performance.md", ":!tests/unit")
    found = subprocess.run(
        ["git", "grep", "-lE", f"kaniko[: @]{pin.version.replace('.', '[.]')}|{pin.digest}", "--", ".", *about_one],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.split() == [BUILDER_DOCKERFILE.name]


@pytest.fixture(scope="module")
def repository(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A repository with releases, and with tags that are none."""
    name = f"{registry.address}/mirror/kaniko"
    folder = tmp_path_factory.mktemp("images")
    digest = push_image(f"{name}:v1.9.0", folder)
    push_image(f"{name}:v1.10.0", folder)
    push_image(f"{name}:v1.8.0", folder, ("amd64",))
    for tag in ("v1.11.0-debug", "v2.0.0-rc.1", "latest"):
        crane("tag", f"{name}@{digest}", tag)
    return name


@pytest.fixture
def dockerfile(repository: str, tmp_path: Path) -> Path:
    file = tmp_path / "Dockerfile.builder"
    file.write_text(f"# Why.\n\nARG EXECUTOR_IMAGE={repository}:v1.9.0@{DIGEST}\nFROM ${{EXECUTOR_IMAGE}}\n")
    return file


def test_the_pin_moves_to_the_newest_release(dockerfile: Path):
    pin = executor.pinned(dockerfile)
    wanted = executor.resolve(pin, executor.newest(pin))
    assert wanted.version == "v1.10.0"
    assert executor.move(wanted, dockerfile)
    assert executor.pinned(dockerfile) == wanted
    assert dockerfile.read_text() == f"# Why.\n\nARG EXECUTOR_IMAGE={wanted.image}\nFROM ${{EXECUTOR_IMAGE}}\n"
    assert not executor.move(wanted, dockerfile)


def test_a_release_for_one_architecture_is_refused(repository: str):
    with pytest.raises(ReleaseError, match="linux/arm64"):
        executor.resolve(Pin(repository, "v1.9.0", DIGEST), "v1.8.0")


@pytest.mark.parametrize("version", ["1.10.0", "v1.10", "latest", "v1.10.0-debug"])
def test_only_releases_are_versions(repository: str, version: str):
    with pytest.raises(ReleaseError, match=r"such as v1\.9\.0, or newest"):
        executor.resolve(Pin(repository, "v1.9.0", DIGEST), version)


def test_an_unknown_release_is_named(repository: str):
    with pytest.raises(ReleaseError, match=r"(?s)crane digest .*kaniko:v9\.9\.9 failed.*MANIFEST_UNKNOWN"):
        executor.resolve(Pin(repository, "v1.9.0", DIGEST), "v9.9.9")


def test_a_pin_without_a_digest_is_refused(tmp_path: Path):
    file = tmp_path / "Dockerfile.builder"
    file.write_text("ARG EXECUTOR_IMAGE=example.com/kaniko:v1.9.0\n")
    with pytest.raises(ReleaseError, match="must have one line"):
        executor.pinned(file)
