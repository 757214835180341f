"""The mounts of a RUN, read as BuildKit reads them."""

import csv
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.shell_words import expand

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_SHARING = frozenset({"shared", "private", "locked"})
_SIZE = re.compile(r"[0-9]+(?:\.[0-9]+)? ?(?:[kmgtp]i?b?|b)?", re.IGNORECASE)
_WITH_OWNER = frozenset({"secret", "ssh", "cache"})
_LARGEST_ID = 2**32 - 1


class MountType(StrEnum):
    """The types of mounts."""

    BIND = "bind"
    CACHE = "cache"
    TMPFS = "tmpfs"
    SECRET = "secret"  # noqa: S105 - a type
    SSH = "ssh"


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount.

    Attributes:
        type: its type.
        origin: the stage or image that `from` names; empty for the context.
        source: path in the context, stage or image; empty for all of it.
        target: where it appears, as it was written; empty for the default.
        id: of a cache or secret, as it was written; empty for the default.
        sharing: shared, private or locked, for a cache.
        required: whether a secret must be there.
        writable: whether what a step writes to a bind mount is allowed, and dropped after it.
        env: the variable that holds a secret; None for none.
        mode: permission bits; None for the default.
        uid: owner; None for the default.
        gid: group; None for the default.
    """

    type: MountType = MountType.BIND
    origin: str = ""
    source: str = ""
    target: str = ""
    id: str = ""
    sharing: str = "shared"
    required: bool = False
    env: str | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    writable: bool = False

    @property
    def secret_id(self) -> str:
        """The id of a secret."""
        return self.source or self.id or posixpath.basename(posixpath.normpath(self.target))

    @property
    def cache_id(self) -> str:
        """The id of a cache."""
        return self.id or posixpath.normpath(self.target or ".")

    def place(self, directory: str) -> str:
        """The absolute path where it appears; empty if only a variable holds it.

        Args:
            directory: the step's working directory.
        """
        if self.type is MountType.SECRET:
            if self.env is not None and not self.target:
                return ""
            path = self.target or f"run/secrets/{posixpath.basename(self.secret_id)}"
            return posixpath.normpath("/" + path.lstrip("/"))
        return posixpath.normpath(posixpath.join("/", directory, self.target))


def mount_texts(run: Instruction) -> list[str]:
    """The values of the --mount flags of a RUN."""
    return [value for name, value in run.flags if name == "--mount"]


def has_variable(text: str) -> bool:
    """Whether what a mount says depends on variables."""
    return "$" in text


def parse_mount(text: str, values: Mapping[str, str]) -> Mount:
    """Read the value of a --mount flag.

    Args:
        text: a line of CSV.
        values: those of the variables.

    Raises:
        ValueError: says what is wrong, as BuildKit would find it.
    """
    kind, found = MountType.BIND, dict[str, str]()
    for name, written in _fields(text):
        value = expand(written, values) if name != "from" else written
        if name == "type":
            try:
                kind = MountType(value.lower())
            except ValueError:
                raise ValueError(f"{value!r} is not a type of mount; write {', '.join(MountType)}") from None
        found[name] = value
    return _checked(kind, found)


def without_values(text: str) -> Mount:
    """A mount as far as it is known before the build: variables stay as they are.

    Raises:
        ValueError: it is malformed.
    """
    if not has_variable(text):
        return parse_mount(text, {})
    kept = [field for field in text.split(",") if not has_variable(field)]
    try:
        return parse_mount(",".join(kept), {})
    except ValueError:
        # What is missing may be what a variable holds.
        return Mount()


_NAMES = {
    **{name: name for name in ("type", "from", "source", "target", "id", "sharing", "required", "size", "mode", "env")},
    "uid": "uid",
    "gid": "gid",
    "src": "source",
    "dst": "target",
    "destination": "target",
    "ro": "readonly",
    "readonly": "readonly",
    "rw": "readwrite",
    "readwrite": "readwrite",
}
_SWITCHES = frozenset({"readonly", "readwrite", "required"})


def _fields(text: str) -> Iterator[tuple[str, str]]:
    try:
        fields = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise ValueError(f"{text!r} is not a line of CSV") from error
    for field in fields:
        key, equals, value = field.partition("=")
        name = _NAMES.get(key.lower(), "")
        if not name:
            raise ValueError(f"{key!r} is not an option of --mount")
        if not equals and name not in _SWITCHES:
            raise ValueError(f"{field!r} has no value; write {key}=VALUE")
        yield name, value if equals else "true"


_ONLY_OF = {
    **dict.fromkeys(("mode", "uid", "gid"), _WITH_OWNER),
    "required": frozenset({"secret", "ssh"}),
    "size": frozenset({"tmpfs"}),
    "sharing": frozenset({"cache"}),
}


def _checked(kind: MountType, found: Mapping[str, str]) -> Mount:
    for name in sorted(_ONLY_OF.keys() & found.keys()):
        if kind not in _ONLY_OF[name]:
            raise ValueError(f"{name} is not an option of type={kind}")
    for name in sorted(_SWITCHES & found.keys()):
        if found[name] not in _TRUE | _FALSE:
            raise ValueError(f"{name}={found[name]!r}: write true or false")
    sharing = found.get("sharing", "shared").lower()
    if sharing not in _SHARING:
        raise ValueError(f"sharing={sharing!r}: write shared, private or locked")
    if "size" in found and not _SIZE.fullmatch(found["size"]):
        raise ValueError(f"size={found['size']!r}: write a number of bytes, such as 64m")
    mount = Mount(
        kind,
        found.get("from", ""),
        found.get("source", ""),
        found.get("target", ""),
        found.get("id", ""),
        sharing,
        found.get("required") in _TRUE,
        found.get("env"),
        _number(found, "mode", 8),
        _number(found, "uid", 10),
        _number(found, "gid", 10),
        writable=found.get("readwrite") in _TRUE or found.get("readonly") in _FALSE,
    )
    if kind is MountType.SECRET:
        _check_secret(mount)
    return mount


def _check_secret(mount: Mount) -> None:
    if mount.origin:
        raise ValueError("a secret has no from")
    if not (mount.source or mount.target or mount.id):
        raise ValueError("a secret needs an id")
    if mount.source and mount.id:
        raise ValueError("source and id of a secret mean the same; write only id")


def _number(found: Mapping[str, str], name: str, base: int) -> int | None:
    if name not in found:
        return None
    try:
        number = int(found[name], base)
    except ValueError:
        number = -1
    if not (0 <= number <= _LARGEST_ID and found[name].isalnum()):
        raise ValueError(f"{name}={found[name]!r}: write {'an octal number' if base != 10 else 'a number'}")  # noqa: PLR2004
    return number
