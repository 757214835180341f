import pytest
from kaniko_shim.dockerfile.base_images import places
from kaniko_shim.registry.references import parse_reference
from kaniko_shim.registry.registries import Registries, RegistryMap

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
