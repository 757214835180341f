"""CONTRIBUTING.md sends people to files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATHS = re.findall(
    r"`((?:crds|docs|operator|shim|tests|tools)/[\w/.-]+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("path", sorted(set(PATHS)))
def test_each_path_exists(path: str):
    assert (ROOT / path).exists()
