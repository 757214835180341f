"""The place of a build in a trace: https://www.w3.org/TR/trace-context/. Pure.

Ids that nobody gives are derived from the build's uid, so that each call returns the same ones.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from imagebuild_operator.api.build import ImageBuild

_FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A trace, and the parent of the next span in it.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        is_sampled: Whether the trace is recorded.
    """

    trace_id: str
    span_id: str
    is_sampled: bool = True

    def __str__(self) -> str:
        """Format it as the header and the variable."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"


def parse_traceparent(text: str) -> TraceContext | None:
    """Parse a `traceparent`; None if it is malformed, which the standard says to ignore."""
    match = _FORM.fullmatch(text.strip())
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    trace_id, span_id = match[2], match[3]
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceContext(trace_id, span_id, is_sampled=bool(int(match[4], 16) & _SAMPLED))


def parent(build: ImageBuild) -> TraceContext | None:
    """Return the span that created the build, from its annotation."""
    return parse_traceparent(build.traceparent) if build.traceparent else None


def trace_of(build: ImageBuild) -> TraceContext:
    """Return the trace of a build, and the span of the build itself."""
    given = parent(build)
    if given is not None:
        return TraceContext(given.trace_id, span_id(build), given.is_sampled)
    digits = build.uid.replace("-", "").lower()
    is_id = re.fullmatch(r"[0-9a-f]{32}", digits) is not None and int(digits, 16) != 0
    return TraceContext(digits if is_id else hashlib.sha256(build.uid.encode()).hexdigest()[:32], span_id(build))


def span_id(build: ImageBuild, *path: str) -> str:
    """Return the id of a span of a build, from its place below the span of the build itself."""
    return hashlib.sha256("/".join((build.uid, *path)).encode()).hexdigest()[:16]
