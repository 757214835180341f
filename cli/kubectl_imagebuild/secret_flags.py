"""--secret: build secrets from files and variables of this machine, and from Secrets in the cluster.

The forms are those of docker buildx, and one for Secrets that exist.
"""

import asyncio
import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from imagebuild import AsyncClient, BuildSecret

#: What to write.
_FORMS: Final = "write id=ID,src=FILE or id=ID,env=VARIABLE, or id=ID,secret=NAME,key=KEY for a Secret that exists"
_ALIASES: Final = {"source": "src"}
_OF_A_SECRET: Final = frozenset({"id", "secret", "key"})
_LOCAL: Final = frozenset({"id", "src", "env", "type"})
_TYPES: Final = frozenset({"", "file", "env"})


@dataclass(slots=True)
class Secrets:
    """Build secrets.

    Attributes:
        existing: Those in Secrets of the cluster.
        values: Values of the others, by id.
    """

    existing: list[BuildSecret] = field(default_factory=list)
    values: dict[str, bytes] = field(default_factory=dict, repr=False)


def read_secrets(options: Sequence[str], environment: Mapping[str, str] = os.environ) -> Secrets:
    """Read the values of --secret, with the files and variables that they name.

    Raises:
        ValueError: one is malformed, a file cannot be read, or a variable is not set. No value is in the message.
    """
    found = Secrets()
    for option in options:
        fields = _fields(option)
        name = fields["id"]
        if name in found.values or any(each.id == name for each in found.existing):
            raise ValueError(f"--secret id={name}: there are two of that id")
        if set(fields) == _OF_A_SECRET:
            found.existing.append(BuildSecret(name, fields["secret"], fields["key"]))
        else:
            found.values[name] = _value(fields, environment)
    return found


async def require_secrets(client: AsyncClient, named: Mapping[str, Iterable[str]]) -> None:
    """Refuse names of Secrets that do not exist, for which a build would wait.

    Args:
        client: The API server.
        named: The names, by the option that has them.

    Raises:
        ValueError: there is no such Secret in the namespace.
    """
    pairs = [(option, name) for option, names in named.items() for name in names if name]
    found = await asyncio.gather(*(client.has_secret(name) for _, name in pairs))
    for (option, name), is_there in zip(pairs, found, strict=True):
        if not is_there:
            raise ValueError(
                f"{option} {name}: namespace {client.namespace} has no Secret of that name. "
                "kubectl get secrets lists those that it has"
            )


def _fields(option: str) -> dict[str, str]:
    parts: Iterable[str] = next(csv.reader([option]), [])
    fields: dict[str, str] = {}
    for part in parts:
        key, separator, value = part.partition("=")
        key = _ALIASES.get(key.strip().lower(), key.strip().lower())
        if not separator or not value or key not in _OF_A_SECRET | _LOCAL or key in fields:
            # Only the key is quoted: someone may have written the value of the secret.
            raise ValueError(f"--secret …{key}…: {_FORMS}")
        fields[key] = value
    is_local = set(fields) <= _LOCAL and not {"src", "env"} <= set(fields) and fields.get("type", "") in _TYPES
    if "id" not in fields or not (is_local or set(fields) == _OF_A_SECRET):
        raise ValueError(f"--secret: {_FORMS}")
    return fields


def _value(fields: Mapping[str, str], environment: Mapping[str, str]) -> bytes:
    """As in docker buildx: without a place, a variable that has the id as its name comes before a file."""
    name, kind = fields["id"], fields.get("type", "")
    place = fields.get("src") or fields.get("env") or name
    if "env" in fields or kind == "env" or (not kind and "src" not in fields and name in environment):
        if place not in environment:
            raise ValueError(f"--secret id={name}: the variable {place} is not set")
        return environment[place].encode("utf-8", "surrogateescape")
    try:
        return Path(place).expanduser().read_bytes()
    except OSError as error:
        raise ValueError(f"--secret id={name}: {place}: {error.strerror}") from error
