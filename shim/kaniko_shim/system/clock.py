"""The time of day."""

import time


def now() -> str:
    """The current time, RFC 3339 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
