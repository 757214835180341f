"""The entries of `status.platforms`, and what of the whole build's status is read from them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from imagebuild_operator.api.build import Phase

Json = dict[str, Any]
Platforms = Sequence[Mapping[str, Any]]

#: What of a build's status each platform has for itself.
FIELDS: Final = (
    "phase",
    "reason",
    "message",
    "podName",
    "node",
    "digest",
    "layerBytes",
    "source",
    "attempts",
    "startTime",
    "completionTime",
    "timings",
    "cache",
    "progress",
    "warnings",
    "failure",
)
#: What the platforms do at the same time: the slowest of them is what the build waits for.
AT_ONCE: Final = ("scheduledMs", "pulledMs", "fetchMs", "buildMs")


def platform_entry(platform: str, recorded: Mapping[str, Any], changes: Mapping[str, Any]) -> Json:
    """The entry of a platform with changes to its status; None stands for a field that is not there."""
    merged = {**recorded, **changes}
    fields = {name: merged[name] for name in FIELDS if merged.get(name) is not None}
    return {"platform": platform, "phase": str(Phase.PENDING), **fields}


def failed_platform(platforms: Platforms) -> Mapping[str, Any] | None:
    """The first of the platforms that have failed."""
    return next((entry for entry in platforms if entry["phase"] == Phase.FAILED), None)


def start_of(platforms: Platforms) -> str | None:
    """When the first of them began."""
    return min((entry["startTime"] for entry in platforms if "startTime" in entry), default=None)


def timings_of(platforms: Platforms, own: Mapping[str, int]) -> dict[str, int]:
    """The timings of the whole build: the longest of the platforms, and the index after the longest push."""
    read: list[Mapping[str, int]] = [entry.get("timings") or {} for entry in platforms]
    timings = {name: ms for name, ms in own.items() if name in {"queuedMs", "totalMs"}}
    for name in AT_ONCE:
        if known := [timing[name] for timing in read if name in timing]:
            timings[name] = max(known)
    if pushes := [timing["pushMs"] for timing in read if "pushMs" in timing]:
        timings["pushMs"] = max(pushes) + own.get("pushMs", 0)
    return timings


def source_of(platforms: Platforms) -> Json | None:
    """The source, as the first platform that has read it reports it."""
    return next((dict(entry["source"]) for entry in platforms if "source" in entry), None)


def cache_of(platforms: Platforms) -> dict[str, int] | None:
    """How the layer cache served all of them together."""
    read: list[Mapping[str, int]] = [entry["cache"] for entry in platforms if "cache" in entry]
    names = dict.fromkeys(name for cache in read for name in cache)
    return {name: sum(cache.get(name, 0) for cache in read) for name in names} or None


def warnings_of(platforms: Platforms) -> list[str]:
    """What went wrong without failing any of them, each thing once."""
    return list(dict.fromkeys(text for entry in platforms for text in entry.get("warnings", ())))


def revisions(platforms: Platforms) -> list[str]:
    """The different commits that they were built from."""
    found = (entry.get("source", {}).get("revision") for entry in platforms)
    return list(dict.fromkeys(revision for revision in found if revision))
