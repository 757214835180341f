"""The builder's places, in a test's directory."""

from pathlib import Path

from kaniko_shim.system.paths import Paths


def paths_below(directory: Path) -> Paths:
    """Paths none of which leads out of a directory."""
    return Paths(
        context=directory / "context",
        heredocs=directory / "heredocs",
        context_aliases=directory / "aliases",
        prepared=directory / "prepared",
        scratch=directory,
    )
