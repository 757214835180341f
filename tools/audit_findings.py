"""The findings of govulncheck, and which of them have to be fixed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """A known vulnerability of a module.

    Attributes:
        module: `stdlib` for Go's own packages.
        fixed: the first version without it, or "" where there is none.
    """

    id: str
    module: str
    version: str
    fixed: str


def govulncheck_findings(output: str) -> list[Finding]:
    """The vulnerabilities in what `govulncheck -format=json` prints, each once."""
    found = set()
    for message in _documents(output):
        if finding := message.get("finding"):
            place = finding["trace"][0]
            fixed = finding.get("fixed_version", "")
            found.add(Finding(finding["osv"], place["module"], place.get("version", ""), fixed))
    return sorted(found)


def split(findings: list[Finding], accepted: Mapping[str, str]) -> tuple[list[Finding], list[Finding]]:
    """The findings to fix, and those that have no fix or whose module (or `*`, all) is accepted."""
    tolerated = [each for each in findings if not each.fixed or each.module in accepted or "*" in accepted]
    return [each for each in findings if each not in tolerated], tolerated


def _documents(output: str) -> Iterator[dict[str, Any]]:
    decoder, position = json.JSONDecoder(), 0
    while position < len(output):
        if output[position].isspace():
            position += 1
            continue
        document, position = decoder.raw_decode(output, position)
        yield document
