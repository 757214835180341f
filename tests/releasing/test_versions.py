import re
import shutil
from pathlib import Path

import pytest
from release import versions
from release.errors import ReleaseError
from release.tree import ROOT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files that name the version, in a folder of their own."""
    for place in versions.PLACES:
        for file in ROOT.glob(place.files):
            copy = tmp_path / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    return tmp_path


def test_all_places_of_this_tree_name_one_version():
    assert versions.VERSION.fullmatch(versions.current())


def test_a_new_version_reaches_all_places(tree: Path):
    changed = versions.change("7.8.9-rc.1", tree)
    assert versions.current(tree) == "7.8.9-rc.1"
    assert {Path("pyproject.toml"), Path("README.md"), Path("charts/imagebuild-operator/Chart.yaml")} <= set(changed)
    assert not versions.change("7.8.9-rc.1", tree)


def test_a_place_that_was_forgotten_is_named(tree: Path):
    file = tree / "shim/kaniko_shim/__init__.py"
    file.write_text('__version__ = "0.0.9"\n')
    with pytest.raises(ReleaseError, match=r"(?s)make release-prepare.*shim/kaniko_shim/__init__.py:1: 0.0.9"):
        versions.current(tree)


def test_a_place_without_a_version_is_named(tree: Path):
    (tree / "shim/kaniko_shim/__init__.py").write_text("")
    with pytest.raises(ReleaseError, match=r"shim/kaniko_shim/__init__.py names no version"):
        versions.current(tree)


def test_an_image_in_the_documentation_is_a_place(tree: Path):
    page = tree / "docs/page.md"
    page.write_text("kind load docker-image ghcr.io/imagebuild-dev/imagebuild-operator:0.0.9\n")
    with pytest.raises(ReleaseError, match=re.escape("docs/page.md:1: 0.0.9")):
        versions.current(tree)


@pytest.mark.parametrize(("tag", "version"), [("v1.2.3", "1.2.3"), ("v1.2.3-rc.1", "1.2.3-rc.1")])
def test_the_version_of_a_tag(tag: str, version: str):
    assert versions.version_of_tag(tag) == version


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2", "v1.2.3+build", "v01.2.3", "vv1.2.3", "v"])
def test_other_tags_are_refused(tag: str):
    with pytest.raises(ReleaseError, match=r"such as v1\.2\.0"):
        versions.version_of_tag(tag)


@pytest.mark.parametrize("version", ["v1.2.3", "1.2", "", "1.2.3+build"])
def test_other_versions_are_refused(version: str, tree: Path):
    with pytest.raises(ReleaseError, match="no semantic version"):
        versions.change(version, tree)
