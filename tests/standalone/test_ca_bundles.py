"""A registry whose certificate is signed by an authority of one's own, and is verified."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from standalone.container import Builder
from standalone.registry import https_registry
from support.https import Https
from support.registry import Registry


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Https:
    return Https.make(tmp_path_factory.mktemp("https"))


@pytest.fixture(scope="module")
def trusted(https: Https, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with https_registry(tmp_path_factory.mktemp("registry"), https.certificate, https.key) as registry:
        yield registry


def test_a_private_authority_is_trusted_by_every_part(
    builder: Builder, trusted: Registry, https: Https, source: Path, tmp_path: Path, env: dict[str, str]
):
    (source / "Dockerfile").write_text("FROM busybox\nRUN date +%s%N > /when\n")
    layout = tmp_path / "layout"
    layout.mkdir(mode=0o777)
    image = f"{trusted.address}/team/app:1"
    env |= {"OUTPUT_IMAGE": image, "REGISTRY_CA": https.authority.read_text(), "CACHE": "true"}
    mounts = {"/tmp/source": source, "/kaniko/layout": layout}

    whole = builder.run(env=env, mounts=mounts)
    assert whole.code == 0, whole.log
    assert whole.result["digest"] == trusted.digest(image)

    for command in ("check", "build", "push"):
        done = builder.run(command, env=env, mounts=mounts)
        assert done.code == 0, done.log
        assert "warnings" not in done.result
    assert done.result["digest"] == trusted.digest(image)

    # A base image from there, too.
    (source / "Dockerfile").write_text(f"FROM {image}\nRUN cat /when\n")
    again = builder.run(env={**env, "OUTPUT_IMAGE": f"{trusted.address}/team/again:1", "CACHE": ""}, mounts=mounts)
    assert again.code == 0, again.log


def test_without_it_the_certificate_is_refused(builder: Builder, trusted: Registry, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\n")
    done = builder.run(env={**env, "OUTPUT_IMAGE": f"{trusted.address}/team/app:1"}, mounts={"/tmp/source": source})
    assert (done.code, done.result["reason"]) == (79, "RegistryTLS")
    assert "REGISTRY_CA" in done.result["hint"]


def test_what_is_no_certificate_is_refused_at_once(builder: Builder, env: dict[str, str]):
    done = builder.run(env={**env, "REGISTRY_CA": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"})
    assert (done.code, done.result["reason"]) == (2, "InvalidSpec")
    assert "REGISTRY_CA" in done.result["message"]
    assert "AAAA" not in done.log


def test_a_cache_that_refuses_is_a_warning(builder: Builder, trusted: Registry, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN date +%s%N > /when\n")
    done = builder.run(env={**env, "CACHE_REPO": f"{trusted.address}/team/cache"}, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
    (warning,) = done.result["warnings"]
    assert warning.startswith("The build does without its layer cache: ")
    assert "certificate signed by unknown authority" in warning
