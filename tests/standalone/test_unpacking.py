"""What a build does not unpack: neither the base image where every layer is cached, nor a stage that is not needed."""

import uuid
from pathlib import Path

import pytest
from standalone.container import Builder, Done
from support.registry import Registry

TWO_STAGES = """\
FROM busybox AS build
COPY source /source
RUN mkdir /out && date +%s%N > /out/when
FROM busybox
COPY --from=build /out /out
COPY app /app
RUN cat /out/when > /seen
CMD ["cat", "/app"]
"""
ONLY_RUN = 'FROM busybox\nRUN date +%s%N > /when\nCMD ["cat", "/when"]\n'
UNPACKING = "Unpacking rootfs as cmd"
A_FILE_OF_THE_BASE = "bin/busybox"


@pytest.fixture
def env(env: dict[str, str], registry: Registry) -> dict[str, str]:
    """With a cache of its own for each test."""
    return {**env, "CACHE_REPO": f"{registry.address}/cache-{uuid.uuid4().hex[:12]}/layers"}


def write(context: Path, dockerfile: str, **files: str) -> None:
    (context / "Dockerfile").write_text(dockerfile)
    for name, text in files.items():
        (context / name).write_text(text)


def build(builder: Builder, env: dict[str, str], source: Path) -> tuple[Done, bool]:
    """Build; returns the end, and whether the base image was in the container's file system at the end."""
    container = builder.start(env=env, mounts={"/tmp/source": source})
    container.wait_for("kaniko-shim: done in")
    unpacked = container.has(A_FILE_OF_THE_BASE)
    done = container.wait()
    assert done.code == 0, done.log
    return done, unpacked


def skips_stages(builder: Builder) -> bool:
    """Whether the executor knows all keys before it builds the first stage."""
    return not builder.abilities.is_old


def test_an_unchanged_build_unpacks_nothing(builder: Builder, source: Path, env: dict[str, str]):
    # An old executor copies files whether or not the layer is cached, so it needs the file system for COPY.
    write(source, TWO_STAGES if skips_stages(builder) else ONLY_RUN, source="1", app="1")
    first, unpacked = build(builder, env, source)
    assert UNPACKING in first.log
    assert unpacked
    again, unpacked = build(builder, env, source)
    assert again.result["cache"]["misses"] == 0
    assert UNPACKING not in again.log
    assert not unpacked


def test_another_command_unpacks_nothing(builder: Builder, source: Path, env: dict[str, str]):
    dockerfile = TWO_STAGES if skips_stages(builder) else ONLY_RUN
    write(source, dockerfile, source="1", app="1")
    build(builder, env, source)
    (source / "Dockerfile").write_text(f"{dockerfile}ENV MODE=test\nCMD ['cat']\n")
    again, unpacked = build(builder, env, source)
    assert UNPACKING not in again.log
    assert not unpacked


def test_a_change_in_the_last_stage_unpacks_that_stage_only(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str]
):
    write(source, TWO_STAGES, source="1", app="1")
    build(builder, env, source)
    when = registry.files(env["OUTPUT_IMAGE"])["/out/when"]
    write(source, TWO_STAGES, source="1", app="2")
    again, _ = build(builder, env, source)
    # An old executor builds both stages for the files that are copied from one to the other.
    assert again.log.count(UNPACKING) == (1 if skips_stages(builder) else 2)
    files = registry.files(env["OUTPUT_IMAGE"])
    assert (files["/app"].content, files["/out/when"]) == (b"2", when)
