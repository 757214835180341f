"""Times as Kubernetes writes them, and durations for people."""

from datetime import UTC, datetime


def parse_time(text: str | None) -> datetime | None:
    """Read a metav1.Time such as `2026-11-24T08:00:00Z`; None stays None."""
    return datetime.fromisoformat(text) if text else None


def format_time(moment: datetime) -> str:
    """Write a metav1.Time: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(moment: datetime) -> str:
    """Write a metav1.MicroTime: UTC, six decimals."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    """Milliseconds from start to end, never negative; None if one is unknown.

    Clocks of two machines may disagree, so an end before its start counts as nothing.
    """
    if start is None or end is None:
        return None
    return max(0, round((end - start).total_seconds() * 1000))


def duration(seconds: float) -> str:
    """Format seconds as `kubectl get` formats an age: 42s, 1m23s, 2h05m."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes_left:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
