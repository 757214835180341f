"""CHANGELOG.md, in the format of Keep a Changelog: the notes of a release, and the heading of a new one."""

import datetime as dt
import re

from release.errors import ReleaseError

_HEADING = re.compile(r"(?m)^## (?P<title>.+)$")
_UNRELEASED = "Unreleased"


def notes(text: str, version: str) -> str:
    """What the changelog says of a version, without its heading.

    Raises:
        ReleaseError: it has no such heading, or nothing below it.
    """
    for title, body in _sections(text):
        if title.split(" ")[0].strip("[]") == version:
            if not body:
                raise ReleaseError(f"CHANGELOG.md says nothing of {version}. Describe what has changed for users.")
            return body
    raise ReleaseError(f"CHANGELOG.md has no heading for {version}. Run `make release-prepare VERSION={version}`.")


def roll(text: str, version: str, day: dt.date) -> str:
    """The changelog with all that is unreleased under the heading of a new version.

    Raises:
        ReleaseError: nothing is unreleased, or the version has a heading already.
    """
    sections = dict(_sections(text))
    if any(title.split(" ")[0].strip("[]") == version for title in sections):
        raise ReleaseError(f"CHANGELOG.md already has a heading for {version}. Choose the next version.")
    if not sections.get(_UNRELEASED):
        raise ReleaseError("CHANGELOG.md has nothing under “Unreleased”. There is nothing to release.")
    heading = f"## {_UNRELEASED}\n"
    return text.replace(heading, f"{heading}\n## {version} - {day.isoformat()}\n", 1)


def _sections(text: str) -> list[tuple[str, str]]:
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    return [
        (heading["title"].strip(), text[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    ]
