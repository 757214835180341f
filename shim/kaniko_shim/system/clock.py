"""The time of day."""

import time


def now() -> str:
    """The current time, RFC 3339 in UTC."""
    return later(0)


def later(seconds: float) -> str:
    """The time in a number of seconds, RFC 3339 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
