"""The request of `warm`."""

from collections.abc import Mapping

import pytest
from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.request.warm_request import WarmRequest
from kaniko_shim.system.subcommand import Command


def read(environment: Mapping[str, str]) -> WarmRequest:
    request = parse_request(Command.WARM, environment)
    assert isinstance(request, WarmRequest)
    return request


def test_each_image_and_platform_is_read_once():
    request = read(
        {
            "CACHE_BASE_IMAGES": "python:3.13-slim, r.example/team/base@sha256:" + "a" * 64 + ",python:3.13-slim",
            "CACHE_BASE_IMAGE_PLATFORMS": "linux/amd64,linux/arm/v7,linux/amd64",
            "REGISTRY_MIRRORS": "mirror.example",
            "INSECURE_REGISTRIES": "r.example",
        }
    )
    assert request.images == ("python:3.13-slim", "r.example/team/base@sha256:" + "a" * 64)
    assert request.platforms == (Platform("linux", "amd64", ""), Platform("linux", "arm", "v7"))
    assert (request.registries.mirrors, request.registries.insecure) == (("mirror.example",), ("r.example",))
    assert not request.push


def test_without_platforms_the_own_one_counts():
    assert read({"CACHE_BASE_IMAGES": "busybox"}).platforms == ()


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({}, "CACHE_BASE_IMAGES: name the base images to download"),
        ({"CACHE_BASE_IMAGES": "UPPER CASE"}, "CACHE_BASE_IMAGES"),
        ({"CACHE_BASE_IMAGES": "busybox", "CACHE_BASE_IMAGE_PLATFORMS": "amd64"}, "CACHE_BASE_IMAGE_PLATFORMS"),
    ],
)
def test_what_is_wrong_is_named(environment: Mapping[str, str], problem: str):
    with pytest.raises(JobError, match=problem):
        read(environment)
