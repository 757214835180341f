"""Reads lines of the executor's log as its follower does."""

from kaniko_shim.engines.kaniko.executor.progress import Progress
from kaniko_shim.engines.kaniko.executor.record import parts_of


def read(progress: Progress, *lines: str) -> list[str]:
    """What is shown of the lines."""
    parts = [part for line in lines for part in parts_of(line)]
    for part in parts:
        progress.read(part)
    return [part.shown for part in parts]
