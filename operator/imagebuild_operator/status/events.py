"""The Kubernetes Events that the operator writes about a build."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from imagebuild_vocabulary.names import API_VERSION, KIND, OPERATOR

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.redact import redact
from imagebuild_operator.api.time import format_time

#: Characters of a message; the API server accepts no more.
MAX_MESSAGE: Final = 1024


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes Event to tell people of a change."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def event_manifest(build: ImageBuild, event: Event, now: datetime) -> dict[str, Any]:
    """The manifest of an Event about a build."""
    unique = hashlib.sha256(f"{build.uid}/{event.reason}/{now.timestamp()}".encode()).hexdigest()[:12]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{build.name[:200]}.{unique}", "namespace": build.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": build.namespace,
            "name": build.name,
            "uid": build.uid,
            "resourceVersion": build.resource_version,
        },
        "type": event.type,
        "reason": event.reason,
        "message": redact(event.message)[:MAX_MESSAGE],
        "source": {"component": OPERATOR},
        "reportingComponent": OPERATOR,
        "firstTimestamp": format_time(now),
        "lastTimestamp": format_time(now),
        "count": 1,
    }
