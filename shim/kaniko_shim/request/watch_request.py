"""The request of `watch`."""

from dataclasses import dataclass, field

from kaniko_shim.registry.docker_config import DockerConfig
from kaniko_shim.registry.references import ImageReference, parse_reference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.request.build_context import read_source
from kaniko_shim.request.request import (
    Request,
    fields_of,
    read_docker_config,
    read_pull_registries,
    read_request_without_images,
)
from kaniko_shim.request.variables import source_variables, watch_variables
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.request.variables.watch_variables import Watching
from kaniko_shim.sources.kinds import GitSource
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.system.subcommand import Command


@dataclass(frozen=True, slots=True)
class WatchedItem:
    """What is watched for one reader of the log.

    Attributes:
        watching: its name and intervals.
        source: the build context, a Git repository; None: it is not watched.
        images: the base images.
        registries: how their registries are reached.
        docker_config: credentials for them; None: there are none.
    """

    watching: Watching
    source: SourceRequest | None = field(repr=False)
    images: tuple[ImageReference, ...]
    registries: Registries
    docker_config: DockerConfig | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest(Request):
    """Request of `watch`, which pushes nothing.

    Attributes:
        items: what is watched.
        webhook_url: who tells of webhooks; empty: nobody.
    """

    items: tuple[WatchedItem, ...]
    webhook_url: str


def read_watch_request(reader: VariableReader) -> WatchRequest:
    """Read the variables of `watch`."""
    common = read_request_without_images(Command.WATCH, reader)
    if not reader.is_set(watch_variables.WATCH):
        reader.problems.append("WATCH: name what to watch, as a JSON list")
    watching = reader.read(watch_variables.WATCH)
    return WatchRequest(
        **fields_of(common),
        items=tuple(_read_item(reader, number, each) for number, each in enumerate(watching)),
        webhook_url=reader.read(watch_variables.WEBHOOK_URL),
    )


def _read_item(reader: VariableReader, number: int, watching: Watching) -> WatchedItem:
    prefix = f"W{number}_"
    variables = {name: value for name, value in reader.environment.items() if name.startswith(prefix)}
    own = VariableReader({name.removeprefix(prefix): value for name, value in variables.items()})
    source = None
    if watching.source is not None:
        source = read_source(own)
        if not isinstance(source.source, GitSource):
            own.refuse(source_variables.SOURCE_GET_URL, "only Git repositories are watched")
    images = list[ImageReference]()
    for image in watching.images:
        try:
            images.append(parse_reference(image))
        except ValueError as error:
            own.problems.append(f"{image!r}: {error}")
    item = WatchedItem(watching, source, tuple(images), read_pull_registries(own), read_docker_config(own))
    reader.problems += [f"{watching.name}: {problem}" for problem in own.problems]
    return item
