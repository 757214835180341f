"""Upgrades the chart and rolls it back while a chaos run lasts."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from environment import ROOT, cluster_variables, with_programs

#: The shares of a run after which the newer and the older release are installed.
NEWER, OLDER, NEWEST = 1 / 4, 1 / 2, 3 / 4


@dataclass(frozen=True)
class Release:
    """A release of the chart, with its images: that of a tree.

    Attributes:
        tree: The folder of its source.
        options: Options of Helm.
    """

    tree: Path
    options: Sequence[str]

    def install(self) -> str:
        """Install it, or upgrade or roll back to it; its tree.

        Raises:
            CalledProcessError: Helm has failed, as it does while the API server is away.
        """
        command = [str(self.tree / ".venv" / "bin" / "python"), str(self.tree / "tools" / "install.py"), *self.options]
        environment = with_programs(cluster_variables())
        subprocess.run(command, cwd=self.tree, env=environment, check=True, stdout=sys.stderr)
        return self.tree.name


def checkout(ref: str, folder: Path) -> Path:
    """The tree of another commit, such as the last tag, with its own packages; it stays for the next run."""
    commit = _git("rev-parse", "--verify", f"{ref}^{{commit}}")
    tree = folder / f"tree-{commit[:12]}"
    if not tree.exists():
        _git("worktree", "add", "--detach", str(tree), commit)
    subprocess.run([tree / "tools" / "bootstrap.sh"], check=True)
    return tree


def older_ref() -> str:
    """The last tag, or the commit before where there is none."""
    found = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "HEAD~1"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
