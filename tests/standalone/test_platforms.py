"""Images for other platforms, pushed by digest, and the index that names them: docs/reference/builder-image.md."""

import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from platform import machine
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from standalone.container import Builder, Done
from support.registry import Registry

PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")
DOCKERFILE = """\
ARG TARGETARCH
FROM scratch AS amd64
COPY for-amd64 /which
FROM scratch AS arm64
COPY for-arm64 /which
FROM scratch AS arm
COPY for-arm /which
FROM ${TARGETARCH}
ARG TARGETPLATFORM
LABEL platform=$TARGETPLATFORM
"""


@pytest.fixture
def pushed(builder: Builder, source: Path, env: dict[str, str], tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Build for each platform and push by digest to repositories; returns the digests."""

    def push(*repositories: str) -> dict[str, str]:
        (source / "Dockerfile").write_text(DOCKERFILE)
        for name in ("amd64", "arm64", "arm"):
            (source / f"for-{name}").write_text(name)
        digests = dict[str, str]()
        for platform in PLATFORMS:
            layout = tmp_path / platform.replace("/", "-")
            layout.mkdir()
            mounts = {"/tmp/source": source, "/kaniko/layout": layout}
            built = builder.run("build", env={**env, "PLATFORM": platform}, mounts=mounts)
            assert built.code == 0, built.log
            more = {"PUSH_BY_DIGEST": "true", "OUTPUT_IMAGE": ",".join(f"{each}:never" for each in repositories)}
            done = builder.run("push", env={**env, **more}, mounts=mounts)
            assert done.code == 0, done.log
            digests[platform] = done.result["digest"]
            assert [image["reference"] for image in done.result["images"]] == [
                f"{each}@{digests[platform]}" for each in repositories
            ]
        return digests

    return push


def tags(registry: Registry, repository: str) -> list[str]:
    try:
        with urlopen(f"http://{registry.address}/v2/{repository.partition('/')[2]}/tags/list") as answer:
            return list(json.load(answer)["tags"] or [])
    except HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND:
            return []
        raise


def make_index(builder: Builder, env: dict[str, str], digests: dict[str, str], output: str, **more: str) -> Done:
    members = ",".join(f"{platform}={digest}" for platform, digest in digests.items())
    return builder.run("index", env={**env, "OUTPUT_IMAGE": output, "INDEX_MANIFESTS": members, **more})


def test_an_index_of_images_that_were_pushed_by_digest(
    builder: Builder, registry: Registry, pushed: Callable[..., dict[str, str]], source: Path, env: dict[str, str]
):
    first, second = (f"{registry.address}/platforms/{name}" for name in ("first", "second"))
    digests = pushed(first, second)
    assert len(set(digests.values())) == 3
    assert tags(registry, first) == tags(registry, second) == []

    done = make_index(builder, env, digests, f"{first}:1,{second}:2")
    assert done.code == 0, done.log
    assert registry.digest(f"{first}:1") == registry.digest(f"{second}:2") == done.result["digest"]
    named = {
        "/".join(each["platform"][key] for key in ("os", "architecture", "variant") if key in each["platform"]): each
        for each in registry.manifest(f"{first}:1")["manifests"]
    }
    assert {platform: each["digest"] for platform, each in named.items()} == digests
    for platform, digest in digests.items():
        config = registry.config(f"{first}@{digest}")
        assert (config["os"], config["architecture"]) == tuple(platform.split("/")[:2])
        assert config["config"]["Labels"] == {"platform": platform}

    # Such an index is a base image for each of its platforms, and for no other.
    (source / "Dockerfile").write_text(f"FROM {first}:1\nLABEL more=yes\n")
    built = builder.run(env={**env, "PLATFORM": "linux/arm64"}, mounts={"/tmp/source": source})
    assert built.code == 0, built.log
    assert registry.config(env["OUTPUT_IMAGE"])["architecture"] == "arm64"
    assert registry.config(env["OUTPUT_IMAGE"])["config"]["Labels"] == {"platform": "linux/arm64", "more": "yes"}
    # Each stage takes the base for its own platform.
    lines = [f"FROM --platform=$BUILDPLATFORM {first}:1 AS native", f"FROM --platform=linux/arm/v7 {first}:1 AS arm"]
    lines += [f"FROM {first}:1", "COPY --from=native /which /native", "COPY --from=arm /which /arm"]
    (source / "Dockerfile").write_text("\n".join(lines))
    built = builder.run(env={**env, "PLATFORM": "linux/arm64"}, mounts={"/tmp/source": source})
    assert built.code == 0, built.log
    files = registry.files(env["OUTPUT_IMAGE"])
    native = {"x86_64": b"amd64", "aarch64": b"arm64"}[machine()]
    assert [files[name].content for name in ("/which", "/native", "/arm")] == [b"arm64", native, b"arm"]
    missing = f"FROM --platform=linux/s390x {first}:1 AS a\nFROM scratch\nCOPY --from=a /which /x\n"
    (source / "Dockerfile").write_text(missing)
    refused = builder.run(env=env, mounts={"/tmp/source": source})
    assert (refused.code, refused.result["reason"]) == (75, "BaseImageNotFound"), refused.log
    (source / "Dockerfile").write_text(f"FROM {first}:1\n")
    refused = builder.run(env={**env, "PLATFORM": "linux/s390x"}, mounts={"/tmp/source": source})
    assert (refused.code, refused.result["reason"]) == (75, "BaseImageNotFound")
    assert "not available for linux/s390x" in refused.result["message"]


def test_an_image_that_is_not_there_is_named(builder: Builder, registry: Registry, env: dict[str, str]):
    output = f"{registry.address}/platforms/none"
    done = make_index(builder, env, {"linux/amd64": "sha256:" + "0" * 64}, f"{output}:1")
    assert (done.code, done.result["reason"]) == (78, "PushRejected")
    assert done.result["message"].startswith(f"{output} has no sha256:0000")
    assert tags(registry, output) == []


def test_a_malformed_platform_is_refused(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /x\n")
    malformed = builder.run(env={**env, "PLATFORM": "arm64"}, mounts={"/tmp/source": source})
    assert (malformed.code, malformed.result["reason"]) == (2, "InvalidSpec")
    assert "PLATFORM='arm64': write os/arch" in malformed.result["message"]
