"""Docker's image, or a word about it: every Dockerfile of tests/cases and of tests/truth/shapes."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from standalone import cases
from truth.judge import Judge
from truth.known import known, problem
from truth.verdict import Verdict

AT_ONCE = 2
"""Dockerfiles that are built at the same time."""

BEYOND_DOCKER = {
    "extra-args": "Docker has no EXTRA_ARGS",
    "extra-args-refused": "Docker has no EXTRA_ARGS",
    "extra-args-unknown-to-the-executor": "Docker has no EXTRA_ARGS",
}
"""Cases that Docker cannot be asked about."""

SETS = {"cases": cases.DIRECTORY, "shapes": Path(__file__).with_name("shapes")}
NAMES = [
    f"{group}/{path.parent.name}"
    for group, directory in SETS.items()
    for path in sorted(directory.glob("*/Dockerfile"))
    if path.parent.name not in BEYOND_DOCKER
]
KNOWN = known()


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, judge: Judge) -> Iterator[dict[str, Future[Verdict]]]:
    """Every selected Dockerfile's verdict; all are begun at once, so that they need not wait for one another."""
    chosen = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test_dockerfile
    ]
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        yield {name: pool.submit(judge.case, _directory(name)) for name in chosen}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", NAMES)
def test_dockerfile(name: str, verdicts: dict[str, Future[Verdict]], judge: Judge) -> None:
    verdict = verdicts[name].result()
    entries = [entry for entry in KNOWN.get(name, ()) if judge.executor in entry.executors]
    trouble = problem(verdict, entries[0] if entries else None)
    assert not trouble, trouble
    if entries:
        pytest.xfail(entries[0].reason)


def test_the_list_of_what_is_known_names_what_is_there() -> None:
    assert set(KNOWN) <= set(NAMES)


def _directory(name: str) -> Path:
    group, _, directory = name.partition("/")
    return SETS[group] / directory
