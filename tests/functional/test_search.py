"""A sample of the search for perturbations that break an invariant, and what the search has found.

`make chaos-search` runs hundreds of plans; docs/reliability.md says what they are.
"""

from pathlib import Path

import pytest
from chaos.search.lab import run_plan
from chaos.search.plans import Perturbation, Plan, Point, make_plans
from chaos.search.run import recorded, search

#: Changes nothing about the plans of another number: these are the first ones of the seed, which has each kind often.
SEED, PLANS, AT_ONCE = "13", 24, 2
#: Plans of the search that have broken an invariant, as small as they could be made.
FOUND = [
    # The deletion of a pod fell into the gap of a watch that had expired: noticed with the next resync only.
    *(
        Plan(seed, ("again", "endless"), 0, (Perturbation(Point("pods", "again", 5), "missed", 0.1),))
        for seed in ("x3", "x4")
    ),
    # A pod was created by an operator that died, and is in no list yet: the build was cancelled as one without a pod.
    Plan(
        "2/137",
        ("broken", "endless"),
        0,
        (
            Perturbation(Point("list", "imagebuilds", 3), "stale"),
            Perturbation(Point("list", "pods", 3), "stale"),
            Perturbation(Point("write", "broken", 1), "crash-after"),
        ),
    ),
]


@pytest.mark.shows("F31")
@pytest.mark.parametrize("plan", FOUND, ids=str)
def test_what_the_search_has_found_stays_cured(kubeconfig: Path, crd: Path, plan: Plan):
    assert crd.exists()
    outcome = run_plan(plan, kubeconfig)
    assert not outcome.violations, outcome.log


def test_no_plan_of_the_sample_breaks_an_invariant(kubeconfig: Path, crd: Path):
    assert crd.exists()
    plans = make_plans(SEED, PLANS, recorded(kubeconfig))
    outcomes = list(search(plans, kubeconfig, AT_ONCE))
    broken = [
        f"{plan.to_json()}: {outcome.violations}\n{outcome.log}" for plan, outcome in outcomes if outcome.violations
    ]
    assert not broken, "\n".join(broken)
    done = {each.kind for _, outcome in outcomes for each in outcome.done}
    assert {"crash-after", "crash-before", "late", "missed", "stale", "lost"} <= done
