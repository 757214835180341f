"""The pages on reliability agree, and the tests that they name exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "proofs" / "faults.md").read_text(encoding="utf-8")
SUMMARY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
FAULT = re.compile(r"^\| (F\d+|) \| ([^|]+) \|", re.MULTILINE)


def test_each_fault_is_there_once_and_in_order():
    assert re.findall(r"^\| (F\d+) \|", PAGE, re.MULTILINE) == [f"F{number}" for number in range(1, 23)]


def test_both_pages_name_the_same_faults():
    assert FAULT.findall(SUMMARY.partition("## Faults")[2]) == FAULT.findall(PAGE)


def test_each_test_that_is_named_exists():
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) >= 22
    for file, name in named:
        texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob(file) if "e2e" not in path.parts]
        assert any(re.search(rf"^def {name}\(", text, re.MULTILINE) for text in texts), f"{file} has no {name}"
