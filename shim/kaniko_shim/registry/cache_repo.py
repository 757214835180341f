"""The repository of cached layers."""

import re
from dataclasses import dataclass

from kaniko_shim.registry.references import ImageReference, is_docker_hub, parse_reference

_OCI_PATH = re.compile(r"/(?:[a-z0-9._-]+/)+[a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How a build uses cached layers.

    Attributes:
        repo: `host/path`, or `oci:/path`.
        ttl_seconds: maximum age of a layer; None: the executor's default.
        read_only: whether no layer is added.
    """

    repo: str
    ttl_seconds: int | None = None
    read_only: bool = False


def parse_cache_repo(text: str) -> str:
    """Parse the repository of a cache; empty if unset.

    Raises:
        ValueError: says what to write instead.
    """
    text = text.strip()
    if not text:
        return ""
    if text.startswith("oci:"):
        if not _OCI_PATH.fullmatch(text.removeprefix("oci:")):
            raise ValueError("write oci:/volume/name, an absolute path in lower case below a volume")
        return text
    host, slash, _ = text.partition("/")
    if not slash and ("." in host or ":" in host):
        raise ValueError("write host[:port]/path, without a tag: the path is missing")
    reference = parse_reference(text)
    if ":" in text.rpartition("/")[2] or reference.digest:
        raise ValueError("write the repository without a tag or digest")
    return f"{reference.registry}/{reference.repository}"


def infer_cache_repo(output: ImageReference) -> str:
    """The default cache repository of an image: below it, or on Docker Hub, which has no nested names, next to it."""
    suffix = "-cache" if is_docker_hub(output.registry) else "/cache"
    return f"{output.registry}/{output.repository}{suffix}"
