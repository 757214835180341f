"""The pages of docs/proofs name the tests that carry their claims, and no others.

That these tests have passed is checked at the end of `make test`.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
from proofs import PAGES, claims, problems

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([AF]\d+) \|.*$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def marked() -> dict[str, set[tuple[str, str]]]:
    """The tests that carry `@pytest.mark.shows`, by claim."""
    found = defaultdict[str, set[tuple[str, str]]](set)
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for mark in getattr(node, "decorator_list", ()):
                if ast.unparse(mark).startswith("pytest.mark.shows("):
                    assert isinstance(node, ast.FunctionDef)
                    for claim in mark.args:
                        found[ast.literal_eval(claim)].add((str(path.relative_to(ROOT)), node.name))
    return found


def test_each_claim_names_the_tests_that_carry_it():
    named = {
        row[1]: set(NAMED.findall(row[0])) for page in PAGES for row in ROW.finditer(page.read_text(encoding="utf-8"))
    }
    assert named == marked()
    assert all(named.values())


def test_claims_are_numbered_in_order():
    found = claims()
    attacks = [claim for claim in found if claim.startswith("A")]
    faults = [claim for claim in found if claim.startswith("F")]
    assert found == [
        *(f"A{number}" for number in range(1, len(attacks) + 1)),
        *(f"F{number}" for number in range(1, len(faults) + 1)),
    ]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ({"A1": {"passed"}}, []),
        ({"A1": {"passed", "skipped"}}, []),
        ({"A1": {"passed", "failed"}}, ["A1 is not shown: a test of it failed"]),
        ({"A1": {"skipped"}}, ["A1 is not shown: its tests were skipped"]),
        ({}, ["A1 is not shown: no test of it ran"]),
    ],
)
def test_a_claim_is_shown_by_tests_that_passed(outcomes: dict[str, set[str]], expected: list[str]):
    assert problems(["A1"], outcomes) == expected
