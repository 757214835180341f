"""Compares our images with BuildKit's, from the directory tests: ../.venv/bin/python -m truth DIR...

Each DIR has a Dockerfile and is its context, or is a case as of tests/cases. A DOCKERFILE lies in the context that
--context names. Which executor is in the builder image is decided by EXECUTOR_IMAGE and IMAGE_PARTS.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cluster.settings import SYSTEM_PATH
from support.starting import start_programs_again
from truth.judge import Judge, judging
from truth.subject import of_dockerfile
from truth.verdict import Outcome, Verdict


def main() -> int:
    """Do what the command line says; 1 if an image differs and nothing was said about it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="DIR|DOCKERFILE", help="what to build")
    parser.add_argument("--list", type=Path, help="a file with more paths, one a line")
    parser.add_argument("--context", type=Path, help="the context of DOCKERFILE arguments (default: their directory)")
    parser.add_argument("--quiet", action="store_true", help="print only what is not the same")
    parser.add_argument("--jobs", type=int, default=2, help="builds at the same time (default: %(default)s)")
    parser.add_argument("--remember", type=Path, metavar="FOLDER", help="ask BuildKit once only about each Dockerfile")
    parser.add_argument("--twice", action="store_true", help="compare two of our own images, with a fixed time")
    options = parser.parse_args()
    start_programs_again()
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    # Ends the daemons too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    paths = [*options.paths, *(_listed(options.list) if options.list else ())]
    counts = Counter[Outcome]()
    look = Judge.twice if options.twice else partial(_judge, context=options.context)
    for verdict in _verdicts([path.resolve() for path in paths], look, options.jobs, options.remember):
        counts[verdict.outcome] += 1
        if not (options.quiet and verdict.outcome is Outcome.SAME):
            print("\n".join(verdict.lines()), flush=True)
    print(" / ".join(f"{outcome} {counts[outcome]}" for outcome in Outcome))
    return 0 if all(outcome.good for outcome in counts) else 1


def _listed(path: Path) -> Iterator[Path]:
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield path.parent / line.strip()


def _verdicts(
    paths: Sequence[Path], look: Callable[[Judge, Path], Verdict], jobs: int, remembered: Path | None
) -> Iterator[Verdict]:
    with tempfile.TemporaryDirectory(prefix="truth-") as folder, judging(Path(folder), remembered) as judge:
        pool = ThreadPoolExecutor(jobs)
        try:
            yield from pool.map(partial(look, judge), paths)
        finally:
            pool.shutdown(cancel_futures=True)


def _judge(judge: Judge, path: Path, context: Path | None) -> Verdict:
    if path.is_dir():
        return judge.case(path)
    return judge.subject(of_dockerfile(path, context or path.parent))


if __name__ == "__main__":
    sys.exit(main())
