from dataclasses import replace
from pathlib import Path

import pytest
from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import BaseImage
from kaniko_shim.registry.base_images import BaseImages, find_base, places, resolve
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.references import ImageReference, parse_reference
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


class Known(BaseImages):
    """Knows one image and its layers."""

    def layers(self, image: str) -> tuple[str, ...]:
        if image == "r.example/known@sha256:1":
            return ("a", "b")
        raise JobError(Reason.REGISTRY_UNAVAILABLE, "r.example does not answer.")

    def locate(self, image: str, platform: Platform) -> ImageReference:
        if image == "r.example/known":
            return ImageReference("r.example", "known", digest=f"{platform.name}'s")
        raise JobError(Reason.BASE_IMAGE_NOT_FOUND, "There is no such image.")


def test_what_base_images_are_is_known_of_all_or_of_none():
    known = Known(Crane(Paths(), {}, Registries()), Registries())
    found = resolve(known, {"shown": "r.example/known"}, Platform("linux", "arm64"))
    assert found == (BaseImage("shown", "linux/arm64's"),)
    assert resolve(known, {"shown": "r.example/known", "other": "r.example/other"}, Platform("linux", "arm64")) is None
    assert resolve(known, {}, Platform("linux", "arm64")) == ()


def test_a_registry_that_does_not_answer_is_not_an_image_without_a_base():
    known = Known(Crane(Paths(), {}, Registries()), Registries())
    base = BaseImage("r.example/known:1@sha256:0", "sha256:1")
    assert find_base(known, [replace(base, reference="r.example/known")], ["a", "b", "c"]) is not None
    assert find_base(known, [replace(base, reference="r.example/known")], ["b"]) is None
    with pytest.raises(JobError, match="does not answer"):
        find_base(known, [base], ["a", "b", "c"])
