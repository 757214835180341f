"""What the watcher of a namespace's TrackedImages costs, and how soon it sees a commit.

Needs git and nothing else:

    .venv/bin/python bench/watching.py [--quick]

One watcher looks every 10 seconds at the Git repositories of 50 and of 250 TrackedImages, which is all that one watcher
has; three and a third share a repository. Git's own HTTP backend serves them on loopback. Its CPU time for one look is
compared with that of `git ls-remote`, which a CronJob would run for each.
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from measure.report import Report, options  # noqa: E402
from parts.functional import Process  # noqa: E402
from support.git_server import git, make_repository, serve_git  # noqa: E402

SIZES, QUICK = (50, 250), (50,)
INTERVAL = 10
ROUNDS = 4
COMMITS = 20
ALONE = "git ls-remote"
LINE = re.compile(r'"name": "web-(\d+)", "commit": "([0-9a-f]{40})"')


class Asked:
    """How often the server was asked; twice for a look: what it can do, and what branches it has."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: str) -> bool:
        """Take note of a request."""
        self.count += 1
        return True


@contextmanager
def watching(url: str, objects: int, repositories: int, folder: Path) -> Iterator[Process]:
    """A watcher as the operator starts it; its log is `folder/log`."""
    items = [{"name": f"web-{number}", "sourceSeconds": INTERVAL} for number in range(objects)]
    environment = {**os.environ, "WATCH": json.dumps(items)}
    for number in range(objects):
        environment[f"W{number}_SOURCE_GET_URL"] = f"git+{url}/{number % repositories}.git#main"
    command: list[str | Path] = [ROOT / ".venv" / "bin" / "python", "-m", "kaniko_shim", "watch"]
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            yield Process(started.pid)
        finally:
            started.terminate()
            started.wait()


def seen(folder: Path) -> set[tuple[int, str]]:
    """The TrackedImages and commits that the log has."""
    return {(int(number), commit) for number, commit in LINE.findall((folder / "log").read_text())}


def measure(report: Report, objects: int, folder: Path) -> None:
    """One watcher."""
    repositories = max(1, objects * 3 // 10)
    for number in range(repositories):
        make_repository(folder / "git" / f"{number}.git", {"Dockerfile": b"FROM scratch\n"})
    asked = Asked()
    with serve_git(folder / "git", asked) as url, watching(url, objects, repositories, folder) as watcher:
        while len(seen(folder)) < objects:
            time.sleep(0.1)
        looks, used = asked.count, watcher.cpu()
        time.sleep(ROUNDS * INTERVAL)
        cpu = (watcher.cpu() - used) / ((asked.count - looks) / 2)
        delays = [delay(folder, number % repositories) for number in range(COMMITS)]
        report.add("memory", {"watcher": [watcher.memory()]}, "MiB", objects)
        report.add("commit to its line in the log", {"watcher": delays}, "s", objects)
        report.add("CPU time for a look", {"watcher": [cpu], ALONE: [alone(url) for _ in range(10)]}, "s", objects)


def delay(folder: Path, number: int) -> float:
    """Seconds until a commit is seen."""
    repository = folder / "git" / f"{number}.git"
    git(repository, "commit", "--quiet", "--allow-empty", "--message=next")
    commit, begin = git(repository, "rev-parse", "HEAD"), time.monotonic()
    while (number, commit) not in seen(folder):
        time.sleep(0.05)
    return time.monotonic() - begin


def alone(url: str) -> float:
    """CPU time of the program that a CronJob would run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["git", "ls-remote", f"{url}/0.git", "main"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    context = {"interval": f"{INTERVAL} s", "repositories": "3 for 10 TrackedImages"}
    report = Report("watching", "bench/watching.py", {"CPU time for a look": ALONE}, context=context)
    for objects in QUICK if told.quick else SIZES:
        with tempfile.TemporaryDirectory() as folder:
            measure(report, objects, Path(folder))
    report.finish(told)


if __name__ == "__main__":
    main()
