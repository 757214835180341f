"""What `output.level: SLSA3` needs of a build: https://slsa.dev/spec/v1.2/build-requirements. Pure."""

from collections.abc import Iterator
from typing import Final

from imagebuild_vocabulary.sources import is_pinned

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.build import BuildSpec, ClusterSigning, Engine
from imagebuild_operator.api.errors import InvalidSpecError

LEVEL: Final = "SLSA3"


def check_level(spec: BuildSpec, source: Body) -> None:
    """Refuse a build that asks for the level and lacks something that it needs.

    Args:
        spec: Its spec.
        source: `spec.source`, as written.

    Raises:
        InvalidSpecError: names the first field that is to be changed.
    """
    if spec.level and (problem := next(_problems(spec, source), None)) is not None:
        path, advice = problem
        raise InvalidSpecError(path, f"the level {LEVEL} needs {advice}")


def _problems(spec: BuildSpec, source: Body) -> Iterator[tuple[str, str]]:
    if not spec.push:
        yield "spec.output.push", "an image in a registry: leave push: false out"
    if not isinstance(spec.signing, ClusterSigning):
        yield "spec.output.signing", "a key that no tenant can read: set cluster to {}"
    if spec.engine is Engine.KANIKO:
        yield "spec.engine", "an engine whose record no RUN can reach: set it to BuildKit or Auto"
    if not is_pinned(source):
        ways = "git with a full commit in revision, http, s3 or upload with sha256, or inline"
        yield "spec.source", f"a source that names its content: {ways}"
    if spec.cache.enabled:
        yield "spec.cache.enabled", "a build that no other build's cache can change: set it to false"
    for field, claim in (("mounts", spec.cache.mounts_claim), ("baseImages", spec.cache.base_images_claim)):
        if claim:
            yield f"spec.cache.{field}", "a build that no other build's cache can change: leave it out"
