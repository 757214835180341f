"""What COPY and ADD depend on, from a Dockerfile alone."""

from collections.abc import Iterator

from kaniko_shim.dockerfile.config.variables import walk
from kaniko_shim.dockerfile.copy.scope import Scope, scopes
from kaniko_shim.dockerfile.syntax.parse import parse_dockerfile
from kaniko_shim.dockerfile.syntax.stages import split_stages


def copy_scopes(content: bytes) -> Iterator[Scope]:
    """What is known before each instruction of a Dockerfile whose base images set unknown variables."""
    stages = split_stages(parse_dockerfile(content))
    return scopes(stages, walk(stages, {}, {}, lambda _: None, "\\"))
