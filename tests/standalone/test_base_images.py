"""Base images from a volume: their layers, and never a tag that has moved."""

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from standalone.container import Builder, Done, Limits
from standalone.registry import cluster, empty_registry
from support.registry import Registry

NOBODY = 65532
BASE = "team/base:1"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry of its own, whose blobs the tests delete."""
    (tmp_path / "registry").mkdir()
    with empty_registry(tmp_path / "registry") as found:
        found.push(cluster("base-image", "busybox").removeprefix("oci:"), BASE)
        yield found


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    directory = tmp_path / "volume"
    directory.mkdir()
    directory.chmod(0o777)
    return directory


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    directory.mkdir()
    directory.chmod(0o777)
    return directory


def warm(builder: Builder, registry: Registry, volume: Path, run: Path, image: str = BASE) -> Done:
    env = {"CACHE_BASE_IMAGES": f"{registry.address}/{image}", "INSECURE_REGISTRIES": registry.address}
    mounts = {"/kaniko/.base-images": volume, "/kaniko/.run": run}
    return builder.run("warm", env=env, mounts=mounts, user=NOBODY)


def build(builder: Builder, env: dict[str, str], source: Path, volume: Path) -> Done:
    repo = f"{env['INSECURE_REGISTRIES']}/cache-{uuid.uuid4().hex[:12]}"
    mounts = {"/tmp/source": source, "/kaniko/.base-images": volume}
    limits = Limits(read_only=("/kaniko/.base-images",))
    return builder.run(env={**env, "CACHE_REPO": repo}, mounts=mounts, limits=limits)


def delete_layer(registry: Registry, image: str) -> None:
    repository = image.partition(":")[0]
    for layer in registry.manifest(f"{registry.address}/{image}")["layers"]:
        url = f"http://{registry.address}/v2/{repository}/blobs/{layer['digest']}"
        with urlopen(Request(url, method="DELETE"), timeout=30) as answer:
            assert answer.status == 202


def test_layers_come_from_the_volume(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], volume: Path, run: Path
):
    warmed = warm(builder, registry, volume, run)
    assert warmed.code == 0, warmed.log
    digest = registry.digest(f"{registry.address}/{BASE}")
    assert [entry.name for entry in volume.iterdir()] == [digest]
    delete_layer(registry, BASE)
    (source / "Dockerfile").write_text(f"FROM {registry.address}/{BASE}\nRUN echo built > /built\n")
    done = build(builder, env, source, volume)
    if builder.abilities.is_old:
        # It reads no layouts, so it needs the layer that the registry lost.
        assert done.code != 0
        return
    assert done.code == 0, done.log
    assert f"Found {digest} in local cache" in done.log
    assert registry.files(env["OUTPUT_IMAGE"])["/built"].content == b"built\n"


def test_a_tag_that_has_moved_is_noticed(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], volume: Path, run: Path
):
    assert warm(builder, registry, volume, run).code == 0
    (source / "Dockerfile").write_text(f"FROM {registry.address}/{BASE}\nRUN echo two > /version\n")
    newer = {**env, "OUTPUT_IMAGE": f"{registry.address}/{BASE}"}
    assert build(builder, newer, source, volume).code == 0
    (source / "Dockerfile").write_text(f"FROM {registry.address}/{BASE}\nRUN cat /version > /seen\n")
    done = build(builder, env, source, volume)
    assert done.code == 0, done.log
    assert registry.files(env["OUTPUT_IMAGE"])["/seen"].content == b"two\n"


def test_an_image_is_downloaded_once_and_goes_when_nobody_names_it(
    builder: Builder, registry: Registry, volume: Path, run: Path
):
    assert warm(builder, registry, volume, run).code == 0
    [entry] = volume.iterdir()
    old = time.time() - 13 * 24 * 3600
    os.utime(entry, (old, old))
    delete_layer(registry, BASE)
    again = warm(builder, registry, volume, run)
    assert again.code == 0, again.log
    assert entry.stat().st_mtime > old
    abandoned, draft = volume / f"sha256:{'0' * 64}", volume / ".draft-0123456789abcdef"
    for each in (abandoned, draft):
        each.mkdir()
        each.chmod(0o777)
        older = time.time() - 15 * 24 * 3600
        os.utime(each, (older, older))
    assert warm(builder, registry, volume, run).code == 0
    assert list(volume.iterdir()) == [entry]


def test_an_image_that_does_not_exist_is_reported(builder: Builder, registry: Registry, volume: Path, run: Path):
    done = warm(builder, registry, volume, run, "team/base:2")
    assert (done.code != 0, done.result["command"]) == (True, "warm")
    assert done.result["reason"] == "BaseImageNotFound"
    assert not list(volume.iterdir())
