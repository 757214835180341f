"""The trace ID in TRACEPARENT: https://www.w3.org/TR/trace-context/."""

import re

_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def parse_trace_id(text: str) -> str:
    """The trace ID; empty if the value is malformed, which the standard says to ignore."""
    match = _FORM.fullmatch(text.strip())
    return match[1] if match and not (text.strip().startswith("00") and match[2]) else ""
