import datetime as dt

import pytest
from release import changelog
from release.errors import ReleaseError
from release.tree import CHANGELOG

TEXT = """\
# Changelog

## Unreleased

### Added

- Something.

## 1.0.0 - 2026-01-02

### Fixed

- A fault.

## 0.9.0 - 2025-12-01
"""
DAY = dt.date(2026, 3, 4)


def test_the_notes_of_a_version_are_its_section():
    assert changelog.notes(TEXT, "1.0.0") == "### Fixed\n\n- A fault."


def test_the_unreleased_changes_become_those_of_the_new_version():
    rolled = changelog.roll(TEXT, "1.1.0", DAY)
    assert rolled == TEXT.replace("## Unreleased\n", "## Unreleased\n\n## 1.1.0 - 2026-03-04\n")
    assert changelog.notes(rolled, "1.1.0") == "### Added\n\n- Something."


def test_this_changelog_can_be_released():
    text = CHANGELOG.read_text(encoding="utf-8")
    assert "### Added" in changelog.notes(changelog.roll(text, "99.0.0", DAY), "99.0.0")


@pytest.mark.parametrize(
    ("version", "message"), [("2.0.0", "no heading for 2.0.0"), ("0.9.0", "says nothing of 0.9.0")]
)
def test_a_version_without_notes_is_no_release(version: str, message: str):
    with pytest.raises(ReleaseError, match=message):
        changelog.notes(TEXT, version)


def test_a_version_is_released_once():
    with pytest.raises(ReleaseError, match=r"already has a heading for 1\.0\.0"):
        changelog.roll(TEXT, "1.0.0", DAY)


def test_without_changes_there_is_nothing_to_release():
    with pytest.raises(ReleaseError, match="nothing to release"):
        changelog.roll(changelog.roll(TEXT, "1.1.0", DAY), "1.2.0", DAY)
