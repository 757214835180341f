"""Work is counted here, not timed."""

from collections.abc import Iterator

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import Stage, Stages, split_stages


class Counting(Stages):
    """Counts how often a stage's origins are looked up."""

    looked_up = 0

    def origins(self, stage: Stage) -> Iterator[Stage]:
        type(self).looked_up += 1
        return super().origins(stage)


def counting(text: str) -> Stages:
    Counting.looked_up = 0
    stages = split_stages(parse_dockerfile(text.encode()))
    return Counting(stages.arguments, stages.stages)


def diamonds(count: int) -> str:
    """Each stage is built on the one before and copies from it: two ways to every stage."""
    stages = "".join(f"FROM s{n - 1} AS s{n}\nCOPY --from=s{n - 1} /a /b\n" for n in range(1, count))
    return f"FROM x AS s0\n{stages}"


@pytest.mark.parametrize("count", [2, 40, 3000])
def test_each_stage_that_is_needed_is_looked_at_once(count: int):
    stages = counting(diamonds(count))
    assert len(stages.built("")) == count
    assert Counting.looked_up == count


@pytest.mark.parametrize(
    ("name", "before", "index"),
    [("a", 3, 1), ("A", 1, 0), ('"a"', 3, 1), ("0", 2, 0), ("2", 2, None), ("b", 3, None), ("9" * 5000, 3, None)],
)
def test_a_stage_is_found_by_its_last_name_or_its_number(name: str, before: int, index: int | None):
    stages = split_stages(parse_dockerfile(b"FROM x AS a\nFROM y AS A\nFROM z\n"))
    found = stages.find(name, before)
    assert (found.index if found else None) == index
