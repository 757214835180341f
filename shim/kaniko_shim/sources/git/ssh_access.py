"""Credentials for SSH servers, from variables."""

from dataclasses import dataclass, field

from kaniko_shim.sources.git.known_hosts import KnownHosts


@dataclass(frozen=True, slots=True)
class SshAccess:
    """Credentials for an SSH server, and the keys that it must have.

    Attributes:
        private_key: a key in OpenSSH's or PEM format, or empty.
        password: the passphrase of the private key; without one, the user's password.
        known_hosts: the keys that servers must have.
        any_host: whether a server without a known key is trusted.
    """

    private_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    known_hosts: KnownHosts = ()
    any_host: bool = False


NO_SSH = SshAccess()
"""No credentials, and no trusted server."""


def parse_private_key(text: str) -> str:
    """Read an SSH key without decoding it; line ends and blanks around lines are normalised.

    Raises:
        ValueError: the text is not a private key; quotes nothing.
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    if not lines:
        return ""
    if not (lines[0].startswith("-----BEGIN ") and lines[0].endswith(" PRIVATE KEY-----")):
        raise ValueError("write a whole private key with its line breaks, from -----BEGIN … PRIVATE KEY----- on")
    if len(lines) < 3 or not lines[-1].startswith("-----END "):  # noqa: PLR2004 - begin, content, end
        raise ValueError("the private key is cut off, or its line breaks are missing")
    return "\n".join(lines) + "\n"
