"""What actionlint and zizmor, which `make lint` runs, do not look at."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.artefacts import TOOLS
from release.tree import CHART, ROOT

FILES = sorted((ROOT / ".github").glob("workflows/*.yaml"))
ACTIONS = sorted((ROOT / ".github").glob("actions/*/action.yaml"))


def workflow(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")))


def names(file: Path) -> str:
    return file.name


@pytest.mark.parametrize("file", [*FILES, *ACTIONS], ids=names)
def test_actions_are_pinned_by_commit_with_their_version(file: Path):
    for line in re.findall(r"uses: (\S+.*)", file.read_text(encoding="utf-8")):
        assert re.fullmatch(r"\./\.github/\S+|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@pytest.mark.parametrize("file", FILES, ids=names)
def test_a_job_has_only_the_permissions_that_it_names_and_ends_with_its_first_error_or_in_time(file: Path):
    document = workflow(file.name)
    assert document["permissions"] == {}
    assert document["concurrency"]
    assert document["defaults"] == {"run": {"shell": "bash"}}, "the default shell has no pipefail"
    for name, job in document["jobs"].items():
        assert job["permissions"], name
        assert "uses" in job or job["timeout-minutes"] <= 120, name


@pytest.mark.parametrize("file", FILES, ids=names)
def test_a_target_of_make_that_a_workflow_calls_exists(file: Path):
    targets = set(re.findall(r"(?m)^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    called = set(re.findall(r"\bmake (?:-s )?(?:\"[^\"]+\" )?([a-z0-9-]+)", file.read_text(encoding="utf-8")))
    assert called
    assert called <= targets


def test_all_suites_run_on_both_architectures():
    suites = re.findall(r"(?m)^ALL_SUITES := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"))[0].split()
    matrix = workflow("ci.yaml")["jobs"]["test"]["strategy"]["matrix"]
    assert sorted(" ".join(matrix["suites"]).split()) == sorted(suites)
    assert matrix["architecture"] == ["amd64", "arm64"]


def test_the_chart_is_installed_on_each_kubernetes_that_it_supports():
    oldest = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["kubeVersion"]
    matrix = workflow("ci.yaml")["jobs"]["kind"]["strategy"]["matrix"]
    minors = [int(node.split(".")[1]) for node in matrix["kubernetes"]]
    assert minors == list(range(minors[0], minors[-1] + 1)), "a minor version is missing"
    assert oldest.startswith(f">=1.{minors[0]}.0")
    assert [row["architecture"] for row in matrix["include"]] == ["arm64"]


def test_a_release_is_signed_by_the_cosign_of_the_rehearsal():
    text = (ROOT / ".github" / "workflows" / "release.yaml").read_text(encoding="utf-8")
    installed = re.findall(r"cosign-release: (v[\d.]+)", text)
    assert TOOLS["cosign"].package.rpartition("@")[2] in installed
    assert len(installed) == 1


def test_nothing_is_published_from_a_cache():
    publish = (ROOT / ".github" / "workflows" / "release.yaml").read_text(encoding="utf-8")
    assert "actions/cache" not in publish
