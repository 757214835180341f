"""A Git repository to fetch, and what came of it."""

from pathlib import Path

from kaniko_shim.sources.workspace import Workspace
from support.git_server import git


def make_repository(path: Path) -> Path:
    """Three commits, a tag and two branches."""
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch=main")
    (path / "Dockerfile").write_text("FROM scratch\n")
    (path / "run.sh").write_text("#!/bin/sh\n")
    (path / "run.sh").chmod(0o755)
    (path / "sub").mkdir()
    (path / "sub" / "deep.txt").write_text("deep\n")
    (path / "link").symlink_to("sub/deep.txt")
    git(path, "add", ".")
    git(path, "commit", "--quiet", "-m", "first")
    git(path, "tag", "-a", "v1", "-m", "one")
    (path / "second.txt").write_text("2\n")
    git(path, "add", ".")
    git(path, "commit", "--quiet", "-m", "second")
    git(path, "checkout", "--quiet", "-b", "feature/x")
    (path / "third.txt").write_text("3\n")
    git(path, "add", ".")
    git(path, "commit", "--quiet", "-m", "third")
    git(path, "checkout", "--quiet", "main")
    return path


def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "scratch").mkdir(exist_ok=True)
    return Workspace(tmp_path / "context", tmp_path / "scratch", {}, lambda _: None)


def names(tmp_path: Path) -> list[str]:
    return sorted(path.relative_to(tmp_path / "context").as_posix() for path in (tmp_path / "context").rglob("*"))
