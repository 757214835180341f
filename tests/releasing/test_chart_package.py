"""The chart of a release differs from the tree's in the digests of its images, and in nothing else."""

import subprocess
import tarfile
from difflib import ndiff
from pathlib import Path

import pytest
from release import chart, yaml_edits
from release.errors import ReleaseError
from release.programs import program
from release.tree import CHART

OPERATOR, BUILDER, BUILDKIT = (f"sha256:{digit * 64}" for digit in "abc")
IMAGES = chart.Images({"operator": OPERATOR, "builder": BUILDER, "builder-buildkit": BUILDKIT})
VALUES = """\
image: # ours
  digest: ""
  tag: ""   # the default
other: [1]
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chart.package(IMAGES, tmp_path_factory.mktemp("dist"))


def test_only_the_digests_and_the_list_of_images_are_added(package: Path, tmp_path: Path):
    with tarfile.open(package) as archive:
        archive.extractall(tmp_path, filter="data")
    before, after = (folder.joinpath("values.yaml").read_text() for folder in (CHART, tmp_path / CHART.name))
    changed = [line.strip() for line in ndiff(before.splitlines(), after.splitlines()) if line[0] == "+"]
    assert changed == [
        f'+   digest: "{OPERATOR}"',
        f'+     digest: "{BUILDER}"',
        f'+       digest: "{BUILDKIT}"',
    ]
    for file in CHART.joinpath("templates").rglob("*.yaml"):
        assert (tmp_path / CHART.name / file.relative_to(CHART)).read_bytes() == file.read_bytes()


def test_a_package_can_be_made_again(package: Path):
    assert chart.package(IMAGES, package.parent) == package
    done = subprocess.run([program("helm"), "show", "chart", package], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("digest", ["", "latest", "sha256:abc", f"{OPERATOR}0"])
def test_something_else_than_a_digest_is_refused(digest: str):
    with pytest.raises(ReleaseError, match=r"digest of the builder image .* Give sha256: and 64 hex digits"):
        chart.Images({"operator": OPERATOR, "builder": digest, "builder-buildkit": BUILDKIT})


def test_a_value_changes_and_its_surroundings_stay():
    assert yaml_edits.with_values(VALUES, {"image.digest": "x", "image.tag": "y"}) == (
        VALUES.replace('digest: ""', 'digest: "x"').replace('tag: ""', 'tag: "y"')
    )


@pytest.mark.parametrize("path", ["image", "image.none", "image.digest.none", "other", "none"])
def test_a_path_that_leads_to_no_value_is_named(path: str):
    with pytest.raises(ReleaseError, match=rf"{path} is no single value"):
        yaml_edits.with_values(VALUES, {path: "x"})
