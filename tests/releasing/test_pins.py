"""Renovate moves every pin of this tree: none is forgotten, and each rule finds what it is for."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePosixPath

import pytest
from release.tree import ROOT

RENOVATE = json.loads((ROOT / ".github" / "renovate.json").read_text(encoding="utf-8"))

NATIVE = {
    "dockerfile": r"(^|/)(Dockerfile|Containerfile)[^/]*$",
    "github-actions": r"^\.github/(workflows/[^/]+|actions/.+/action)\.ya?ml$",
    "gomod": r"(^|/)go\.mod$",
    "pep621": r"(^|/)pyproject\.toml$",
}
"""Files that Renovate reads by itself, by the names of its managers."""

PINS = (
    r"@v\d+\.\d+",  # a Go program
    r"[\w\]]==\d+\.\d",  # a Python package
    r"_VERSION ?[:?]?= ?\"?v?\d+\.\d",  # a program's version in a variable
    r"@sha256:[0-9a-f]{64}",  # an image
    r"(?:version|-release): v\d+\.\d",  # an action's input
    r"(?m)^RELEASE = \"[a-z]+\"",  # of Debian
)
"""What a pin looks like, in files that are code."""

NO_PINS = {
    "shim/image/requirements.txt": "made from uv.lock by tools/docs/generate.py",
    "uv.lock": "Renovate's manager pep621 writes it",
    "shim/kaniko_shim/sources/buckets/azure_signature.py": "the version of a protocol",
}
CODE = {"", ".cfg", ".hcl", ".json", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ".builder", ".operator", ".lock"}
DATA = ("crds/", "docs/", "examples/", "tests/cases/", "tests/truth/", "tests/unit/", "tests/functional/", "tests/e2e/")
"""Their versions belong to what they show or test."""


@cache
def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return listed.stdout.split("\0")[:-1]


def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def is_read_natively(file: str) -> bool:
    """Whether one of Renovate's own managers reads the file, and no path of `ignorePaths` hides it."""
    hidden = any(fnmatchcase(file, pattern.replace("**/", "*")) for pattern in RENOVATE["ignorePaths"])
    return not hidden and any(re.search(pattern, file) for pattern in NATIVE.values())


@dataclass(frozen=True)
class Rule:
    """A place that one of our own rules finds."""

    file: str
    begin: int
    end: int
    value: str


def found_by_rules() -> Iterator[Rule]:
    for manager in RENOVATE["customManagers"]:
        for file in manager["managerFilePatterns"]:
            for pattern in manager["matchStrings"]:
                for match in re.finditer(pattern.replace("(?<", "(?P<"), text_of(file)):
                    yield Rule(file, match.start(), match.end(), match["currentValue"])


@pytest.mark.parametrize("manager", RENOVATE["customManagers"], ids=lambda manager: manager["managerFilePatterns"][0])
def test_each_rule_finds_a_pin_in_each_of_its_files(manager: dict[str, list[str]]):
    for file in manager["managerFilePatterns"]:
        for pattern in manager["matchStrings"]:
            assert re.search(pattern.replace("(?<", "(?P<"), text_of(file)), f"{pattern} finds nothing in {file}"


def test_no_pin_is_forgotten():
    covered = list(found_by_rules())
    forgotten = []
    for file in tracked():
        if PurePosixPath(file).suffix not in CODE or file.startswith(DATA) or file in NO_PINS or is_read_natively(file):
            continue
        text = text_of(file)
        for pattern in PINS:
            for match in re.finditer(pattern, text):
                if not any(rule.file == file and rule.begin <= match.end() <= rule.end for rule in covered):
                    line = text.count("\n", 0, match.end()) + 1
                    forgotten.append(f"{file}:{line}: {match[0].strip()}")
    assert not forgotten, "add a rule to .github/renovate.json for each"


@pytest.mark.parametrize("name", ["Dockerfile.builder", "Dockerfile.operator", "go.mod", "pyproject.toml"])
def test_no_such_file_is_hidden_from_renovate(name: str):
    files = [file for file in tracked() if PurePosixPath(file).name == name]
    assert files
    assert [file for file in files if not is_read_natively(file)] == []


def test_each_file_that_is_said_to_have_no_pins_exists():
    assert set(NO_PINS) <= set(tracked())


def test_each_file_that_a_rule_names_exists():
    rules = (rule for rule in RENOVATE["packageRules"] if "matchManagers" not in rule)
    named = {file for rule in rules for file in rule.get("matchFileNames", [])}
    assert named
    assert named <= set(tracked())


def test_the_executor_is_moved_by_the_nightly_tests_and_by_nothing_else():
    repository = re.findall(r"(?m)^ARG EXECUTOR_IMAGE=([^:]+):", text_of("Dockerfile.builder"))
    rules = [rule for rule in RENOVATE["packageRules"] if rule.get("matchPackageNames") == repository]
    assert [rule["enabled"] for rule in rules] == [False]
    assert "make executor-pin" in text_of(".github/workflows/nightly.yaml")
