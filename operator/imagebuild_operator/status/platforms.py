"""The entries of `status.platforms`, and the fields of the whole build that are computed from them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.body import Document

Platforms = Sequence[Mapping[str, Any]]

#: Fields of the status that each platform has too.
FIELDS: Final = (
    "phase",
    "reason",
    "message",
    "engine",
    "podName",
    "podUID",
    "node",
    "digest",
    "layerBytes",
    "source",
    "attempts",
    "startTime",
    "completionTime",
    "timings",
    "cache",
    "baseImages",
    "progress",
    "warnings",
    "failure",
)
#: Timings of what the platforms do at the same time: the longest counts for the build.
AT_ONCE: Final = ("scheduledMilliseconds", "pulledMilliseconds", "fetchMilliseconds", "buildMilliseconds")


def platform_entry(platform: str, recorded: Mapping[str, Any], changes: Mapping[str, Any]) -> Document:
    """Merge changes into the entry of a platform; None removes a field."""
    merged = {**recorded, **changes}
    fields = {name: merged[name] for name in FIELDS if merged.get(name) is not None}
    return {"platform": platform, "phase": str(Phase.PENDING), **fields}


def failed_platform(platforms: Platforms) -> Mapping[str, Any] | None:
    """Return the first platform that has failed."""
    return next((entry for entry in platforms if entry["phase"] == Phase.FAILED), None)


def start_of(platforms: Platforms) -> str | None:
    """Return the earliest start of the platforms."""
    return min((entry["startTime"] for entry in platforms if "startTime" in entry), default=None)


def timings_of(platforms: Platforms, own: Mapping[str, int]) -> dict[str, int]:
    """Compute the timings of the build: the longest of the platforms, plus the push of the index."""
    read: list[Mapping[str, int]] = [entry.get("timings") or {} for entry in platforms]
    timings = {name: ms for name, ms in own.items() if name in {"queuedMilliseconds", "totalMilliseconds"}}
    for name in AT_ONCE:
        if known := [timing[name] for timing in read if name in timing]:
            timings[name] = max(known)
    if pushes := [timing["pushMilliseconds"] for timing in read if "pushMilliseconds" in timing]:
        timings["pushMilliseconds"] = max(pushes) + own.get("pushMilliseconds", 0)
    return timings


def progress_of(platforms: Platforms) -> Document | None:
    """Return the progress of the platform that has progressed least, of those that are being built."""
    known: list[Document] = [entry["progress"] for entry in platforms if "progress" in entry]
    return min(known, key=lambda progress: progress["step"] / max(progress["steps"], 1), default=None)


def source_of(platforms: Platforms) -> Document | None:
    """Return the source, as reported by the first platform that has one."""
    return next((dict(entry["source"]) for entry in platforms if "source" in entry), None)


def cache_of(platforms: Platforms) -> dict[str, int] | None:
    """Add up the cache hits and misses of the platforms."""
    read: list[Mapping[str, int]] = [entry["cache"] for entry in platforms if "cache" in entry]
    names = dict.fromkeys(name for cache in read for name in cache)
    return {name: sum(cache.get(name, 0) for cache in read) for name in names} or None


def warnings_of(platforms: Platforms) -> list[str]:
    """Collect the warnings of the platforms, without duplicates."""
    return list(dict.fromkeys(text for entry in platforms for text in entry.get("warnings", ())))


def revisions(platforms: Platforms) -> list[str]:
    """Return the different commits that the platforms were built from."""
    found = (entry.get("source", {}).get("revision") for entry in platforms)
    return list(dict.fromkeys(revision for revision in found if revision))
