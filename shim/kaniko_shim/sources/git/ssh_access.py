"""Credentials for sources, as the variables give them."""

from dataclasses import dataclass, field

from kaniko_shim.sources.git.known_hosts import KnownHosts


@dataclass(frozen=True, slots=True)
class SshAccess:
    """Who we are to an SSH server, and who it must be.

    Attributes:
        private_key: in OpenSSH's or PEM format, or empty.
        password: opens the private key; without a private key, it is the user's own.
        known_hosts: the keys that servers must have.
        any_host: whether a server that is not among them is trusted.
    """

    private_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    known_hosts: KnownHosts = ()
    any_host: bool = False


NO_SSH = SshAccess()
"""No key, and no server that is trusted."""


def parse_private_key(text: str) -> str:
    """Read an SSH key without looking inside: line ends are mended, blanks around lines go.

    Raises:
        ValueError: it is no private key; quotes nothing.
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    if not lines:
        return ""
    if not (lines[0].startswith("-----BEGIN ") and lines[0].endswith(" PRIVATE KEY-----")):
        raise ValueError("write the whole file of a private key, from -----BEGIN … PRIVATE KEY----- on, with its lines")
    if len(lines) < 3 or not lines[-1].startswith("-----END "):  # noqa: PLR2004 - begin, content, end
        raise ValueError("the private key is cut off, or its lines were joined")
    return "\n".join(lines) + "\n"
