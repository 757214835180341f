"""Parses URLs of Git repositories and of their submodules."""

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

_PORTS = {"http": 80, "https": 443, "git": 9418, "ssh": 22}
_HOST = r"(?!-)[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]"
_HOSTNAME = re.compile(_HOST)
_USER = re.compile(r"(?!-)[^\s@:/']+")
# Git reads this form as SSH unless it has a scheme. Here the user is required, so that it can't be a scheme.
_SCP_FORM = re.compile(rf"(?P<user>[^\s@:/]+)@(?P<host>{_HOST}):(?P<path>\S+)")


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository on a server.

    Attributes:
        scheme: http, https, git or ssh.
        host: without the brackets of an IPv6 address.
        port: the scheme's own if the URL names none.
        path: the path that is sent to the server; in the form user@host:path, relative to the user's home directory.
        username: from the URL, or empty.
        password: from the URL, or empty.
    """

    scheme: str
    host: str
    port: int
    path: str
    username: str = ""
    password: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        """The origin; credentials for one are never sent to another."""
        return self.scheme, self.host.lower(), self.port

    @property
    def url(self) -> str:
        """The URL without userinfo and path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}" if self.port != _PORTS[self.scheme] else f"{self.scheme}://{host}"

    @property
    def shown(self) -> str:
        """The URL in messages; holds no secret."""
        return f"{self.url}/{self.path.removeprefix('/')}"


def is_scp_form(text: str) -> bool:
    """Whether a text is `user@host:path`."""
    return _SCP_FORM.fullmatch(text) is not None


def parse_remote(text: str) -> Remote:
    """Read a repository's URL, or `user@host:path`.

    Raises:
        ValueError: says what is wrong; quotes nothing.
    """
    if match := _SCP_FORM.fullmatch(text):
        _check(match["user"], match["host"], match["path"])
        return Remote("ssh", match["host"].strip("[]"), _PORTS["ssh"], match["path"], match["user"])
    if any(ord(character) <= ord(" ") for character in text):
        raise ValueError("write a space in the URL as %20")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError("the URL's host or port is malformed") from error
    scheme = parts.scheme.lower().removeprefix("git+")
    if scheme not in _PORTS:
        raise ValueError("write a Git URL with https://, http://, git:// or ssh://")
    if not parts.hostname:
        raise ValueError("the URL names no host")
    if parts.query:
        raise ValueError("write no ? in a Git URL; write #branch or #commit, then :directory if needed")
    if not parts.path.strip("/"):
        raise ValueError("the Git URL names no repository")
    username = unquote(parts.username or "")
    path = unquote(parts.path) if scheme == "ssh" else parts.path
    # Git's own form for a path below a user's home directory.
    path = path.removeprefix("/") if scheme == "ssh" and path.startswith("/~") else path
    if scheme == "ssh":
        _check(username or "git", parts.hostname, path)
    return Remote(scheme, parts.hostname, port or _PORTS[scheme], path, username, unquote(parts.password or ""))


def resolve(base: Remote, text: str) -> Remote:
    """The remote of a submodule; a URL that begins with ./ or ../ is relative to the parent's.

    Raises:
        ValueError: says what is wrong; quotes nothing.
    """
    if not text.startswith(("./", "../")):
        return parse_remote(text)
    above = base.path.rstrip("/").split("/")
    for part in text.split("/"):
        if part == "..":
            if not any(above):
                raise ValueError("the relative URL leads out of its host")
            above.pop()
        elif part not in {"", "."}:
            above.append(part)
    path = "/".join(above)
    if not path.strip("/"):
        raise ValueError("the relative URL names no repository")
    if base.scheme == "ssh":
        _check(base.username or "git", base.host, path)
    return replace(
        base, path=path if base.scheme == "ssh" and not base.path.startswith("/") else "/" + path.lstrip("/")
    )


def _check(username: str, host: str, path: str) -> None:
    """Refuse what a program on the server could read as an option."""
    if not _USER.fullmatch(username) or not (_HOSTNAME.fullmatch(host) or ":" in host):
        raise ValueError("write ssh://user@host/path, or user@host:path")
    if path.startswith("-") or any(ord(character) < ord(" ") for character in path):
        raise ValueError("write a repository's path that does not begin with - and has no control characters")
