"""The request of `warm`."""

from dataclasses import dataclass

from kaniko_shim.oci.platform import Platform
from kaniko_shim.request.request import DEFAULT_LAYOUT, Request, read_docker_config, read_pull_registries
from kaniko_shim.request.variables import base_image_variables, job_variables
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.system.subcommand import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmRequest(Request):
    """Request of `warm`, which pushes nothing.

    Attributes:
        images: the base images.
        platforms: what they are downloaded for; empty for the platform that this runs on.
    """

    images: tuple[str, ...]
    platforms: tuple[Platform, ...]


def read_warm_request(reader: VariableReader) -> WarmRequest:
    """Read the request of `warm`."""
    reader.read(job_variables.LOG_FORMAT)
    images = reader.read(base_image_variables.CACHE_BASE_IMAGES)
    if not reader.is_set(base_image_variables.CACHE_BASE_IMAGES):
        reader.problems.append("CACHE_BASE_IMAGES: name the base images to download, such as python:3.13-slim")
    return WarmRequest(
        command=Command.WARM,
        outputs=(),
        push=False,
        layout=DEFAULT_LAYOUT,
        registries=read_pull_registries(reader),
        docker_config=read_docker_config(reader),
        heartbeat_seconds=reader.read(job_variables.HEARTBEAT_SECONDS),
        images=images,
        platforms=reader.read(base_image_variables.CACHE_BASE_IMAGE_PLATFORMS),
    )
