"""`output.level: SLSA3`: every part of it, and what is said where one is missing."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.engine import may_fall_back
from imagebuild_operator.pod.manifest import build_pod
from imagebuild_operator.settings import SignerSettings
from support.builds import WITH_BUILDKIT, a_build

COMMIT = "0123456789" * 4
SPEC: dict[str, Any] = {
    "source": {"git": {"url": "https://git.example/app", "revision": COMMIT}},
    "output": {"images": ["r.example/app:1"], "level": "SLSA3", "signing": {"cluster": {}}},
}
CLAIM = {"persistentVolumeClaim": {"claimName": "mine"}}


def changed(path: str, value: object) -> dict[str, Any]:
    spec = deepcopy(SPEC)
    *around, name = path.split(".")
    place = spec
    for each in around:
        place = place.setdefault(each, {})
    place[name] = value
    return spec


@pytest.mark.parametrize(
    "source",
    [
        SPEC["source"],
        {"http": {"url": "https://x.example/a.tgz", "sha256": "ab" * 32}},
        {"s3": {"bucket": "b", "key": "k", "sha256": "ab" * 32}},
        {"upload": {"sha256": "ab" * 32}},
        {"inline": {"files": {"Dockerfile": "FROM scratch"}}},
    ],
)
def test_a_build_that_has_all_of_it_is_built_with_buildkit_or_not_at_all(source: dict[str, Any]):
    build = a_build({**SPEC, "source": source})
    spec = parse_spec(build.spec)
    defaults = replace(WITH_BUILDKIT.defaults, signer=SignerSettings("https://signer.example:8443", "PEM"))
    assert build_pod(build, spec, defaults)["metadata"]["labels"]["imagebuild.dev/engine"] == "BuildKit"
    assert not may_fall_back(spec, defaults, ())


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("output.push", False, "spec.output.push"),
        ("output.signing", None, "spec.output.signing"),
        ("output.signing", {"key": {"secretRef": {"name": "mine"}}}, "spec.output.signing"),
        ("engine", "Kaniko", "spec.engine"),
        ("limits", {"engines": ["Kaniko"]}, "spec.engine"),
        ("source", {"git": {"url": "https://git.example/app", "revision": "main"}}, "spec.source"),
        ("source", {"git": {"url": "https://git.example/app"}}, "spec.source"),
        ("source", {"http": {"url": "https://x.example/a.tgz"}}, "spec.source"),
        ("source", {"upload": {}}, "spec.source"),
        ("source", {"configMap": {"name": "mine"}}, "spec.source"),
        ("source", {"url": f"https://git.example/app.git#{COMMIT}"}, "spec.source"),
        ("cache", {"enabled": True}, "spec.cache.enabled"),
        ("cache", {"mounts": CLAIM}, "spec.cache.mounts"),
        ("cache", {"baseImages": CLAIM}, "spec.cache.baseImages"),
    ],
)
def test_what_it_lacks_is_named(path: str, value: object, field: str):
    with pytest.raises(InvalidSpecError) as caught:
        parse_spec(changed(path, value))
    assert str(caught.value).startswith(f"{field}: the level SLSA3 needs ")


def test_a_level_of_a_later_version_is_not_ignored():
    with pytest.raises(InvalidSpecError, match=r"spec\.output\.level: this version of the operator knows SLSA3"):
        parse_spec(changed("output.level", "SLSA4"))


def test_without_a_level_nothing_of_it_is_needed():
    assert parse_spec({"source": {"upload": {}}, "output": {"images": ["r.example/app:1"]}}).level is None
