"""Many small builds in a row, and what the operator holds meanwhile: make soak BUILDS=2000.

It ends after an hour, however many it has built. build/chaos/soak.json and the plots beside it show it.
"""

import argparse
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chaos.__main__ import prepared, summary
from chaos.api import Api
from chaos.collect import operator_use
from chaos.run import Run, report, save
from chaos.workload import NAMESPACES, SMALL
from cluster.settings import Cluster
from environment import ROOT
from install import NAMESPACE
from measure.plot import Point, chart

#: Seconds between two samples, and for the whole.
INTERVAL: Final = 10.0
LIMIT: Final = 3600.0
#: What is measured, with its unit; and what of it is plotted.
UNITS: Final = {
    "memory": "MiB",
    "files": "open files and connections",
    "tasks": "keys in the work queue",
    "pods": "pods",
    "disk": "GiB",
}
QUEUE: Final = re.compile(r"^imagebuild_work_queue_depth(?:\{[^}]*\})? ([0-9.]+)$", re.MULTILINE)


@dataclass
class Sampler:
    """Takes a sample now and then."""

    cluster: Cluster
    api: Api
    rows: list[dict[str, float]] = field(default_factory=list)
    last: float = -INTERVAL

    def take(self, seconds: float, builds: int) -> None:
        """Take one, if the last is long enough ago."""
        if seconds - self.last < INTERVAL:
            return
        self.last, use = seconds, operator_use(self.cluster)
        try:
            pods = sum(len(self.api.pods(namespace)) for namespace in NAMESPACES)
            tasks = self._queued()
        except OSError:
            return  # The API server is away.
        disk = os.statvfs(self.cluster.state)
        used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        if use is not None:
            row = {"memory": use.memory / (1 << 20), "files": use.descriptors, "tasks": tasks, "pods": pods}
            self.rows.append({"builds": builds, "seconds": seconds, **row, "disk": used / (1 << 30)})

    def _queued(self) -> float:
        """The depth of the operators' work queues."""
        found = self.api.get(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app.kubernetes.io/component=operator")
        total = 0.0
        for pod in found["items"]:
            path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}:8081/proxy/metrics"
            total += sum(map(float, QUEUE.findall(self.api.text(path))))
        return total


def main() -> int:
    """Do what the command line says; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--builds", type=int, default=2000)
    parser.add_argument("--installed", action="store_true", help="use the release that an earlier run has installed")
    told = parser.parse_args()
    folder, made = prepared()
    run = Run(made, "soak", LIMIT, (), folder, most=told.builds, recipes={"small": SMALL}, installs=not told.installed)
    sampler = Sampler(run.cluster, run.api)
    run.observe = lambda seconds: sampler.take(seconds, len(run.builds))
    before = run.prepare()
    run.go()
    records, found = run.check(before)
    said = report(run, records, found) | {"samples": sampler.rows}
    save(folder, "soak.json", said)
    plot(sampler.rows, folder)
    return summary(said, found, folder / "soak.json")


def plot(rows: list[dict[str, float]], folder: Path) -> None:
    """Write a chart of each measure over the number of builds."""
    for name, unit in UNITS.items():
        points = [Point(row["builds"], row[name], row[name], row[name]) for row in rows]
        (folder / f"soak-{name}.svg").write_text(chart(f"Soak: {name}", "builds", unit, {name: points}))
    sys.stderr.write(f"plots: {folder.relative_to(ROOT)}/soak-*.svg\n")


if __name__ == "__main__":
    sys.exit(main())
