"""Builds every case of tests/cases in the builder image, two at a time, and looks into what came of it."""

import functools
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from standalone import cases
from standalone.container import Builder
from support.registry import Registry
from support.serving import Quiet, serving

AT_ONCE = 2
"""Cases that are built at the same time."""


class _Handler(Quiet, SimpleHTTPRequestHandler):
    """Serves a directory."""


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """Serves tests/cases; a case names its directory `served` in it."""
    with serving(functools.partial(_Handler, directory=str(cases.DIRECTORY))) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest,
    builder: Builder,
    registry: Registry,
    served: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Future[cases.Outcome]]]:
    """Every selected case's outcome; all are begun at once, so that they need not wait for one another."""
    chosen = [
        str(item.callspec.params["case"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test_case
    ]
    scratch = tmp_path_factory.mktemp("cases")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {case: pool.submit(cases.build, case, builder, registry, served, scratch) for case in chosen}


@pytest.mark.parametrize("case", cases.NAMES)
def test_case(case: str, builder: Builder, outcomes: dict[str, Future[cases.Outcome]], tmp_path: Path) -> None:
    cases.check(case, outcomes[case].result(), builder.executor, tmp_path)
