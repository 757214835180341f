"""Rendering the chart with the real Helm."""

import os
import shutil
from pathlib import Path

import pytest
from chart.render import Chart

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def chart() -> Chart:
    """The project's chart, and a Helm to render it: HELM, or the one on PATH or in BIN."""
    search = os.pathsep.join(filter(None, [os.environ.get("BIN"), os.environ.get("PATH")]))
    helm = os.environ.get("HELM") or shutil.which("helm", path=search)
    assert helm, "no helm: set HELM, or put it on PATH"
    return Chart(Path(helm), ROOT / "charts" / "imagebuild-operator")
