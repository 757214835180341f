"""The summary of faults and the page of their proofs name the same ones."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
FAULT = re.compile(r"^\| (F\d+) \| ([^|]+) \|", re.MULTILINE)


def test_both_pages_name_the_same_faults():
    summary, proofs = (
        FAULT.findall((DOCS / page).read_text(encoding="utf-8"))
        for page in ("explanation/reliability.md", "proofs/faults.md")
    )
    assert summary == proofs
    assert summary
