"""What COPY and ADD depend on, from a Dockerfile alone."""

from collections.abc import Iterator

from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.config.variables import walk
from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope, scopes
from kaniko_shim.engines.kaniko.adapt.draft import Draft


def copy_scopes(draft: Draft) -> Iterator[Scope]:
    """What is known before each instruction of a Dockerfile whose base images set unknown variables."""
    stages = split_stages(draft.instructions)
    return scopes(stages, walk(stages, {}, {}, lambda _: None, "\\"))
