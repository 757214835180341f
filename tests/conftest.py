"""Notes which claims of docs/proofs each run has shown: `tools/proofs.py` compares them with the pages."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from support.executor import tested
from support.starting import start_programs_again

start_programs_again()
# It asserts for tests of truth.
pytest.register_assert_rewrite("truth.cases")

#: Claims by their ids, with the outcomes of the tests that carry `@pytest.mark.shows(id, …)`.
_outcomes: dict[str, set[str]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" or report.outcome != "passed":
        for mark in item.iter_markers("shows"):
            for claim in mark.args:
                _outcomes.setdefault(claim, set()).add(report.outcome)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write them next to the suite's summary, where a suite is run as a whole."""
    target = session.config.getoption("--shown")
    if target:
        shown = {claim: sorted(outcomes) for claim, outcomes in sorted(_outcomes.items())}
        Path(target).write_text(json.dumps(shown, indent=1) + "\n", encoding="utf-8")
        if executor := session.config.stash.get(tested, ""):
            Path(target).with_suffix(".executor").write_text(executor, encoding="utf-8")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which executor the builds ran with."""
    if executor := config.stash.get(tested, ""):
        terminalreporter.write_line(executor)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shown", metavar="FILE", help="write which claims of docs/proofs the tests have shown to FILE")
