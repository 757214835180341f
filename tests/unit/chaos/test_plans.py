"""Plans of the search follow from their seed and a recorded run, and are made as small as they can be."""

import pytest
from chaos.search.kinds import KINDS
from chaos.search.plans import LIMIT, Perturbation, Plan, Point, make_plans, minimise

POINTS = [
    *(Point("write", name, nth) for name in KINDS for nth in range(1, 7)),
    *(Point(resource, name, nth) for resource in ("pods", "imagebuilds") for name in KINDS for nth in range(1, 5)),
    *(Point("list", resource, nth) for resource in ("pods", "imagebuilds") for nth in range(2, 5)),
]


def test_a_seed_gives_the_same_plans_and_another_seed_others():
    plans = make_plans("7", 100, POINTS)
    assert plans == make_plans("7", 100, reversed(POINTS))
    assert plans[:10] == make_plans("7", 10, POINTS)
    assert plans != make_plans("8", 100, POINTS)


def test_a_plan_does_something_to_its_own_builds_only():
    for plan in make_plans("7", 200, POINTS):
        assert 1 <= len(plan.perturbations) <= 4
        assert {each.at.build for each in plan.perturbations} <= {*plan.builds, "pods", "imagebuilds"}
        assert plan.limit in {0, LIMIT}


def test_groups_are_complete_and_stale_lists_come_after_a_crash():
    for plan in make_plans("7", 200, POINTS):
        for group in {KINDS[name].group for name in plan.builds} - {""}:
            assert {name for name, kind in KINDS.items() if kind.group == group} <= set(plan.builds)
        kinds = [each.kind for each in plan.perturbations]
        assert "stale" not in kinds or any(kind.startswith("crash") for kind in kinds)


def test_a_plan_survives_being_printed():
    for plan in make_plans("7", 20, POINTS):
        assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("needed", [0, 1, 2])
def test_what_a_plan_does_not_need_is_left_out(needed: int):
    perturbations = tuple(Perturbation(Point("write", "well", nth), "lost") for nth in (1, 2, 3))
    plan = Plan("7", ("well", "again", "broken"), 0, perturbations)
    least = minimise(plan, lambda less: perturbations[needed] in less.perturbations)
    assert least == Plan("7", ("well",), 0, (perturbations[needed],))
