"""From environment variables to one frozen request, or to every problem with them at once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from kaniko_shim.attest.options import Wanted
from kaniko_shim.attest.provenance import Circumstances
from kaniko_shim.oci.platform import Member, Platform
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry import docker_config
from kaniko_shim.registry.cache_repo import CachePolicy, infer_cache_repo
from kaniko_shim.registry.docker_config import DockerConfig
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.request import attestation_variables as attest_variables
from kaniko_shim.request import source_variables, variables
from kaniko_shim.request.build_args import BuildArg, BuildArgOrigin, resolve_origins
from kaniko_shim.request.extra_args import ExtraArg
from kaniko_shim.request.labels import Label
from kaniko_shim.request.variable import Command, Variable
from kaniko_shim.request.variables import CacheMode
from kaniko_shim.sources.buckets.bucket_access import BucketAccess, ambient_of
from kaniko_shim.sources.git.ssh_access import SshAccess
from kaniko_shim.sources.kinds import (
    BucketSource,
    DirectorySource,
    GitSource,
    HttpSource,
    OciSource,
    Source,
    secrets_in_url,
)
from kaniko_shim.sources.source_request import SourceRequest

T = TypeVar("T")

DEFAULT_LAYOUT = "/kaniko/layout"

_LONGEST_QUOTE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What every sub-command is asked.

    Attributes:
        command: the sub-command.
        outputs: images to push.
        push: whether they are pushed.
        layout: directory of the OCI layout, or empty for none.
        registries: how registries are reached.
        docker_config: credentials from variables; None means a mounted config.json.
        heartbeat_seconds: length of silence that a heartbeat ends.
    """

    command: Command
    outputs: tuple[ImageReference, ...]
    push: bool
    layout: str
    registries: Registries
    docker_config: DockerConfig | None
    heartbeat_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest(Request):
    """What `build`, and a run without a sub-command, are asked besides.

    Attributes:
        source: the context.
        dockerfile_path: relative to the context.
        dockerfile_content: the Dockerfile itself; empty means `dockerfile_path`.
        build_args: arguments that may be seen.
        secret_build_args: arguments whose values are masked everywhere.
        target: the stage to build, or empty for the last.
        cache: None means no cache.
        labels: of the image.
        extra_args: flags for the executor.
        platform: of the image; None means this machine's.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRequest(Request):
    """What `push` is asked besides.

    Attributes:
        by_digest: no tag is written.
        wanted: what is attached to the image.
    """

    by_digest: bool
    wanted: Wanted = field(default_factory=Wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRequest(Request):
    """What `index` is asked besides.

    Attributes:
        members: the images of the index.
        wanted: what is attached to the index.
    """

    members: tuple[Member, ...]
    wanted: Wanted = field(default_factory=Wanted)


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems = list[str]()

    def read(self, variable: Variable[T]) -> T:
        text = self.environment.get(variable.name, "")
        if text.strip():
            try:
                return variable.parse(text)
            except ValueError as error:
                self.blame(variable, str(error))
        return variable.parse(variable.default)

    def read_all(self, variable: Variable[T]) -> list[T]:
        """NAME and NAME_1, NAME_2, …, in that order."""
        further = re.compile(re.escape(variable.name) + r"_(\d+)")
        numbers = sorted(int(match[1]) for name in self.environment if (match := further.fullmatch(name)))
        named = [variable, *(replace(variable, name=f"{variable.name}_{number}") for number in numbers)]
        return [self.read(each) for each in named]

    def is_set(self, variable: Variable[object]) -> bool:
        return bool(self.environment.get(variable.name, "").strip())

    def blame(self, variable: Variable[object], problem: str) -> None:
        text = self.environment.get(variable.name, "").strip()
        shown = variable.shown and not variable.secret and len(text) <= _LONGEST_QUOTE
        self.problems.append(f"{variable.name}={text!r}: {problem}" if shown else f"{variable.name}: {problem}")


def parse_request(command: Command, environment: Mapping[str, str]) -> Request:
    """Read the request, of the kind that goes with the sub-command.

    Raises:
        JobError: InvalidSpec, with every problem there is.
    """
    reader = _Reader(environment)
    is_build = command in {Command.ALL, Command.BUILD}
    request = _build_request(command, reader) if is_build else _push_request(command, reader)
    if reader.problems:
        count = len(reader.problems)
        head = "One variable is not usable" if count == 1 else f"{count} variables are not usable"
        raise JobError(Reason.INVALID_SPEC, f"{head}: " + "; ".join(reader.problems) + ".")
    return request


def secrets_of(request: Request) -> Iterator[str]:
    """Every value that must not be printed."""
    if request.docker_config:
        yield from request.docker_config.secrets()
    if isinstance(request, PushRequest | IndexRequest):
        yield from request.wanted.secrets
    if isinstance(request, BuildRequest):
        yield request.source.password
        yield from filter(None, request.source.buckets.secrets())
        if request.source.ssh.private_key:
            yield request.source.ssh.private_key
            yield request.source.ssh.password
        yield from secrets_in_url(request.source.source)
        yield from (argument.value for argument in request.secret_build_args)


def _push_request(command: Command, reader: _Reader) -> Request:
    reader.read(variables.LOG_FORMAT)
    request = Request(
        command=command,
        outputs=_outputs(reader),
        push=not reader.read(variables.NO_PUSH),
        layout=reader.read(variables.OUTPUT_LAYOUT) or DEFAULT_LAYOUT,
        registries=Registries(
            insecure=reader.read(variables.INSECURE_REGISTRIES),
            skip_tls_verify=reader.read(variables.SKIP_TLS_VERIFY_REGISTRIES),
            authorities="".join(reader.read_all(variables.REGISTRY_CA)),
        ),
        docker_config=_docker_config(reader),
        heartbeat_seconds=reader.read(variables.HEARTBEAT_SECONDS),
    )
    common = {field.name: getattr(request, field.name) for field in fields(request)}
    if command is Command.PUSH:
        return PushRequest(**common, by_digest=reader.read(variables.PUSH_BY_DIGEST), wanted=_wanted(command, reader))
    if command is Command.INDEX:
        members = reader.read(variables.INDEX_MANIFESTS)
        if not reader.is_set(variables.INDEX_MANIFESTS):
            reader.problems.append("INDEX_MANIFESTS: name the images, such as linux/amd64=sha256:…")
        return IndexRequest(**common, members=members, wanted=_wanted(command, reader))
    return request


def _wanted(command: Command, reader: _Reader) -> Wanted:
    circumstances = Circumstances(
        reader.read(attest_variables.PROVENANCE_BUILDER),
        reader.read(attest_variables.PROVENANCE_INVOCATION),
        reader.read(attest_variables.PROVENANCE_PARAMETERS),
    )
    wanted = Wanted(
        reader.read(attest_variables.PROVENANCE),
        command is Command.PUSH and reader.read(attest_variables.SBOM),
        circumstances=circumstances,
    )
    if not reader.is_set(attest_variables.SIGNING_KEY):
        if reader.is_set(attest_variables.SIGNING_KEY_PASSWORD):
            reader.blame(attest_variables.SIGNING_KEY_PASSWORD, "set SIGNING_KEY, which it belongs to")
        return wanted
    from kaniko_shim.attest.keys import load_key  # noqa: PLC0415 - takes long to import

    pem, password = (reader.read(attest_variables.SIGNING_KEY), reader.read(attest_variables.SIGNING_KEY_PASSWORD))
    try:
        return replace(wanted, key=load_key(pem, password), secrets=(pem, *filter(None, [password])))
    except ValueError as error:
        reader.blame(attest_variables.SIGNING_KEY, str(error))
        return wanted


def _build_request(command: Command, reader: _Reader) -> BuildRequest:
    outputs = _outputs(reader) if command is Command.ALL else reader.read(variables.OUTPUT_IMAGE)
    if command is Command.ALL:
        for variable in (attest_variables.PROVENANCE, attest_variables.SBOM, attest_variables.SIGNING_KEY):
            if reader.is_set(variable):
                reader.blame(variable, "only kaniko-shim push reads it; run kaniko-shim build, then kaniko-shim push")
    layout = reader.read(variables.OUTPUT_LAYOUT)
    if command is Command.BUILD:
        layout = layout or DEFAULT_LAYOUT
    source = _source(reader)
    reader.read(variables.LOG_FORMAT)
    if reader.is_set(variables.DOCKERFILE_CONTENT) and reader.is_set(variables.DOCKERFILE_PATH):
        reader.blame(variables.DOCKERFILE_PATH, "DOCKERFILE_CONTENT is set too; set one of them")
    return BuildRequest(
        command=command,
        outputs=outputs,
        push=command is Command.ALL and not reader.read(variables.NO_PUSH),
        layout=layout,
        registries=_registries(reader),
        docker_config=_docker_config(reader),
        heartbeat_seconds=reader.read(variables.HEARTBEAT_SECONDS),
        source=source,
        dockerfile_path=_dockerfile_path(reader, source),
        dockerfile_content=reader.read(variables.DOCKERFILE_CONTENT),
        build_args=(*reader.read(variables.BUILD_ARG), *_named_build_args(reader, variables.BUILD_ARG_FROM_CONFIG)),
        secret_build_args=_named_build_args(reader, variables.BUILD_ARG_FROM),
        target=reader.read(variables.TARGET),
        cache=_cache(reader, outputs),
        labels=reader.read(variables.LABELS),
        extra_args=reader.read(variables.EXTRA_ARGS),
        platform=reader.read(variables.PLATFORM),
    )


def _outputs(reader: _Reader) -> tuple[ImageReference, ...]:
    outputs = reader.read(variables.OUTPUT_IMAGE)
    if not reader.is_set(variables.OUTPUT_IMAGE) and not reader.read(variables.NO_PUSH):
        reader.problems.append(
            "OUTPUT_IMAGE: name the image to push, such as registry.example/team/app:1.0, or set NO_PUSH=true"
        )
    return outputs


def _registries(reader: _Reader) -> Registries:
    return Registries(
        insecure=reader.read(variables.INSECURE_REGISTRIES),
        skip_tls_verify=reader.read(variables.SKIP_TLS_VERIFY_REGISTRIES),
        mirrors=reader.read(variables.REGISTRY_MIRRORS),
        maps=reader.read(variables.REGISTRY_MAP),
        skip_fallback=reader.read(variables.SKIP_DEFAULT_REGISTRY_FALLBACK),
        authorities="".join(reader.read_all(variables.REGISTRY_CA)),
    )


def _docker_config(reader: _Reader) -> DockerConfig | None:
    config: DockerConfig | None = None
    for further in reader.read_all(variables.DOCKER_CONFIG_JSON):
        config = docker_config.merge(config, further)
    return config


def _source(reader: _Reader) -> SourceRequest:
    source = reader.read(variables.SOURCE_GET_URL)
    _refuse_foreign_credentials(reader, source)
    request = SourceRequest(
        source,
        sha256=reader.read(variables.SOURCE_SHA256),
        sub_path=reader.read(variables.CONTEXT_SUB_PATH),
        max_bytes=reader.read(source_variables.SOURCE_MAX_BYTES),
        max_entries=reader.read(source_variables.SOURCE_MAX_ENTRIES),
        seconds=reader.read(source_variables.SOURCE_TIMEOUT) or 0,
    )
    if request.sha256 and isinstance(source, DirectorySource | GitSource | OciSource):
        reader.blame(variables.SOURCE_SHA256, "only an archive has a checksum; name the commit or digest in the URL")
    if ".." in request.sub_path.split("/"):
        reader.blame(variables.CONTEXT_SUB_PATH, "write a path inside the context, without ..")
    if isinstance(source, HttpSource | GitSource):
        username, password = (
            reader.read(source_variables.SOURCE_USERNAME),
            reader.read(source_variables.SOURCE_PASSWORD),
        )
        request = replace(request, username=username, password=password)
    if isinstance(source, GitSource):
        request = replace(request, ssh=_ssh(reader), submodules=reader.read(source_variables.GIT_SUBMODULES))
    if isinstance(source, BucketSource):
        request = replace(request, buckets=_buckets(reader))
    return request


def _refuse_foreign_credentials(reader: _Reader, source: Source) -> None:
    for variable, kinds in source_variables.CREDENTIALS.items():
        if not reader.is_set(variable) or source_variables.kind_of(source) in kinds:
            continue
        reader.blame(variable, f"it is for {' and '.join(kinds)}, and SOURCE_GET_URL names another kind of context")


def _ssh(reader: _Reader) -> SshAccess:
    return SshAccess(
        reader.read(source_variables.SOURCE_SSH_PRIVATE_KEY),
        reader.read(source_variables.SOURCE_PASSWORD),
        reader.read(source_variables.SOURCE_SSH_KNOWN_HOSTS),
        reader.read(source_variables.SOURCE_SSH_SKIP_HOST_KEY_CHECK),
    )


def _buckets(reader: _Reader) -> BucketAccess:
    """The variables of our own, or else those that programs for the same cloud know."""
    own = [source_variables.SOURCE_ACCESS_KEY_ID, source_variables.SOURCE_SECRET_ACCESS_KEY]
    given = [reader.is_set(variable) for variable in own]
    if any(given) and not all(given):
        reader.blame(own[given.index(False)], f"{own[given.index(True)].name} is set; set both or neither")
    if reader.is_set(source_variables.SOURCE_SESSION_TOKEN) and not any(given):
        reader.blame(source_variables.SOURCE_SESSION_TOKEN, f"set {own[0].name} and {own[1].name}, which it belongs to")
    known = {} if any(given) else reader.environment
    return BucketAccess(
        endpoint=_own_or(
            reader, source_variables.SOURCE_S3_ENDPOINT, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "S3_ENDPOINT"
        ),
        region=_own_or(reader, source_variables.SOURCE_S3_REGION, "AWS_REGION", "AWS_DEFAULT_REGION"),
        key_id=reader.read(own[0]) or known.get("AWS_ACCESS_KEY_ID", ""),
        secret_key=reader.read(own[1]) or known.get("AWS_SECRET_ACCESS_KEY", ""),
        session_token=reader.read(source_variables.SOURCE_SESSION_TOKEN) or known.get("AWS_SESSION_TOKEN", ""),
        google_key=reader.read(source_variables.SOURCE_GOOGLE_KEY),
        azure_key=_own_or(
            reader, source_variables.SOURCE_AZURE_KEY, "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_ACCOUNT_KEY"
        ),
        azure_sas=_own_or(reader, source_variables.SOURCE_AZURE_SAS, "AZURE_STORAGE_SAS_TOKEN"),
        ambient=ambient_of(reader.environment),
    )


def _own_or(reader: _Reader, variable: Variable[str], *others: str) -> str:
    """A variable's value, or that of the first of some others that is set; they are read the same way."""
    name = next((name for name in (variable.name, *others) if reader.environment.get(name, "").strip()), "")
    return reader.read(replace(variable, name=name)) if name else ""


def _dockerfile_path(reader: _Reader, request: SourceRequest) -> str:
    path = reader.read(variables.DOCKERFILE_PATH)
    if not path.startswith("/"):
        return path
    # Where the context is a directory of the builder, people name the file in it by its whole path.
    if isinstance(request.source, DirectorySource) and not request.sub_path:
        root = request.source.path.rstrip("/") + "/"
        if path.startswith(root):
            return path.removeprefix(root)
    reader.blame(variables.DOCKERFILE_PATH, "write it relative to the context")
    return path


def _named_build_args(reader: _Reader, variable: Variable[tuple[BuildArgOrigin, ...]]) -> tuple[BuildArg, ...]:
    try:
        return resolve_origins(reader.read(variable), reader.environment)
    except ValueError as error:
        reader.blame(variable, str(error))
        return ()


def _cache(reader: _Reader, outputs: tuple[ImageReference, ...]) -> CachePolicy | None:
    mode = reader.read(variables.CACHE)
    repo = reader.read(variables.CACHE_REPO)
    policy = CachePolicy(repo, reader.read(variables.CACHE_TTL), reader.read(variables.CACHE_READ_ONLY))
    if mode is CacheMode.OFF or (mode is CacheMode.AUTO and not repo):
        return None
    if repo:
        return policy
    if not outputs:
        reader.blame(variables.CACHE, "there is no OUTPUT_IMAGE to infer the repository from; set CACHE_REPO")
        return None
    return CachePolicy(infer_cache_repo(outputs[0]), policy.ttl_seconds, policy.read_only)
