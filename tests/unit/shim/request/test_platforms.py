import hashlib
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.oci.blobs import write_layout
from kaniko_shim.oci.index import make_index
from kaniko_shim.oci.platform import Member, Platform
from kaniko_shim.request.platforms import parse_members, parse_platform

MANIFEST = json.dumps(
    {
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": "sha256:" + "a" * 64, "size": 10},
        "layers": [{"digest": "sha256:" + "b" * 64, "size": 7}],
    }
).encode()


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def member(content: bytes = MANIFEST, *platform: str) -> Member:
    return Member(Platform(*(platform or ("linux", "amd64"))), digest(content))


WORD = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
PLATFORMS = st.builds(Platform, WORD, WORD, st.just("") | WORD)


@given(PLATFORMS)
def test_a_platform_is_read_back(platform: Platform):
    assert parse_platform(f" {platform.name}\n") == platform


@given(st.text(max_size=20))
def test_any_text_is_a_platform_or_is_refused(text: str):
    with suppress(ValueError):
        platform = parse_platform(text)
        assert (platform.name if platform else "") == text.strip()


@pytest.mark.parametrize(
    "text", ["linux", "linux/", "linux/amd64/", "Linux/amd64", "linux/amd64/v1/x", "a/b,c/d", "-x/y"]
)
def test_malformed_platforms_are_refused(text: str):
    with pytest.raises(ValueError, match="write os/arch or os/arch/variant"):
        parse_platform(text)


@given(st.dictionaries(PLATFORMS, st.binary(max_size=4), max_size=5))
def test_members_are_read_back(platforms: dict[Platform, bytes]):
    members = tuple(Member(platform, digest(content)) for platform, content in platforms.items())
    assert parse_members(" , ".join(f"{each.platform.name}={each.digest}" for each in members)) == members


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("linux/amd64", "write os/arch=sha256:"),
        ("linux/amd64=sha256:abc", "write os/arch=sha256:"),
        ("=sha256:" + "a" * 64, "write os/arch=sha256:"),
        ("amd64=sha256:" + "a" * 64, "write os/arch or os/arch/variant"),
        (",".join(["linux/amd64=sha256:" + "a" * 64] * 2), "appears twice"),
    ],
)
def test_malformed_members_are_refused(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_members(text)


def test_an_index_names_its_images(tmp_path: Path):
    plain = b'{"layers":[]}'
    members = [(member(), MANIFEST), (member(plain, "linux", "arm", "v7"), plain)]
    index = make_index(members)
    assert json.loads(index.content) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "digest": digest(MANIFEST),
                "size": len(MANIFEST),
                "platform": {"architecture": "amd64", "os": "linux"},
            },
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest(plain),
                "size": len(plain),
                "platform": {"architecture": "arm", "os": "linux", "variant": "v7"},
            },
        ],
    }
    assert (index.size, index.digest) == (17, digest(index.content))
    write_layout(tmp_path, index.content, [MANIFEST, plain])
    assert (tmp_path / "index.json").read_bytes() == index.content
    assert (tmp_path / "blobs" / digest(plain).replace(":", "/")).read_bytes() == plain


@pytest.mark.parametrize(
    ("content", "named", "problem"),
    [
        (MANIFEST, b"other", "is not the digest of"),
        (b"[]", b"[]", "not an image, but has"),
        (b"no JSON", b"no JSON", "not an image, but has"),
        (
            b'{"mediaType":"application/vnd.oci.image.index.v1+json"}',
            None,
            "not an image, but has the media type application",
        ),
    ],
)
def test_what_is_no_image_is_refused(content: bytes, named: bytes | None, problem: str):
    with pytest.raises(ValueError, match=problem):
        make_index([(member(content if named is None else named), content)])
