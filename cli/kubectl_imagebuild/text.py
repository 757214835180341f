"""Builds as text for people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from imagebuild import Build, Phase

from kubectl_imagebuild.dockerfile import inline_dockerfile, lines_around

_COLUMNS: Final = ("NAME", "PHASE", "PROGRESS", "REASON", "IMAGE", "DURATION", "AGE")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
#: Lines of the end of a log in the status.
_TAIL: Final = 20
#: Lines of a Dockerfile before and after the instruction that failed.
_AROUND: Final = 2
_STEP: Final = 1000
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def size(number: float) -> str:
    """A size for people, such as 12.3 MB."""
    for unit in _UNITS:
        if number < _STEP or unit == _UNITS[-1]:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= _STEP
    raise AssertionError(number)


def part_of(done: int, whole: int, seconds: float) -> str:
    """How far a transfer is: 3.0 of 12.0 MB (25 %), 1.5 MB/s, 6 s left."""
    if done >= whole:
        return f"{size(whole)} in {seconds:.1f} s"
    rate = done / seconds
    left = f", {size(rate)}/s, {(whole - done) / rate:.0f} s left" if seconds > 1 and done else ""
    return f"{size(done)} of {size(whole)} ({100 * done // whole} %){left}"


def table(builds: Sequence[Build], now: datetime, *, all_namespaces: bool) -> str:
    """A table of builds, one per line.

    Args:
        builds: The builds.
        now: The current time.
        all_namespaces: Whether to show the namespace.
    """
    first = ("NAMESPACE",) if all_namespaces else ()
    rows = [(*first, *_COLUMNS)]
    for build in builds:
        progress = build.progress
        cells = (
            build.name,
            str(build.phase or ""),
            f"{progress.step}/{progress.steps}" if progress else "",
            build.reason,
            build.outputs[0] if build.outputs else "",
            build.duration,
            short(now, build.created),
        )
        rows.append(((build.namespace,) if all_namespaces else ()) + cells)
    return columns(rows)


def columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows of the same number of cells, one per line."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def short(now: datetime, since: datetime | None) -> str:
    """A time that has passed, such as 45s, 3m, 5h or 2d; empty if the start is not known."""
    if since is None:
        return ""
    seconds = max(int((now - since).total_seconds()), 0)
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if seconds >= 2 * unit or (seconds >= unit and unit != _MINUTE):
            return f"{seconds // unit}{name}"
    return f"{seconds}s"


def ending(build: Build, *, with_log: bool, dockerfile: str = "") -> str:
    """How a build has ended, and what to do next.

    Args:
        build: The build.
        with_log: Whether to add the end of the log of a failed build.
        dockerfile: Text of the Dockerfile, if it is known.
    """
    time = f" in {build.duration}" if build.duration else ""
    if build.phase is Phase.SUCCEEDED:
        pushed = [f"{image.reference}@{image.digest}" for image in build.images]
        nothing = " Nothing was built: the inputs are unchanged." if build.reason == "Unchanged" else ""
        return "\n".join([f"ImageBuild {build.name} succeeded{time}.{nothing}", *pushed]) + "\n"
    if build.phase is Phase.CANCELLED:
        return f"ImageBuild {build.name} was cancelled.\n"
    lines = [
        f"ImageBuild {build.name} failed{time} ({build.reason}).",
        *failure_lines(build, with_log=with_log, dockerfile=dockerfile),
    ]
    return "\n".join(lines) + "\n"


def state_line(build: Build) -> str:
    """The state of a build that has not ended, in one line."""
    if build.phase is None:
        return f"ImageBuild {build.name} waits for an operator."
    reason = f" ({build.reason})" if build.reason else ""
    return f"{build.phase}{reason}{': ' if build.message else ''}{' '.join(build.message.split())}"


def failure_lines(build: Build, *, with_log: bool, dockerfile: str) -> list[str]:
    """Why a build failed, and what to do; empty if it has not failed.

    Args:
        build: The build.
        with_log: Whether to add the end of the log.
        dockerfile: Text of the Dockerfile, if it is known.
    """
    failure = build.failure
    if failure is None:
        return []
    lines = [failure.message]
    if excerpt := dockerfile_lines(dockerfile or inline_dockerfile(build), failure.dockerfile_line):
        lines += excerpt
    elif failure.dockerfile_line:
        lines.append(f"Dockerfile:{failure.dockerfile_line}: {failure.instruction}".rstrip(": "))
    if failure.hint and failure.hint not in failure.message:
        lines.append(f"Hint: {failure.hint}")
    if with_log and failure.log_tail:
        lines += ["", "End of the log:", *failure.log_tail.splitlines()[-_TAIL:]]
    return lines


def dockerfile_lines(dockerfile: str, line: int | None) -> list[str]:
    """The lines around one of a Dockerfile, which >>> marks; empty if there is no such line."""
    found = lines_around(dockerfile, line, _AROUND)
    if not found:
        return []
    width = len(str(found[-1].number))
    shown = [f"  {each.number:>{width}} | {'>>>' if each.failed else '   '} {each.text}".rstrip() for each in found]
    return [f"Dockerfile:{line}", *shown]
