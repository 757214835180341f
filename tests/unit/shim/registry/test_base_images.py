from pathlib import Path

import pytest
from kaniko_shim.oci.platform import Platform
from kaniko_shim.registry.base_images import BaseImages, places
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.references import parse_reference
from kaniko_shim.registry.registries import Registries, RegistryMap
from kaniko_shim.system.paths import Paths

MAPS = (RegistryMap("gcr.io", "m.example"), RegistryMap("gcr.io", "n.example/x"))


@pytest.mark.parametrize(
    ("image", "registries", "expected"),
    [
        ("busybox", Registries(), ["index.docker.io/library/busybox:latest"]),
        ("busybox", Registries(maps=MAPS, skip_fallback=True), ["index.docker.io/library/busybox:latest"]),
        (
            "busybox:1",
            Registries(mirrors=("m.example", "n.example/hub")),
            ["m.example/library/busybox:1", "n.example/hub/library/busybox:1", "index.docker.io/library/busybox:1"],
        ),
        ("busybox:1", Registries(mirrors=("m.example",), skip_fallback=True), ["m.example/library/busybox:1"]),
        ("gcr.io/a/b", Registries(maps=MAPS), ["m.example/a/b:latest", "n.example/x/a/b:latest", "gcr.io/a/b:latest"]),
    ],
)
def test_images_are_looked_for_where_the_executor_looks(image: str, registries: Registries, expected: list[str]):
    assert [place.name for place in places(parse_reference(image), registries)] == expected


@pytest.mark.parametrize(
    "config",
    [
        "[]",
        "null",
        '"text"',
        '{"config": []}',
        '{"config": {"Env": "A=1", "Shell": {}, "User": 7}, "os": 1, "architecture": []}',
        '{"config": {"Env": [1], "Shell": ["/bin/sh", null]}}',
        "{",
    ],
)
def test_a_configuration_of_another_shape_says_nothing(tmp_path: Path, config: str):
    program = tmp_path / "crane"
    program.write_text(f"#!/bin/sh\ncat <<'E'\n{config}\nE\n")
    program.chmod(0o755)
    images = BaseImages(Crane(Paths(crane=program, scratch=tmp_path), {}, Registries()), Registries())
    platform = Platform("linux", "amd64")
    assert not images.environment("r.example/a:1", platform)
    assert images.shell("r.example/a:1", platform) == ()
    assert images.user("r.example/a:1", platform) in {None, "", "7"}
    assert images.platform("r.example/a:1", platform) is None
