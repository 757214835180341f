"""What COPY and ADD depend on, from a Dockerfile alone."""

from collections.abc import Iterator

from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.config.variables import walk
from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope, scopes


def copy_scopes(content: bytes) -> Iterator[Scope]:
    """What is known before each instruction of a Dockerfile whose base images set unknown variables."""
    stages = split_stages(parse_dockerfile(content))
    return scopes(stages, walk(stages, {}, {}, lambda _: None, "\\"))
