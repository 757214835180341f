"""docs/reference/variables.md says what the table says."""

import runpy
from pathlib import Path

from kaniko_shim.engines.kaniko.executor import feature_flags
from kaniko_shim.outcome.reasons import TABLE, Reason
from kaniko_shim.request.extra_args import ALLOWED

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date():
    render = runpy.run_path(str(ROOT / "tools/docs/variables.py"))["render"]
    assert (ROOT / "docs/reference/variables.md").read_text(encoding="utf-8") == render()


def test_the_exit_codes_are_those_of_the_table():
    page = (ROOT / "docs/reference/builder-image.md").read_text(encoding="utf-8")
    for reason, row in TABLE.items():
        if reason is not Reason.RUN_COMMAND_FAILED:
            assert f"| {row.exit_code} | {reason} | {row.cause} |\n" in page


def test_the_flags_are_those_of_the_table():
    page = (ROOT / "docs/reference/builder-image.md").read_text(encoding="utf-8")
    rows = [f"| `--{name}` | {flag.form} | {flag.reason} |" for name, flag in ALLOWED.items()]
    assert [line for line in page.splitlines() if line.startswith("| `--") and line.count("|") == 4] == rows
    assert "\n".join(rows) in page


def test_the_feature_flags_are_those_of_the_table():
    page = (ROOT / "docs/reference/builder-image.md").read_text(encoding="utf-8")
    table = feature_flags.TABLE
    rows = [f"| `{name}` | {reason} |" for name, reason in table.items()]
    assert "\n".join(rows) in page
    assert page.count("| `FF_KANIKO_") == len(rows)
