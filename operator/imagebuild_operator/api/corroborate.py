"""What `output.corroborate` needs of a build. Pure."""

from typing import Final

from imagebuild_vocabulary.sources import is_pinned

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.build import BuildSpec, Engine
from imagebuild_operator.api.errors import InvalidSpecError

_PATH: Final = "spec.output.corroborate"


def check_corroborate(spec: BuildSpec, source: Body) -> None:
    """Refuse a build whose second build could not make the same image, or would have no context.

    Args:
        spec: Its spec.
        source: `spec.source`, as written.

    Raises:
        InvalidSpecError: names what it lacks.
    """
    if spec.corroborate is None:
        return
    if spec.timestamp is None:
        raise InvalidSpecError(_PATH, "two builds are never at the same time: set output.timestamp, too")
    if spec.engine is Engine.KANIKO:
        raise InvalidSpecError(_PATH, "only BuildKit builds the same twice: set engine to BuildKit or Auto")
    if "upload" in source or not is_pinned(source):
        ways = "git with a full commit in revision, http or s3 with sha256, or inline"
        raise InvalidSpecError(_PATH, f"both builds need the same source, so it has to name its content: {ways}")
