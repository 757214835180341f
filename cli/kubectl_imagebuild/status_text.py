"""One build as text for people: how it stands, what it spent its time on, and why it failed. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from imagebuild import Build

from kubectl_imagebuild.bars import bars
from kubectl_imagebuild.text import failure_lines, short
from kubectl_imagebuild.waterfall import lanes

_NAMES: Final = {"hits": "found", "misses": "not found"}


def status(build: Build, now: datetime, width: int) -> str:
    """Everything that a person needs to know of one build.

    Args:
        build: The build.
        now: The current time.
        width: Columns of the terminal.
    """
    lines = [f"{name + ':':<11} {' '.join(value.split())}" for name, value in _rows(build, now) if value]
    if phases := bars(lanes(build), now, width):
        lines += ["", "Phases:", *phases]
    if failure := failure_lines(build, with_log=True, dockerfile=""):
        lines += ["", *failure]
    return "\n".join(lines) + "\n"


def _rows(build: Build, now: datetime) -> Iterator[tuple[str, str]]:
    yield "Name", build.name
    yield "Namespace", build.namespace
    yield "Phase", f"{build.phase or 'not seen by an operator yet'}" + (f" ({build.reason})" if build.reason else "")
    yield "Message", build.message
    yield "Age", short(now, build.created)
    yield "Duration", build.duration
    yield "Engine", build.engine
    for image in build.outputs:
        yield "Image", image
    yield "Digest", build.digest
    if progress := build.progress:
        yield "Step", f"{progress.step}/{progress.steps} {progress.instruction}".rstrip()
    yield from _attempts("", build.status)
    for entry in build.status.get("platforms") or ():
        yield "Platform", f"{entry['platform']}: {entry['phase']} {entry.get('reason') or ''}".rstrip()
        yield from _attempts(f"{entry['platform']} ", entry)
    if cache := build.status.get("cache"):
        yield "Cache", ", ".join(f"{value} {_NAMES.get(name, name)}" for name, value in cache.items())
    for warning in build.warnings:
        yield "Warning", warning


def _attempts(label: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, entry in enumerate(fields.get("attempts") or (), 1):
        text = f"{entry.get('reason') or ''} {entry.get('message') or ''}".strip()
        if text:
            yield "Attempt", f"{label}{number}: {text}"
