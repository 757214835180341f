"""Records each written status in the metrics, and sends the trace of a finished build."""

from collections.abc import Callable, Mapping
from typing import Any

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.telemetry.counts import observations
from imagebuild_operator.telemetry.otlp import Send
from imagebuild_operator.telemetry.prometheus import Metrics
from imagebuild_operator.telemetry.trace import trace

#: Takes a build before a change of its status, and the changed fields.
StatusRecorder = Callable[[ImageBuild, Mapping[str, Any]], None]


def status_recorder(metrics: Metrics, send: Send | None) -> StatusRecorder:
    """Return the function to call after each write of a status.

    Args:
        metrics: The metrics.
        send: Sends a trace; None without tracing.
    """

    def written(build: ImageBuild, status: Mapping[str, Any]) -> None:
        metrics.add(observations(build, status), build.namespace)
        if send is not None and (ended := trace(build, status)) is not None:
            send(ended)

    return written
