"""Cached layers: found when nothing changed, and never when the image would be another."""

import dataclasses
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from standalone.container import Builder, Done
from support.registry import Registry

LISTING = "FROM busybox\nCOPY files /files\nRUN ls -R /files > /list\n"


@pytest.fixture
def env(env: dict[str, str], registry: Registry) -> dict[str, str]:
    """With a cache of its own for each test."""
    return {**env, "CACHE_REPO": f"{registry.address}/cache-{uuid.uuid4().hex[:12]}/layers"}


@pytest.fixture
def built(builder: Builder, env: dict[str, str], source: Path) -> Callable[..., Done]:
    """Builds through the shim, with the cache on."""

    def build(**more: str) -> Done:
        done = builder.run(env={**env, **more}, mounts={"/tmp/source": source})
        assert done.code == 0, done.log
        return done

    return build


def write(source: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(content)


def read(registry: Registry, image: str, path: str, scratch: Path) -> str:
    root = registry.pull(image, scratch / uuid.uuid4().hex)
    text = (root / path).read_text()
    shutil.rmtree(root)
    return text


def bare(builder: Builder, env: Mapping[str, str], registry: Registry, source: Path) -> Done:
    executor = dataclasses.replace(builder, config={**builder.config, "Entrypoint": ["/kaniko/executor"]})
    return executor.run(
        "--context=dir:///kaniko/.source",
        "--dockerfile=/kaniko/.source/Dockerfile",
        f"--destination={env['OUTPUT_IMAGE']}",
        "--cache=true",
        f"--cache-repo={env['CACHE_REPO']}",
        f"--insecure-registry={registry.address}",
        f"--registry-mirror={registry.address}",
        env={"container": "kube"},
        mounts={"/kaniko/.source": source},
    )


def test_the_bare_executor_overlooks_a_renamed_file_if_it_is_old(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    """Why the shim puts names into the cache's keys for some executors."""
    overlooks = builder.abilities.is_old
    write(source, {"Dockerfile": LISTING, "files/a": "1", "files/b": "2"})
    assert bare(builder, env, registry, source).code == 0
    (source / "files/b").rename(source / "files/c")
    done = bare(builder, env, registry, source)
    assert ("Using caching version of cmd: RUN" in done.log) is overlooks
    assert read(registry, env["OUTPUT_IMAGE"], "list", tmp_path) == f"/files:\na\n{'b' if overlooks else 'c'}\n"


@pytest.mark.parametrize(
    "copy",
    [
        "COPY files /files",
        "COPY fil* /files/",
        "ADD . /context\nRUN mv /context/files /files",
        'ARG DIR=files\nCOPY ["$DIR", "/files"]',
        "COPY files /files\nFROM base",
        "COPY files /in\nRUN mv /in /out\nFROM busybox\nCOPY --from=base /out /files",
    ],
    ids=["directory", "pattern", "context", "argument", "base stage", "other stage"],
)
def test_a_renamed_file_is_noticed(
    built: Callable[..., Done], registry: Registry, source: Path, env: dict[str, str], tmp_path: Path, copy: str
):
    dockerfile = f"FROM busybox AS base\n{copy}\nRUN ls -R /files > /list\n"
    write(source, {"Dockerfile": dockerfile, "files/a": "1", "files/b": "2", ".dockerignore": ".git\n"})
    built()
    (source / "files/b").rename(source / "files/c")
    built()
    assert read(registry, env["OUTPUT_IMAGE"], "list", tmp_path) == "/files:\na\nc\n"
    image = registry.digest(env["OUTPUT_IMAGE"])
    (source / "files/c").rename(source / "files/b")
    # Nothing but the names was changed: the first build's layers are found again.
    write(source, {".git/HEAD": "ignored", ".git/more": "ignored"})
    done = built()
    assert read(registry, env["OUTPUT_IMAGE"], "list", tmp_path) == "/files:\na\nb\n"
    # The executor finds no layer of a stage on top of another that copies, whatever the names are.
    if "FROM base" not in copy:
        assert (done.result["cache"]["hits"] > 0, done.result["cache"]["misses"]) == (True, 0)
    assert registry.digest(env["OUTPUT_IMAGE"]) != image


def test_names_made_from_contents_are_noticed_in_another_stage(
    built: Callable[..., Done], registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    dockerfile = (
        "FROM busybox AS one\nARG VERSION\nCOPY version /\nRUN mkdir /out && touch /out/app-$(cat /version)-$VERSION\n"
        "FROM busybox\nCOPY --from=one /out /out\nRUN ls /out > /list\n"
    )
    write(source, {"Dockerfile": dockerfile, "version": "1"})
    argument = {name: f"VkVSU0lPTj{end}" for name, end in (("a", "1h"), ("b", "1i"))}
    for version, value, expected in (("1", "a", "app-1-a"), ("2", "a", "app-2-a"), ("2", "b", "app-2-b")):
        write(source, {"version": version})
        built(BUILD_ARG=argument[value])
        assert read(registry, env["OUTPUT_IMAGE"], "list", tmp_path) == f"{expected}\n"


@pytest.mark.parametrize("last", ["COPY --from={image} /d /d", "COPY --from=stage /d /d"])
def test_names_are_noticed_in_an_image_that_is_named_by_its_tag(
    built: Callable[..., Done], registry: Registry, source: Path, env: dict[str, str], tmp_path: Path, last: str
):
    image = f"{registry.address}/standalone/renamed:1"
    for name in ("one", "two"):
        write(source, {"Dockerfile": f"FROM busybox\nRUN mkdir /d && touch /d/{name}\n"})
        built(OUTPUT_IMAGE=image, CACHE="false")
        text = f"FROM {image} AS stage\nFROM busybox\n{last.format(image=image)}\nRUN ls /d > /list\n"
        write(source, {"Dockerfile": text})
        for hits in (False, True):
            done = built()
            assert read(registry, env["OUTPUT_IMAGE"], "list", tmp_path) == f"{name}\n"
            assert "warnings" not in done.result
            assert bool(done.result["cache"]["hits"]) is hits


def test_the_cache_leaves_no_trace_in_the_image(
    builder: Builder,
    built: Callable[..., Done],
    registry: Registry,
    source: Path,
    env: dict[str, str],
    tmp_path: Path,
):
    write(source, {"Dockerfile": LISTING + "RUN env | sort > /env\n", "files/a": "1"})
    seen = list[tuple[object, ...]]()
    for cache in ("true", "true", "false"):
        done = built(CACHE=cache)
        config = registry.config(env["OUTPUT_IMAGE"])
        history = [step.get("created_by") for step in config["history"]]
        environment = read(registry, env["OUTPUT_IMAGE"], "env", tmp_path)
        seen.append((config["config"], history, environment))
        if cache == "true" and builder.abilities.is_old:
            assert "ARG IMAGEBUILD_NAMES_" in done.log
    assert seen[0] == seen[1] == seen[2]
