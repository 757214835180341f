"""The request that all sub-commands have in common, and its variables."""

from dataclasses import dataclass, fields
from typing import Any

from kaniko_shim.registry import docker_config
from kaniko_shim.registry.docker_config import DockerConfig
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.request.variables import job_variables, output_variables, registry_variables
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.system.subcommand import Command

DEFAULT_LAYOUT = "/kaniko/layout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Request that every sub-command has.

    Attributes:
        command: the sub-command.
        outputs: images to push.
        push: whether the images are pushed.
        layout: directory of the OCI layout, or empty for none.
        registries: how registries are reached.
        docker_config: credentials from variables; None means a mounted config.json.
        heartbeat_seconds: seconds of silence after which the log says what the job is doing.
    """

    command: Command
    outputs: tuple[ImageReference, ...]
    push: bool
    layout: str
    registries: Registries
    docker_config: DockerConfig | None
    heartbeat_seconds: int


def read_request(command: Command, reader: VariableReader) -> Request:
    """Read the variables that `push`, `index` and `check` have in common."""
    reader.read(job_variables.LOG_FORMAT)
    return Request(
        command=command,
        outputs=read_outputs(reader),
        push=not reader.read(output_variables.NO_PUSH),
        layout=reader.read(output_variables.OUTPUT_LAYOUT) or DEFAULT_LAYOUT,
        registries=Registries(
            insecure=reader.read(registry_variables.INSECURE_REGISTRIES),
            skip_tls_verify=reader.read(registry_variables.SKIP_TLS_VERIFY_REGISTRIES),
            ca_bundle="".join(reader.read_all(registry_variables.REGISTRY_CA)),
        ),
        docker_config=read_docker_config(reader),
        heartbeat_seconds=reader.read(job_variables.HEARTBEAT_SECONDS),
    )


def read_request_without_images(command: Command, reader: VariableReader) -> Request:
    """Read the variables of a sub-command that pushes nothing, and reaches no registry by itself."""
    reader.read(job_variables.LOG_FORMAT)
    return Request(
        command=command,
        outputs=(),
        push=False,
        layout=DEFAULT_LAYOUT,
        registries=Registries(),
        docker_config=None,
        heartbeat_seconds=reader.read(job_variables.HEARTBEAT_SECONDS),
    )


def fields_of(request: Request) -> dict[str, Any]:
    """The fields of a request, for one with more of them."""
    return {each.name: getattr(request, each.name) for each in fields(request)}


def read_outputs(reader: VariableReader) -> tuple[ImageReference, ...]:
    """Read OUTPUT_IMAGE, which may be unset only if NO_PUSH is true."""
    outputs = reader.read(output_variables.OUTPUT_IMAGE)
    if not reader.is_set(output_variables.OUTPUT_IMAGE) and not reader.read(output_variables.NO_PUSH):
        reader.problems.append(
            "OUTPUT_IMAGE: name the image to push, such as registry.example/team/app:1.0, or set NO_PUSH=true"
        )
    return outputs


def read_docker_config(reader: VariableReader) -> DockerConfig | None:
    """Read DOCKER_CONFIG_JSON, DOCKER_CONFIG_JSON_1, …; for a registry in several of them, the first wins."""
    config: DockerConfig | None = None
    for further in reader.read_all(registry_variables.DOCKER_CONFIG_JSON):
        config = docker_config.merge(config, further)
    return config


def read_pull_registries(reader: VariableReader) -> Registries:
    """Read how registries are reached that base images come from."""
    return Registries(
        insecure=reader.read(registry_variables.INSECURE_REGISTRIES),
        skip_tls_verify=reader.read(registry_variables.SKIP_TLS_VERIFY_REGISTRIES),
        mirrors=reader.read(registry_variables.REGISTRY_MIRRORS),
        maps=reader.read(registry_variables.REGISTRY_MAP),
        skip_fallback=reader.read(registry_variables.SKIP_DEFAULT_REGISTRY_FALLBACK),
        ca_bundle="".join(reader.read_all(registry_variables.REGISTRY_CA)),
    )
