"""What a scanner has found in an image, and whether that keeps it from being pushed. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

TRIVY: Final = "https://github.com/aquasecurity/trivy"
_SHOWN: Final = 5
_LONGEST: Final = 256


class Severity(IntEnum):
    """How bad a vulnerability is."""

    UNKNOWN = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """A vulnerability of a package.

    Attributes:
        name: such as CVE-2024-3094.
        package: the package that has it.
        version: its version.
        severity: how bad it is.
        fixed: the version in which it is fixed; empty if there is none.
    """

    name: str
    package: str
    version: str
    severity: Severity
    fixed: str = ""

    def __str__(self) -> str:
        fix = f"fixed in {self.fixed}" if self.fixed else "not fixed yet"
        return f"{self.name} in {self.package} {self.version} ({self.severity.name.capitalize()}, {fix})"


@dataclass(frozen=True, slots=True)
class Gate:
    """What keeps an image from being pushed.

    Attributes:
        severity: the least that counts.
        only_fixed: whether only those count that a newer version of the package does not have.
        ignored: those that do not count.
    """

    severity: Severity
    only_fixed: bool = False
    ignored: Collection[str] = ()

    def stopped_by(self, findings: Sequence[Finding]) -> list[Finding]:
        """Those that count, the worst first."""
        counted = (
            each
            for each in findings
            if each.severity >= self.severity and each.name not in self.ignored and (each.fixed or not self.only_fixed)
        )
        return sorted(counted, key=lambda each: (-each.severity, each.name, each.package))

    def refusal(self, stopping: Sequence[Finding]) -> str:
        """The sentence about those that count."""
        count, worst = len(stopping), self.severity.name.capitalize()
        head = "1 vulnerability" if count == 1 else f"{count} vulnerabilities"
        shown = "; ".join(map(str, stopping[:_SHOWN]))
        more = f"; and {count - _SHOWN} more" if count > _SHOWN else ""
        return f"The image has {head} of severity {worst} or higher: {shown}{more}."


def read_report(report: Mapping[str, Any]) -> list[Finding]:
    """What Trivy's report has found.

    Args:
        report: its JSON, schema version 2.

    Raises:
        ValueError: it is not such a report: what can't be read is not taken for an image without vulnerabilities.
    """
    if report.get("SchemaVersion") != 2 or not isinstance(report.get("Metadata"), dict):  # noqa: PLR2004 - a version
        raise ValueError("it is no report of Trivy with SchemaVersion 2")
    try:
        found = [
            _finding(each) for result in report.get("Results") or () for each in result.get("Vulnerabilities") or ()
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it has an entry without {error}") from error
    return list(dict.fromkeys(found))


def has_system(report: Mapping[str, Any]) -> bool:
    """Whether Trivy knew the operating system, so that its packages were looked up."""
    return str((report["Metadata"].get("OS") or {}).get("Family", "none")) != "none"


def _finding(entry: Mapping[str, Any]) -> Finding:
    return Finding(
        str(entry["VulnerabilityID"])[:_LONGEST],
        str(entry["PkgName"])[:_LONGEST],
        str(entry["InstalledVersion"])[:_LONGEST],
        Severity.__members__.get(str(entry.get("Severity")), Severity.UNKNOWN),
        str(entry.get("FixedVersion") or "")[:_LONGEST],
    )


def predicate(
    report: Mapping[str, Any], findings: Sequence[Finding], updated: str, started: str, finished: str
) -> dict[str, object]:
    """The predicate about a scan: every vulnerability that it found, also those that do not count.

    Args:
        report: Trivy's.
        findings: what is in it.
        updated: when the database was made, RFC 3339.
        started: when the scan began.
        finished: when it ended.
    """
    version = str((report.get("Trivy") or {}).get("Version") or "")
    return {
        "scanner": {
            "uri": TRIVY,
            "version": version,
            "db": {"lastUpdate": updated},
            "result": list(_results(findings)),
        },
        "metadata": {"scanStartedOn": started, "scanFinishedOn": finished},
    }


def _results(findings: Sequence[Finding]) -> Iterator[dict[str, object]]:
    for each in findings:
        package = {"package": each.package, "version": each.version, **({"fixed": each.fixed} if each.fixed else {})}
        severity = {"method": "trivy", "score": each.severity.name}
        yield {"id": each.name, "severity": [severity], "annotations": [package]}
