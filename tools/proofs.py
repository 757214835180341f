"""Compare the claims of docs/proofs with the tests of this run: each must have been shown, by tests that passed.

tools/proofs.py build/*.shown
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "docs/proofs/attacks.md", ROOT / "docs/proofs/faults.md")
_CLAIM = re.compile(r"^\| ([AF]\d+) \|", re.MULTILINE)


def claims(pages: Iterable[Path] = PAGES) -> list[str]:
    """The ids of all claims, in order."""
    return [claim for page in pages for claim in _CLAIM.findall(page.read_text(encoding="utf-8"))]


def problems(expected: Iterable[str], outcomes: dict[str, set[str]]) -> list[str]:
    """What is wrong with what the tests have shown: a sentence for each claim.

    Args:
        expected: The claims of the pages.
        outcomes: Of each claim, how its tests ended: passed, failed, skipped.
    """
    found = list[str]()
    for claim in expected:
        ended = outcomes.get(claim, set())
        if "failed" in ended:
            found.append(f"{claim} is not shown: a test of it failed")
        elif "passed" not in ended:
            found.append(f"{claim} is not shown: " + ("its tests were skipped" if ended else "no test of it ran"))
    return found


def main(files: list[str]) -> int:
    """Print what is not shown; the exit code."""
    outcomes = defaultdict[str, set[str]](set)
    for file in files:
        for claim, ended in json.loads(Path(file).read_text(encoding="utf-8")).items():
            outcomes[claim] |= set(ended)
    expected = claims()
    found = problems(expected, outcomes)
    print("\n".join(found) or f"proofs: all {len(expected)} claims of docs/proofs are shown by tests that passed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
