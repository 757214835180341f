"""The version of this project: each place that names it, and how they are changed together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from release.errors import ReleaseError
from release.tree import ROOT

VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?")
"""Semantic versions. None has build metadata: `+` cannot be part of an image's tag."""
NUMBER = r"(?P<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]*[0-9A-Za-z])?)"


@dataclass(frozen=True, slots=True)
class Place:
    """A text that names the version.

    Attributes:
        files: path or pattern below the root.
        pattern: finds it; the group `version` is the version.
        required: whether each file must have at least one.
    """

    files: str
    pattern: str
    required: bool = True


IMAGES = rf"imagebuild-(?:operator|builder|builder-buildkit):{NUMBER}"
INSTALLED = rf"charts/imagebuild-operator[^\n]* --version {NUMBER}"
PLACES = (
    Place("pyproject.toml", rf'(?m)^version = "{NUMBER}"$'),
    Place("cli/pyproject.toml", rf'(?m)^version = "{NUMBER}"$'),
    Place("cli/pyproject.toml", rf'"imagebuild=={NUMBER}"'),
    Place("cli/pyproject.toml", rf'"imagebuild-rules=={NUMBER}"'),
    Place("cli/kubectl_imagebuild/__init__.py", rf'(?m)^__version__ = "{NUMBER}"$'),
    Place("operator/pyproject.toml", rf'(?m)^version = "{NUMBER}"$'),
    Place("operator/pyproject.toml", rf'"imagebuild=={NUMBER}"'),
    Place("sdk/pyproject.toml", rf'(?m)^version = "{NUMBER}"$'),
    Place("sdk/imagebuild/__init__.py", rf'(?m)^__version__ = "{NUMBER}"$'),
    Place("shim/kaniko_shim/__init__.py", rf'(?m)^__version__ = "{NUMBER}"$'),
    Place("charts/imagebuild-operator/Chart.yaml", rf"(?m)^version: {NUMBER}$"),
    Place("charts/imagebuild-operator/Chart.yaml", rf"(?m)^appVersion: {NUMBER}$"),
    Place("docs/how-to/verify-releases.md", rf"(?m)^VERSION={NUMBER}$"),
    *(
        Place(files, pattern, required=False)
        for files in ("README.md", "charts/*/README.md", "charts/*/templates/NOTES.txt", "docs/**/*.md")
        for pattern in (IMAGES, INSTALLED)
    ),
)
"""A released chart's images have its version as their tag, so that all of these are one number.

uv writes its own form of it into uv.lock, and installs nothing from a lock that differs.
"""


@dataclass(frozen=True, slots=True)
class Mention:
    """One text that names a version."""

    file: Path
    line: int
    version: str


def mentions(root: Path = ROOT) -> Iterator[Mention]:
    """Every place that names the version.

    Raises:
        ReleaseError: a required one is missing.
    """
    for place in PLACES:
        for file in sorted(root.glob(place.files)):
            text = file.read_text(encoding="utf-8")
            found = list(re.finditer(place.pattern, text))
            if place.required and not found:
                raise ReleaseError(f"{file.relative_to(root)} names no version (pattern {place.pattern}).")
            for match in found:
                line = text.count("\n", 0, match.start("version")) + 1
                yield Mention(file.relative_to(root), line, match["version"])


def current(root: Path = ROOT) -> str:
    """The version of this tree.

    Raises:
        ReleaseError: two places differ.
    """
    found = list(mentions(root))
    expected = found[0].version
    if wrong := [mention for mention in found if mention.version != expected]:
        listed = "\n".join(f"  {mention.file}:{mention.line}: {mention.version}" for mention in wrong)
        raise ReleaseError(
            f"{found[0].file} says version {expected}, but not all others do. "
            f"Run `make release-prepare VERSION=…`, which changes all of them:\n{listed}"
        )
    return expected


def version_of_tag(tag: str) -> str:
    """The version in a Git tag, such as 1.2.0 in v1.2.0.

    Raises:
        ReleaseError: it is no tag of a release.
    """
    version = tag.removeprefix("v")
    if version == tag or not VERSION.fullmatch(version):
        raise ReleaseError(f"{tag!r} is no tag of a release. Name it v and a semantic version, such as v1.2.0.")
    return version


def change(version: str, root: Path = ROOT) -> list[Path]:
    """Write a new version to all places; gives the files that have changed.

    Raises:
        ReleaseError: it is no semantic version.
    """
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"{version!r} is no semantic version. Write one such as 1.2.0 or 1.2.0-rc.1.")
    changed: dict[Path, None] = {}
    for place in PLACES:
        for file in sorted(root.glob(place.files)):
            text = file.read_text(encoding="utf-8")
            edited = re.sub(place.pattern, lambda match: _with_version(match, version), text)
            if edited != text:
                file.write_text(edited, encoding="utf-8")
                changed[file.relative_to(root)] = None
    return list(changed)


def _with_version(match: re.Match[str], version: str) -> str:
    begin, end = (position - match.start() for position in match.span("version"))
    return match[0][:begin] + version + match[0][end:]
