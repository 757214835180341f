"""Builds and pods for tests: small bodies as the API server would hold them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.parse import parse_build
from imagebuild_operator.decide.plan import Plan
from imagebuild_operator.observe.pod import ContainerFacts, PodFacts
from imagebuild_operator.settings import BuildDefaults, BuildKitSettings, OperatorSettings

UID = "7d3f0c1e-5f0e-4c57-9f5a-0d3b6f1c2a11"
#: The pod of the first attempt.
POD = "app-eebc00bd"
START = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32
SETTINGS = OperatorSettings(defaults=BuildDefaults(builder_image="registry.example/builder:1"))
#: The same with BuildKit, as the chart has it.
WITH_BUILDKIT = OperatorSettings(
    defaults=BuildDefaults(
        builder_image="registry.example/builder:1", buildkit=BuildKitSettings(image="registry.example/buildkit:1")
    )
)
SPEC: dict[str, Any] = {
    "source": {"url": "https://example.com/context.tar.gz"},
    "output": {"images": ["registry.example/team/app:1"], "push": True},
    "timeoutSeconds": 600,
}


def body(
    spec: Mapping[str, Any] | None = None, status: Mapping[str, Any] | None = None, **metadata: object
) -> dict[str, Any]:
    """The body of an ImageBuild; keywords go into its metadata."""
    return {
        "metadata": {
            "namespace": "team",
            "name": "app",
            "uid": UID,
            "generation": 1,
            "resourceVersion": "5",
            "creationTimestamp": "2026-11-24T08:00:00Z",
            **metadata,
        },
        "spec": {**SPEC, **(spec or {})},
        "status": dict(status or {}),
    }


def a_build(
    spec: Mapping[str, Any] | None = None, status: Mapping[str, Any] | None = None, **metadata: object
) -> ImageBuild:
    """A parsed ImageBuild."""
    return parse_build(body(spec, status, **metadata))


def recorded(build: ImageBuild, made: Plan) -> ImageBuild:
    """The build after a plan's status was written."""
    merged = {**build.status, **(made.status or {})}
    return a_build(build.spec, {name: value for name, value in merged.items() if value is not None})


def after(seconds: float) -> datetime:
    """A moment after the start of the test's time."""
    return START + timedelta(seconds=seconds)


def a_pod(**facts: Any) -> PodFacts:  # noqa: ANN401 - any field of PodFacts
    """The facts of a pod that waits for its node, with some of them changed."""
    return PodFacts(**{"name": POD, "uid": "pod-1", "owner_uid": UID, "created": START, **facts})


def running(since: float = 10) -> ContainerFacts:
    """A container that runs."""
    return ContainerFacts(started=after(since))


def ended(code: int, message: str = "", *, reason: str = "Error", start: float = 10, end: float = 60) -> ContainerFacts:
    """A container that has ended."""
    return ContainerFacts(started=after(start), finished=after(end), exit_code=code, reason=reason, message=message)


def waiting(reason: str, message: str = "") -> ContainerFacts:
    """A container that has not started."""
    return ContainerFacts(waiting_reason=reason, waiting_message=message)
