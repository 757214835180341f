"""Versions of Helm and of Kubernetes: each makes the same objects, which each Kubernetes knows."""

from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from chart.everything import EVERYTHING
from chart.render import NOT_PUBLISHED, Chart, Json
from cluster.artefacts import artefact

#: The oldest and the newest that the chart is for, and the two at which something in it changes.
VERSIONS = ["1.29.0", "1.31.0", "1.34.0", "1.37.0"]


@pytest.fixture(scope="module")
def helm4(chart: Chart) -> Chart:
    """The chart, rendered by Helm 4."""
    return Chart(artefact("helm4"), chart.folder)


def objects(chart: Chart, version: str, values: Json) -> list[Json]:
    done = chart.run("template", "--name-template=ib", f"--kube-version={version}", values=values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.load_all(done.stdout, yaml.CSafeLoader) if document]


@pytest.mark.parametrize("values", [{}, EVERYTHING, {"watchNamespaces": ["a"]}], ids=["default", "everything", "some"])
def test_helm_4_makes_the_same_objects(chart: Chart, helm4: Chart, values: dict[str, Any]) -> None:
    made = {(item["kind"], item["metadata"]["name"], str(item)) for item in objects(helm4, VERSIONS[-1], values)}
    assert made == {
        (item["kind"], item["metadata"]["name"], str(item)) for item in objects(chart, VERSIONS[-1], values)
    }


def test_helm_4_finds_nothing_to_complain_about(helm4: Chart) -> None:
    done = helm4.run("lint", "--strict")
    assert done.returncode == 0, done.stdout + done.stderr


def test_helm_4_refuses_a_slip(helm4: Chart) -> None:
    assert "additional properties 'replicas' not allowed" in helm4.refusal({"replicas": 2})


@pytest.mark.parametrize("version", VERSIONS)
def test_each_kubernetes_knows_the_objects(chart: Chart, version: str) -> None:
    # Those have no policies, and the chart says so.
    values = {**EVERYTHING, "policies": {}} if version == "1.29.0" else EVERYTHING
    for item in objects(chart, version, values):
        if item["kind"] not in NOT_PUBLISHED:
            kubernetes_validate.validate(item, version, strict=True)


def test_an_older_kubernetes_is_refused(chart: Chart) -> None:
    done = chart.run("template", "--kube-version=1.28.9")
    assert done.returncode != 0
    assert "kubeVersion: >=1.29.0-0" in done.stderr
