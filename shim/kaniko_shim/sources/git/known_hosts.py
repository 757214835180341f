"""The keys of SSH servers, in OpenSSH's known_hosts format."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

_PORT = 22
_FIELDS = 3


@dataclass(frozen=True, slots=True)
class KnownHost:
    """One line of the file.

    Attributes:
        names: patterns such as `*.example.com`, `!not.this`, `[host]:2222`, or one hashed name `|1|salt|hash`.
        kind: the key's type, such as ssh-ed25519.
        key: the key in its binary form.
        revoked: whether a server with this key is refused.
    """

    names: tuple[str, ...]
    kind: str
    key: bytes
    revoked: bool = False

    def covers(self, host: str, port: int) -> bool:
        """Whether the line applies to a host."""
        name = host.lower() if port == _PORT else f"[{host.lower()}]:{port}"
        found = [(each.startswith("!"), _matches(each.removeprefix("!"), name)) for each in self.names]
        return any(hit for denied, hit in found if not denied) and not any(hit for denied, hit in found if denied)


KnownHosts = tuple[KnownHost, ...]


def parse_known_hosts(text: str) -> KnownHosts:
    """Read a known_hosts file, or the output of ssh-keyscan.

    Raises:
        ValueError: names the line that is wrong.
    """
    return tuple(
        _parse_line(number, line.split())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    )


def keys_of(known: KnownHosts, host: str, port: int) -> dict[bytes, str]:
    """The types of a host's keys, by key; without those that are revoked."""
    revoked = revoked_keys(known, host, port)
    return {line.key: line.kind for line in known if line.covers(host, port) and line.key not in revoked}


def revoked_keys(known: KnownHosts, host: str, port: int) -> frozenset[bytes]:
    """The keys with which a host is refused."""
    return frozenset(line.key for line in known if line.revoked and line.covers(host, port))


def fingerprint(key: bytes) -> str:
    """A key's fingerprint as ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _parse_line(number: int, fields: list[str]) -> KnownHost:
    marker = fields.pop(0) if fields[0].startswith("@") else ""
    if marker not in {"", "@revoked"}:
        raise ValueError(f"line {number}: {marker} is not supported; write the key of the host itself")
    if len(fields) < _FIELDS:
        raise ValueError(f"line {number}: write host, type and key, as ssh-keyscan prints them")
    names, kind, encoded = fields[:_FIELDS]
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"line {number}: the key is not base64") from error
    if key[4 : 4 + len(kind)] != kind.encode():
        raise ValueError(f"line {number}: the key's type is not the type before it")
    return KnownHost(tuple(names.split(",")), kind, key, revoked=bool(marker))


def _matches(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        import hmac  # noqa: PLC0415 - for hashed names only; this module is loaded by every build

        _, _, salt, expected = (*pattern.split("|"), "", "")[:4]
        try:
            digest = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
            return hmac.compare_digest(digest, base64.b64decode(expected))
        except binascii.Error:
            return False
    # Not fnmatch, in which [ is special too.
    parts = [{"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern.lower()]
    return re.fullmatch("".join(parts), name) is not None
