"""Plans of perturbations, made from what a run without any has shown. Pure: chance comes from a seed.

They are the perturbations of Sieve (https://www.usenix.org/conference/osdi22/presentation/sun): a stale view, a missed
event, a crash between two steps; and what a network and an API server do to single calls and watches.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

from chaos.search.kinds import KINDS

#: What is done at a write, and at an event.
AT_WRITES: Final = (
    *("crash-before", "crash-after", "crash-before", "crash-after", "lost", "lost"),
    *("conflict", "throttled", "failed", "taken-and-failed", "slow", "pause"),
)
AT_EVENTS: Final = ("late", "late", "missed", "missed", "missed", "cut", "twice")
#: At a list, which is one of the operator's own: after a crash, or after a watch that has expired.
AT_LISTS: Final = ("stale",)
SECONDS: Final = (0.1, 0.3, 0.8, 1.5)
#: Builds and perturbations of one plan.
BUILDS: Final = 4
MOST: Final = 3
#: How many builds may run at once, in half of the plans.
LIMIT: Final = 2


@dataclass(frozen=True, order=True)
class Point:
    """Something that happens in every run: the how-many-th write about a build, or event about it or its pods.

    Attributes:
        what: `write`, `list`, or the resource whose watch shows the event.
        build: The build; of a list, the resource.
        nth: From 1.
    """

    what: str
    build: str
    nth: int


@dataclass(frozen=True, order=True)
class Perturbation:
    """What is done at a point.

    Attributes:
        at: The point.
        kind: One of those above.
        seconds: For how long, where it lasts.
    """

    at: Point
    kind: str
    seconds: float = 0.0

    def __str__(self) -> str:
        duration = f" for {self.seconds} s" if self.seconds else ""
        return f"{self.kind}{duration} at {self.at.what} {self.at.nth} of {self.at.build}"


@dataclass(frozen=True)
class Plan:
    """One run.

    Attributes:
        seed: Of what the run itself leaves to chance: how long a pod takes for a step.
        builds: The names of its builds, which say what they are.
        limit: How many of them may run at once; 0 for no limit.
        perturbations: What is done to it.
    """

    seed: str
    builds: tuple[str, ...]
    limit: int
    perturbations: tuple[Perturbation, ...]

    def __str__(self) -> str:
        done = "; ".join(map(str, self.perturbations)) or "nothing"
        limit = f", at most {self.limit} at once" if self.limit else ""
        return f"{' '.join(self.builds)}{limit}: {done}"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        body: dict[str, Any] = json.loads(text)
        made = (Perturbation(Point(**each.pop("at")), **each) for each in body.pop("perturbations"))
        return cls(builds=tuple(body.pop("builds")), perturbations=tuple(made), **body)


def make_plans(seed: str, count: int, recorded: Iterable[Point]) -> list[Plan]:
    """So many plans, always the same ones for a seed and a recorded run."""
    points = sorted(set(recorded))
    return [_plan(f"{seed}/{number}", points) for number in range(count)]


def _plan(seed: str, points: Sequence[Point]) -> Plan:
    random = Random(seed)
    builds = _with_partners(random.sample(sorted(KINDS), BUILDS))
    near = [point for point in points if point.what == "list" or point.build in builds]
    chosen = sorted({_perturbation(random, near) for _ in range(random.randint(1, MOST))})
    if any(each.kind == "stale" for each in chosen) and not any(each.kind.startswith("crash") for each in chosen):
        # Without a restart there is no second list.
        writes = [point for point in near if point.what == "write"]
        chosen.append(Perturbation(_pick(random, writes), "crash-after"))
    return Plan(seed, builds, random.choice((0, LIMIT)), tuple(sorted(chosen)))


def _pick(random: Random, points: Sequence[Point]) -> Point:
    """One of the points. What is chosen after it does not depend on how many there are: each recorded run differs."""
    return points[int(random.random() * len(points))]


def _with_partners(names: Sequence[str]) -> tuple[str, ...]:
    """Names of builds, in the order of their creation, with the other members of their groups."""
    groups = {KINDS[name].group for name in names} - {""}
    return tuple(name for name, kind in KINDS.items() if name in names or kind.group in groups)


def _perturbation(random: Random, points: Sequence[Point]) -> Perturbation:
    # As many of each sort: there are few lists.
    what = random.choice(("write", "write", "imagebuilds", "pods", "list"))
    at = _pick(random, [point for point in points if point.what == what])
    kinds = {"write": AT_WRITES, "list": AT_LISTS}.get(what, AT_EVENTS)
    kind = random.choice(kinds)
    return Perturbation(at, kind, random.choice(SECONDS) if kind in {"late", "missed", "slow", "pause"} else 0.0)


def minimise(plan: Plan, breaks: Callable[[Plan], bool]) -> Plan:
    """The plan without what it does not need in order to break an invariant."""
    for each in plan.perturbations:
        less = _without(plan, each)
        if breaks(less):
            plan = less
    for name in plan.builds:
        left = tuple(other for other in plan.builds if other != name)
        if left and not any(each.at.build == name for each in plan.perturbations):
            fewer = Plan(plan.seed, left, plan.limit, plan.perturbations)
            plan = fewer if breaks(fewer) else plan
    return plan


def _without(plan: Plan, perturbation: Perturbation) -> Plan:
    left = tuple(each for each in plan.perturbations if each != perturbation)
    return Plan(plan.seed, plan.builds, plan.limit, left)
