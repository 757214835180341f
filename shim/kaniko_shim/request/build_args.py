"""Build arguments, from BUILD_ARG, BUILD_ARG_FROM and BUILD_ARG_FROM_CONFIG."""

import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kaniko_shim.request.scalars import split_list, split_origins

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

_PROXY = re.compile(r"(?:https?|ftp|no|all)_proxy", re.IGNORECASE)

# Variables that the executor reads itself. Secret build arguments are in its environment: one of these names
# would change what the executor does.
_OWN_NAMES = re.compile(
    r"HOME|PATH|TMPDIR|USER|container|DOCKER_.*|REGISTRY_AUTH_FILE|XDG_.*|(?:FF_)?KANIKO_.*|(?:PRE_)?CLEANUP"
    r"|PRESERVE_CONTEXT|BUILDER_OUTPUT|UPSTREAM_CLIENT_TYPE|BENCHMARK_FILE|STACKLOG_PATH|SNAPSHOT_TIMEOUT_DURATION"
    r"|(?i:(?:https?|ftp|no|all)_proxy)|REQUEST_METHOD|SSL_CERT_.*|OTEL_.*|LD_.*|LOCALDOMAIN|RES_OPTIONS|HOSTALIASES"
    r"|GO(?:DEBUG|TRACEBACK|GC|MAXPROCS|MEMLIMIT|COVERDIR)|AWS_.*|ECS_.*|AZURE_.*|CLOUDSDK_.*|GCE_METADATA_.*"
    r"|GOOGLE_(?:APPLICATION_CREDENTIALS|CLOUD_.*|GHA_.*|API_USE_.*)|CI_(?:REGISTRY.*|JOB_.*)"
)


@dataclass(frozen=True, slots=True)
class BuildArg:
    """A build argument with its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class BuildArgOrigin:
    """A build argument whose value is in an environment variable."""

    name: str
    variable: str


def _check_name(name: str, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{where}: a name may contain only letters, digits, _, . and -, and begins with a letter or _")


def parse_build_args(text: str) -> tuple[BuildArg, ...]:
    """Read comma-separated base64 of `name=value` pairs; a value may be empty and may hold any text.

    Raises:
        ValueError: names the item that is wrong by its number, never by its value.
    """
    arguments = list[BuildArg]()
    for number, item in enumerate(split_list(text, ","), start=1):
        where = f"item {number}"
        try:
            padded = item + "=" * (-len(item) % 4)
            decoded = binascii.a2b_base64(padded, strict_mode=True).decode()
        except ValueError as error:
            raise ValueError(f"{where}: write the base64 of name=value, such as $(printf a=1 | base64 -w0)") from error
        name, equals, value = decoded.partition("=")
        if not equals:
            raise ValueError(f"{where}: there is no = between name and value")
        _check_name(name, where)
        if "\0" in value:
            raise ValueError(f"{where}: a value cannot contain a NUL character")
        arguments.append(BuildArg(name, value))
    return tuple(arguments)


def parse_secret_origins(text: str) -> tuple[BuildArgOrigin, ...]:
    """Read comma-separated `ARGUMENT=ENVIRONMENT_VARIABLE` pairs whose values are secret.

    Raises:
        ValueError: says which pair is wrong and why.
    """
    origins = parse_origins(text)
    for origin in origins:
        if _OWN_NAMES.fullmatch(origin.name):
            raise ValueError(f"{origin.name!r} is a name that the executor uses itself; choose another name")
    return origins


def parse_origins(text: str) -> tuple[BuildArgOrigin, ...]:
    """Read comma-separated `ARGUMENT=ENVIRONMENT_VARIABLE` pairs.

    Raises:
        ValueError: says which pair is wrong and why.
    """
    origins = split_origins(text, "ARGUMENT", _check_name)
    return tuple(BuildArgOrigin(name, variable) for name, variable in origins.items())


def with_both_spellings(arguments: Iterable[BuildArg]) -> Iterator[tuple[str, str]]:
    """Names and values; a proxy variable in both spellings: Docker's RUN sees them in capitals and small letters."""
    arguments = tuple(arguments)
    names = {argument.name for argument in arguments}
    for argument in arguments:
        yield argument.name, argument.value
        if _PROXY.fullmatch(argument.name):
            twins = {argument.name.lower(), argument.name.upper()} - names
            yield from ((twin, argument.value) for twin in sorted(twins))
            names |= twins


def resolve_origins(origins: tuple[BuildArgOrigin, ...], environment: Mapping[str, str]) -> tuple[BuildArg, ...]:
    """Look up the values of build arguments; an empty value counts as set.

    Raises:
        ValueError: the message names the variables that are not set.
    """
    missing = [origin.variable for origin in origins if origin.variable not in environment]
    if missing:
        raise ValueError(f"the environment has no {', '.join(missing)}; set it or remove the argument")
    return tuple(BuildArg(origin.name, environment[origin.variable]) for origin in origins)
