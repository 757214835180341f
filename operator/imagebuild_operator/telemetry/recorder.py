"""Told of each status that has been written: what of it is counted, and what is sent as a trace."""

from collections.abc import Callable, Mapping
from typing import Any

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.telemetry.counts import observations
from imagebuild_operator.telemetry.otlp import Send
from imagebuild_operator.telemetry.prometheus import Meters
from imagebuild_operator.telemetry.trace import trace

#: Takes a build as it was, and the fields of its status that have been changed.
Written = Callable[[ImageBuild, Mapping[str, Any]], None]


def witness(meters: Meters, send: Send | None) -> Written:
    """Who is told.

    Args:
        meters: The metrics.
        send: Sends a trace; None where there is nobody to send one to.
    """

    def written(build: ImageBuild, status: Mapping[str, Any]) -> None:
        meters.add(observations(build, status), build.namespace)
        if send is not None and (ended := trace(build, status)) is not None:
            send(ended)

    return written
