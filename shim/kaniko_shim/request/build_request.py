"""The request of `build`, and of a run without a sub-command."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kaniko_shim.oci.platform import Platform
from kaniko_shim.registry.cache_repo import CachePolicy
from kaniko_shim.request.build_args import BuildArg, BuildArgOrigin, resolve_origins
from kaniko_shim.request.build_context import read_source
from kaniko_shim.request.build_secrets import BuildSecret, read_build_secrets
from kaniko_shim.request.cache_request import read_cache
from kaniko_shim.request.extra_args import ExtraArg
from kaniko_shim.request.isolation import Isolation
from kaniko_shim.request.labels import Label
from kaniko_shim.request.request import DEFAULT_LAYOUT, Request, read_docker_config, read_outputs, read_pull_registries
from kaniko_shim.request.variables import (
    attestation_variables,
    build_variables,
    job_variables,
    output_variables,
)
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.sources.kinds import DirectorySource
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.system.subcommand import Command

_PROXIES = frozenset({"http_proxy", "https_proxy", "no_proxy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest(Request):
    """Request of `build`, and of a run without a sub-command.

    Attributes:
        source: the build context.
        dockerfile_path: path of the Dockerfile, relative to the build context.
        dockerfile_content: text of the Dockerfile; empty means `dockerfile_path`.
        build_args: arguments that are not secret.
        secret_build_args: arguments whose values are masked everywhere.
        target: the stage to build, or empty for the last.
        cache: None means no cache.
        labels: labels of the image.
        extra_args: flags for the executor.
        platform: platform of the image; None means this machine's.
        run_proxy: names of the proxy variables that RUN steps get.
        build_secrets: what RUN --mount=type=secret can use.
        isolation: what must separate a RUN from the rest.
        without_network: whether RUN steps have no network.
        timestamp: the time of what the build makes, in seconds since 1970; `commit` for the Git commit's; None for now.
        allowed_base_images: the images that FROM and --from may name; empty for all.
        skip_if_unchanged: whether nothing is built if an output has the image of the same inputs.
        only_new_layers: whether the layout may lack the layers that every repository of the outputs has.
    """

    source: SourceRequest
    dockerfile_path: str
    dockerfile_content: str
    build_args: tuple[BuildArg, ...]
    secret_build_args: tuple[BuildArg, ...] = field(repr=False)
    target: str
    cache: CachePolicy | None
    labels: tuple[Label, ...] = ()
    extra_args: tuple[ExtraArg, ...] = ()
    platform: Platform | None = None
    run_proxy: tuple[str, ...] = ()
    build_secrets: tuple[BuildSecret, ...] = field(default=(), repr=False)
    isolation: frozenset[Isolation] = frozenset()
    without_network: bool = False
    timestamp: int | str | None = None
    allowed_base_images: tuple[str, ...] = ()
    skip_if_unchanged: bool = False
    only_new_layers: bool = False


def read_build_request(command: Command, reader: VariableReader) -> BuildRequest:
    """Read the request of `build`, or of a run without a sub-command."""
    outputs = read_outputs(reader) if command is Command.ALL else reader.read(output_variables.OUTPUT_IMAGE)
    if command is Command.ALL:
        for variable in (
            attestation_variables.PROVENANCE,
            attestation_variables.SBOM,
            attestation_variables.SIGNING_KEY,
        ):
            if reader.is_set(variable):
                reader.refuse(variable, "only kaniko-shim push reads it; run kaniko-shim build, then kaniko-shim push")
    layout = reader.read(output_variables.OUTPUT_LAYOUT)
    if command is Command.BUILD:
        layout = layout or DEFAULT_LAYOUT
    source = read_source(reader)
    reader.read(job_variables.LOG_FORMAT)
    if reader.is_set(build_variables.DOCKERFILE_CONTENT) and reader.is_set(build_variables.DOCKERFILE_PATH):
        reader.refuse(build_variables.DOCKERFILE_PATH, "DOCKERFILE_CONTENT is also set; set only one of them")
    dockerfile_path = _dockerfile_path(reader, source)
    dockerfile_content = reader.read(build_variables.DOCKERFILE_CONTENT)
    request = BuildRequest(
        command=command,
        outputs=outputs,
        push=command is Command.ALL and not reader.read(output_variables.NO_PUSH),
        layout=layout,
        registries=read_pull_registries(reader),
        docker_config=read_docker_config(reader),
        heartbeat_seconds=reader.read(job_variables.HEARTBEAT_SECONDS),
        source=replace(source, dockerfile="" if dockerfile_content else dockerfile_path),
        dockerfile_path=dockerfile_path,
        dockerfile_content=dockerfile_content,
        build_args=(
            *reader.read(build_variables.BUILD_ARG),
            *_named_build_args(reader, build_variables.BUILD_ARG_FROM_CONFIG),
        ),
        secret_build_args=_named_build_args(reader, build_variables.BUILD_ARG_FROM),
        target=reader.read(build_variables.TARGET),
        cache=read_cache(reader, outputs),
        labels=reader.read(build_variables.LABELS),
        extra_args=reader.read(build_variables.EXTRA_ARGS),
        platform=reader.read(build_variables.PLATFORM),
        isolation=reader.read(build_variables.REQUIRED_ISOLATION),
        without_network=reader.read(build_variables.RUN_NETWORK),
        timestamp=reader.read(build_variables.IMAGE_TIMESTAMP),
        allowed_base_images=reader.read(build_variables.ALLOWED_BASE_IMAGES),
        skip_if_unchanged=reader.read(build_variables.SKIP_IF_UNCHANGED),
        only_new_layers=reader.read(output_variables.ONLY_NEW_LAYERS),
        build_secrets=tuple(_build_secrets(reader)),
    )
    return replace(request, run_proxy=_run_proxy(reader, request))


def _run_proxy(reader: VariableReader, request: BuildRequest) -> tuple[str, ...]:
    if not reader.read(build_variables.RUN_PROXY):
        return ()
    arguments = {argument.name.lower() for argument in (*request.build_args, *request.secret_build_args)}
    return tuple(
        name
        for name, value in sorted(reader.environment.items())
        if name.lower() in _PROXIES and name.lower() not in arguments and value.strip()
    )


def _dockerfile_path(reader: VariableReader, request: SourceRequest) -> str:
    path = reader.read(build_variables.DOCKERFILE_PATH)
    if not path.startswith("/"):
        return path
    # For a directory of the builder, users give the absolute path of the Dockerfile in it.
    if isinstance(request.source, DirectorySource) and not request.sub_path:
        root = request.source.path.rstrip("/") + "/"
        if path.startswith(root):
            return path.removeprefix(root)
    reader.refuse(build_variables.DOCKERFILE_PATH, "write a path relative to the build context")
    return path


def _named_build_args(reader: VariableReader, variable: Variable[tuple[BuildArgOrigin, ...]]) -> tuple[BuildArg, ...]:
    try:
        return resolve_origins(reader.read(variable), reader.environment)
    except ValueError as error:
        reader.refuse(variable, str(error))
        return ()


def _build_secrets(reader: VariableReader) -> Iterator[BuildSecret]:
    origins = reader.read(build_variables.BUILD_SECRET_FROM)
    for found in read_build_secrets(reader.environment, origins):
        if isinstance(found, BuildSecret):
            yield found
        else:
            reader.problems.append(found)
