"""Names of images and registries, parsed as Docker does."""

import re
from dataclasses import dataclass

from kaniko_shim.oci.digests import DIGEST

DOCKER_HUB = "index.docker.io"
_HUB_ALIASES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})

# The limits of the executor's registry library.
_SHORTEST_REPOSITORY, _LONGEST_REPOSITORY = 2, 255
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """The parsed name of an image.

    Attributes:
        registry: `host[:port]`; Docker Hub is `index.docker.io`.
        repository: path below the registry, with Docker Hub's `library/` filled in.
        tag: empty if the reference has only a digest.
        digest: `sha256:…` or empty.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The full name, as registry clients accept it."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"

    @property
    def familiar(self) -> str:
        """The full name, with the host of Docker Hub as people write it."""
        return self.name.replace(f"{DOCKER_HUB}/", "docker.io/", 1) if self.registry == DOCKER_HUB else self.name


def parse_registry(text: str) -> str:
    """Parse `host[:port]`.

    Raises:
        ValueError: says what to write instead.
    """
    text = text.strip()
    if "://" in text:
        raise ValueError(f"write the registry's host[:port] without {text.split('://')[0]}://")
    if "/" in text:
        raise ValueError(f"write only host[:port], without the path {text[text.index('/') :]}")
    if not _HOST.fullmatch(text):
        raise ValueError("write the registry as host[:port]")
    return text


def parse_mirror(text: str) -> str:
    """Parse `host[:port][/path]`, the address of a mirror.

    Raises:
        ValueError: says what to write instead.
    """
    if "://" in text:
        raise ValueError("write the mirror as host[:port][/path], without a scheme")
    if any(character.isspace() for character in text.strip()):
        raise ValueError("a mirror's name has no spaces")
    host, slash, path = text.strip().partition("/")
    if not _HOST.fullmatch(host):
        raise ValueError("write the mirror as host[:port][/path]")
    if slash and not all(_COMPONENT.fullmatch(part) for part in path.split("/")):
        raise ValueError("the mirror's path has lower-case letters, digits and . _ - between slashes")
    return host + slash + path


def parse_reference(text: str) -> ImageReference:
    """Parse `[host[:port]/]path[:tag][@digest]`; without tag and digest, the tag is `latest`.

    Raises:
        ValueError: says what to write instead.
    """
    text = text.strip()
    if "://" in text:
        raise ValueError("write the image without a scheme, such as registry.example/team/app:1.0")
    rest, at, digest = text.partition("@")
    if at and not DIGEST.fullmatch(digest):
        raise ValueError("a digest is sha256: and 64 hexadecimal digits")
    registry, path = _split_registry(rest)
    path, colon, tag = path.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise ValueError("a tag has 1 to 128 letters, digits and . _ - and does not begin with . or -")
    if not path:
        raise ValueError("the image has no name after the registry")
    if not all(_COMPONENT.fullmatch(part) for part in path.split("/")):
        raise ValueError("a repository has lower-case letters, digits and single . _ - between them, parts joined by /")
    if registry in _HUB_ALIASES:
        registry = DOCKER_HUB
        path = path if "/" in path else f"library/{path}"
    if not _SHORTEST_REPOSITORY <= len(path) <= _LONGEST_REPOSITORY:
        raise ValueError(f"a repository's name has {_SHORTEST_REPOSITORY} to {_LONGEST_REPOSITORY} characters")
    return ImageReference(registry, path, tag or ("" if at else "latest"), digest)


def _split_registry(text: str) -> tuple[str, str]:
    head, slash, tail = text.partition("/")
    if slash and head == "localhost":
        raise ValueError("write localhost with its port, such as localhost:5000/app")
    if not slash or ("." not in head and ":" not in head):
        return DOCKER_HUB, text
    if not _HOST.fullmatch(head):
        raise ValueError(f"{head!r} is not a registry host")
    return head, tail


def registry_of(text: str) -> str:
    """The registry of an image's name; empty if the name is not valid."""
    try:
        return parse_reference(text).registry if text else ""
    except ValueError:
        return ""


def parse_output(text: str) -> ImageReference:
    """Parse the name of an image to push, which has a tag and no digest.

    Raises:
        ValueError: says what to write instead.
    """
    reference = parse_reference(text)
    if reference.digest:
        raise ValueError("an image is pushed to a tag; remove the @sha256:…")
    return reference


def is_docker_hub(registry: str) -> bool:
    """Whether a host is one of Docker Hub's names."""
    return registry in _HUB_ALIASES
