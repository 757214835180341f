"""CONTRIBUTING.md and .github/security-insights.yml send people to files that exist."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PATHS = re.findall(
    r"`((?:crds|docs|operator|shim|tests|tools)/[\w/.-]+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
)
INSIGHTS = (ROOT / ".github" / "security-insights.yml").read_text(encoding="utf-8")
REPOSITORY = "https://github.com/imagebuild-dev/imagebuild-operator"


@pytest.mark.parametrize("path", sorted(set(PATHS)))
def test_each_path_exists(path: str):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(rf"{REPOSITORY}/blob/main/(\S+)", INSIGHTS))))
def test_each_file_of_the_security_insights_exists(path: str):
    assert (ROOT / path).is_file()


def test_the_security_insights_are_those_of_this_repository():
    found = yaml.safe_load(INSIGHTS)
    assert found["repository"]["url"] == found["project"]["repositories"][0]["url"] == REPOSITORY
    named = [path for tool in found["repository"]["security"]["tools"] for path in tool["rulesets"] if "/" in path]
    assert [path for path in named if not (ROOT / path).is_file()] == []
