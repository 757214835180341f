"""Searches for plans of perturbations that break an invariant: make chaos-search PLANS=250 SEED=1."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chaos.search.lab import Outcome, run_plan
from chaos.search.plans import Plan, make_plans
from chaos.search.run import Breach, recorded, search, small
from environment import ROOT, cluster_variables
from kubernetes import config
from support.watching import wait_for_definitions

#: Plans between two lines that say how far the search is.
PROGRESS: Final = 25


def main() -> int:
    """Do what the command line says; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=250)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--at-once", type=int, default=max(2, (os.cpu_count() or 2)))
    parser.add_argument("--plan", type=Plan.from_json, help="run this plan alone, as the search has printed it")
    told = parser.parse_args()
    kubeconfig = _prepared()
    if told.plan:
        return _report([(told.plan, run_plan(told.plan, kubeconfig))], kubeconfig=None)
    start = time.monotonic()
    plans = make_plans(told.seed, told.plans, recorded(kubeconfig))
    print(f"seed {told.seed}: {len(plans)} plans, {told.at_once} at once", flush=True)
    done: Counter[str] = Counter()
    broken: list[tuple[Plan, Outcome]] = []
    for number, (plan, outcome) in enumerate(search(plans, kubeconfig, told.at_once), 1):
        done.update(each.kind for each in outcome.done)
        if number % PROGRESS == 0:
            print(f"{number} plans, {len(broken)} broke an invariant", flush=True)
        if outcome.violations:
            broken.append((plan, outcome))
            print(f"{number}. {plan}\n  " + "\n  ".join(map(str, outcome.violations)), flush=True)
    code = _report(broken, kubeconfig)
    print(f"{len(plans)} plans in {time.monotonic() - start:.0f} s; perturbations: {dict(sorted(done.items()))}")
    print(json.dumps({"seed": told.seed, "plans": len(plans), "broken": len(broken), "done": done}))
    return code


def _prepared() -> Path:
    """The functional cluster, with our definitions; its kubeconfig."""
    subprocess.run([sys.executable, "-m", "cluster", "up", "--functional"], cwd=ROOT / "tests", check=True)
    variables = cluster_variables("--functional")
    kubectl = [f"{variables['BIN']}/kubectl", f"--kubeconfig={variables['KUBECONFIG']}"]
    subprocess.run([*kubectl, "apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds")], check=True)
    with config.new_client_from_config(variables["KUBECONFIG"]) as api:
        wait_for_definitions(api)
    return Path(variables["KUBECONFIG"])


def _report(broken: Sequence[tuple[Plan, Outcome]], kubeconfig: Path | None) -> int:
    """Print each breach, minimised where a cluster is given; the exit code."""
    for plan, outcome in broken:
        breach = small(plan, outcome, kubeconfig) if kubeconfig else Breach(plan, outcome)
        print(f"\n{breach.plan}\n{breach.plan.to_json()}")
        for violation in breach.outcome.violations:
            print(f"  {violation}")
        print(breach.outcome.log)
    return int(any(outcome.violations for _, outcome in broken))


if __name__ == "__main__":
    sys.exit(main())
