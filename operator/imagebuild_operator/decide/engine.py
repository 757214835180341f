"""What builds learn from each other about BuildKit: where it could not run. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.pod.engine import places_of
from imagebuild_operator.settings import OperatorSettings


def engine_places(build: ImageBuild, settings: OperatorSettings) -> Sequence[str]:
    """The places whose problems concern a build; none if its spec is invalid."""
    try:
        return places_of(build.namespace, parse_spec(build.spec), settings.defaults)
    except InvalidSpecError:
        return ()


def engine_problems(
    build: ImageBuild, status: Mapping[str, Any], settings: OperatorSettings
) -> Iterator[tuple[str, str]]:
    """The problems that a status reports of the last attempt of a build, or of its platforms, each with its place."""
    for part in (status, *(status.get("platforms") or ())):
        attempts = part.get("attempts") or ()
        if attempts and attempts[-1].get("reason") == Reason.ENGINE_UNAVAILABLE:
            problem = str(attempts[-1].get("message") or "")
            namespace, nodes = engine_places(build, settings)
            # Without a pod, it is admission in the namespace that has refused.
            yield (nodes if "podName" in attempts[-1] else namespace), problem
