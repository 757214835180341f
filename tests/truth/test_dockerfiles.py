"""Docker's image, or a word about it: every Dockerfile of tests/cases and of tests/truth/shapes.

What tests/cases expect besides is compared with the same images.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from truth import cases
from truth.judge import Judge, Looked
from truth.known import known, problem

AT_ONCE = 2
"""Dockerfiles that are built at the same time."""

BEYOND_DOCKER = {
    "cases/extra-args": "Docker has no EXTRA_ARGS",
    "cases/extra-args-refused": "Docker has no EXTRA_ARGS",
    "cases/extra-args-unknown-to-the-executor": "Docker has no EXTRA_ARGS",
}
"""Cases that Docker cannot be asked about."""

SETS = {"cases": cases.DIRECTORY, "shapes": Path(__file__).with_name("shapes")}
NAMES = [
    f"{group}/{path.parent.name}"
    for group, directory in SETS.items()
    for path in sorted(directory.glob("*/Dockerfile"))
]
KNOWN = known()


@pytest.fixture(scope="module")
def built(request: pytest.FixtureRequest, judge: Judge) -> Iterator[dict[str, Future[Looked]]]:
    """What came of every selected Dockerfile; all are begun at once, so that they need not wait for one another."""
    names = dict.fromkeys(
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function in (test_dockerfile, test_case)
    )
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        yield {name: pool.submit(judge.look, _directory(name)) for name in names}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BEYOND_DOCKER])
def test_dockerfile(name: str, built: dict[str, Future[Looked]], judge: Judge) -> None:
    verdict = built[name].result().verdict
    entries = [entry for entry in KNOWN.get(name, ()) if judge.executor in entry.executors]
    trouble = problem(verdict, entries[0] if entries else None)
    assert not trouble, trouble
    if entries:
        pytest.xfail(entries[0].reason)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("cases/")])
def test_case(name: str, built: dict[str, Future[Looked]], judge: Judge, tmp_path: Path) -> None:
    """With kaniko; expected.yaml knows no other engine."""
    looked = built[name].result()
    cases.check(name.removeprefix("cases/"), looked.done, looked.image, judge.registry, judge.executor, tmp_path)


def test_the_list_of_what_is_known_names_what_is_there() -> None:
    assert set(KNOWN) <= set(NAMES)


def _directory(name: str) -> Path:
    group, _, directory = name.partition("/")
    return SETS[group] / directory
