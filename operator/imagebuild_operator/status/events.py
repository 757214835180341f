"""The Kubernetes Events that the operator writes."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from imagebuild_vocabulary.names import OPERATOR

from imagebuild_operator.api.body import Document
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


def event_manifest(involved: Document, event: Event, now: datetime) -> Document:
    """The manifest of an Event about the object that a reference names."""
    unique = hashlib.sha256(f"{involved['uid']}/{event.reason}/{now.timestamp()}".encode()).hexdigest()[:12]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{involved['name'][:200]}.{unique}", "namespace": involved["namespace"]},
        "involvedObject": dict(involved),
        "type": event.type,
        "reason": event.reason,
        "message": redact(event.message)[:MAX_MESSAGE],
        "source": {"component": OPERATOR},
        "reportingComponent": OPERATOR,
        "firstTimestamp": format_time(now),
        "lastTimestamp": format_time(now),
        "count": 1,
    }
