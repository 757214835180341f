"""The search: a recorded run, plans made from it, runs of them, and the least plan that breaks what one has broken."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from chaos.search.kinds import KINDS
from chaos.search.lab import Outcome, run_plan
from chaos.search.plans import Plan, Point, minimise

#: Lists that an operator makes after a restart come in no recorded run.
LISTS: Final = [Point("list", resource, nth) for resource in ("imagebuilds", "pods") for nth in range(2, 6)]
#: How often a smaller plan is run, before it is believed that it breaks nothing.
TRIES: Final = 2


@dataclass(frozen=True)
class Breach:
    """A plan that breaks an invariant, as small as it could be made, and what came of it."""

    plan: Plan
    outcome: Outcome


def recorded(kubeconfig: Path) -> list[Point]:
    """What happens in a run without perturbations.

    Raises:
        RuntimeError: that run breaks an invariant already.
    """
    outcome = run_plan(Plan("recorded", tuple(KINDS), 0, ()), kubeconfig)
    if outcome.violations:
        raise RuntimeError("\n".join(["A run without perturbations:", *map(str, outcome.violations), outcome.log]))
    return [*(point for point in outcome.points if point.what != "list"), *LISTS]


def search(plans: Sequence[Plan], kubeconfig: Path, at_once: int) -> Iterator[tuple[Plan, Outcome]]:
    """Run plans, several at the same time; each as it ends."""
    # Processes of their own: each has a server that forks operators.
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(run_plan, plan, kubeconfig): plan for plan in plans}
        for future in as_completed(futures):
            yield futures[future], future.result()


def breaks(plan: Plan, *, invariants: set[str], kubeconfig: Path) -> bool:
    """Whether a plan breaks one of these invariants."""
    runs = (run_plan(plan, kubeconfig) for _ in range(TRIES))
    return any({each.invariant for each in run.violations} & invariants for run in runs)


def small(plan: Plan, outcome: Outcome, kubeconfig: Path) -> Breach:
    """A breach, minimised."""
    invariants = {each.invariant for each in outcome.violations}
    test: Callable[[Plan], bool] = partial(breaks, invariants=invariants, kubeconfig=kubeconfig)
    least = minimise(plan, test)
    return Breach(least, run_plan(least, kubeconfig) if least != plan else outcome)
