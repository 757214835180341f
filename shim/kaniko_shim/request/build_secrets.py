"""Build secrets, from BUILD_SECRET_<id> and BUILD_SECRET_FROM; RUN --mount=type=secret uses them."""

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kaniko_shim.request.scalars import split_origins

PREFIX = "BUILD_SECRET_"
FROM = "BUILD_SECRET_FROM"

Found = Iterator["BuildSecret | str"]

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_BAD_ID = "an id has at most 128 letters, digits, _, . and -, and begins with a letter, a digit or _"


@dataclass(frozen=True, slots=True)
class BuildSecret:
    """A build secret.

    Attributes:
        id: the id by which RUN --mount=type=secret names it.
        value: any bytes.
    """

    id: str
    value: bytes = field(repr=False)

    @property
    def texts(self) -> Iterator[str]:
        """The forms of the value that must not be printed."""
        yield self.value.decode("utf-8", "surrogateescape")
        yield binascii.b2a_base64(self.value, newline=False).decode()


@dataclass(frozen=True, slots=True)
class SecretOrigin:
    """A build secret whose value is in an environment variable."""

    id: str
    variable: str


def check_id(text: str) -> str:
    """The id of a secret.

    Raises:
        ValueError: says what an id looks like.
    """
    if not _ID.fullmatch(text):
        raise ValueError(_BAD_ID)
    return text


def parse_secret_value(text: str) -> bytes:
    """The value of a BUILD_SECRET_<id>, which is base64, with or without padding and line breaks.

    Raises:
        ValueError: says what to write instead, and never quotes the value.
    """
    plain = "".join(text.split())
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except ValueError as error:
        raise ValueError("write the value in base64, such as $(base64 -w0 token.txt)") from error


def parse_secret_variables(text: str) -> tuple[SecretOrigin, ...]:
    """Read comma-separated `ID=ENVIRONMENT_VARIABLE` pairs.

    Raises:
        ValueError: says which pair is wrong and why.
    """
    origins = split_origins(text, "ID", _check)
    return tuple(SecretOrigin(name, variable) for name, variable in origins.items())


def _check(name: str, shown: str) -> None:
    if not _ID.fullmatch(name):
        raise ValueError(f"{shown}: {_BAD_ID}")


def read_build_secrets(environment: Mapping[str, str], origins: tuple[SecretOrigin, ...]) -> Found:
    """The build secrets of the environment, and a text for each problem with one.

    Args:
        environment: the environment variables.
        origins: those of BUILD_SECRET_FROM.
    """
    variables = {origin.variable for origin in origins}
    given = [
        name
        for name in sorted(environment)
        if name.startswith(PREFIX) and name != FROM and name not in variables and environment[name].strip()
    ]
    for name in given:
        try:
            yield BuildSecret(check_id(name.removeprefix(PREFIX)), parse_secret_value(environment[name]))
        except ValueError as error:
            yield f"{name}: {error}"
    for origin in origins:
        if f"{PREFIX}{origin.id}" in given:
            yield f"{FROM}: {PREFIX}{origin.id} also gives the secret {origin.id!r}; set only one of them"
        elif origin.variable not in environment:
            yield f"{FROM}: the environment has no {origin.variable}; set it or remove the secret {origin.id!r}"
        else:
            yield BuildSecret(origin.id, environment[origin.variable].encode("utf-8", "surrogateescape"))
