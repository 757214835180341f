"""Builds while the parts of a cluster die: make chaos SEED=1 MINUTES=5.

It runs on a test cluster of its own (number 7), with an audit log, and as root.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from chaos.invariants import Violation
from chaos.run import Run, report, save
from chaos.timeline import timeline
from chaos.upgrade import checkout, older_ref
from cluster import packages
from cluster.settings import Cluster, cluster
from environment import ROOT

#: The number of the cluster, unless IMAGEBUILD_CLUSTER_NUMBER names another.
NUMBER: Final = "7"


def main() -> int:
    """Do what the command line says; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default=secrets.token_hex(4), help="of all that is left to chance")
    parser.add_argument("--minutes", type=float, default=5.0, help="for how long builds are created and faults happen")
    parser.add_argument("--only", default="", help="comma-separated kinds of faults, such as kill,stop")
    parser.add_argument("--upgrade", nargs="?", const="", help="begin with the release of this commit, or the last tag")
    parser.add_argument("--installed", action="store_true", help="use the release that an earlier run has installed")
    told = parser.parse_args()
    folder, made = prepared()
    seconds = told.minutes * 60
    faults = [fault for fault in timeline(told.seed, seconds) if not told.only or fault.kind in told.only.split(",")]
    older = None if told.upgrade is None else checkout(told.upgrade or older_ref(), folder)
    run = Run(made, told.seed, seconds, faults, folder, older=older, installs=not told.installed)
    print(f"SEED={told.seed} MINUTES={told.minutes:g}: {len(faults)} faults", flush=True)
    before = run.prepare()
    run.go()
    records, found = run.check(before)
    said = report(run, records, found)
    return summary(said, found, save(folder, f"{run.seed}.json", said))


def prepared() -> tuple[Path, Cluster]:
    """The folder for the files of runs, and the cluster of them."""
    os.environ.setdefault("IMAGEBUILD_CLUSTER_NUMBER", NUMBER)
    os.environ["IMAGEBUILD_CLUSTER_AUDIT"] = "1"
    os.environ.pop("KUBECONFIG", None)
    packages.ensure(["faketime"])
    folder = ROOT / "build" / "chaos"
    folder.mkdir(parents=True, exist_ok=True)
    return folder, cluster(functional=False)


def summary(said: Mapping[str, Any], found: Sequence[Violation], path: Path) -> int:
    """Print what came of a run; the exit code."""
    print(f"{said['builds']} builds: {said['ends']}; attempts that ended otherwise: {said['attempts']}")
    print(f"{len(said['faults'])} faults; {len(said['notDone'])} could not be done: {path.relative_to(ROOT)}")
    for violation in found:
        print(f"VIOLATION {violation}")
    print(f"seed {said['seed']}: {len(found)} violations")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
