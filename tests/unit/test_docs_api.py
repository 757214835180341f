"""Every generated file says what its source says: docs/reference/api.md what crds/imagebuild.yaml does."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_has_one_title_and_a_heading_for_each_kind_and_its_parts() -> None:
    lines = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8").splitlines()
    headings = [line for line in lines if line.startswith("#")]
    assert [line for line in headings if line.startswith("# ")] == ["# API"]
    kinds = ["ImageBuild", "ImageBuildDefaults", "ClusterImageBuildDefaults", "TrackedImage"]
    assert [line for line in headings if line.startswith("## ")] == [f"## {kind}" for kind in kinds]
    parts = ["spec", "status", *(f"{kind}.{part}" for kind in (kinds[1], kinds[3]) for part in ("spec", "status"))]
    assert [line for line in headings if line.startswith("### ")] == [f"### {part}" for part in parts]


def test_the_page_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "tools" / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
