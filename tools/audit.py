"""Look up known vulnerabilities in the dependencies of both images: `make audit`.

    python tools/audit.py lock   uv.lock, by `uv audit`; `make lint` runs this
    python tools/audit.py go     the Go programs that are built here, by govulncheck

Fails on a vulnerability that `audit.toml` does not accept; for a Go program, only if a fix exists. Without access to
the data it says so and passes.
"""

import json
import os
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from audit_findings import Finding, govulncheck_findings, split

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

from cluster import store, toolchain  # noqa: E402 - lies elsewhere in this tree
from cluster.artefacts import HELPERS, TOOLS, artefact  # noqa: E402 - same
from cluster.console import ClusterError, run  # noqa: E402 - same

#: The vulnerability database that uv asks; AUDIT_OSV_URL names another server with the same API.
PYTHON_DATA = os.environ.get("AUDIT_OSV_URL", "https://api.osv.dev/")
GO_DATA = "https://vuln.go.dev"
SECONDS = 10
GO_PROGRAMS = ("executor", "crane", *HELPERS)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A line of audit.toml.

    Attributes:
        id: of the vulnerability in uv.lock, or "" for a Go module.
        program: the Go program, or "".
        module: of the Go program, or "*" for all.
        reason: why it does no harm, or cannot be fixed.
    """

    id: str = ""
    program: str = ""
    module: str = ""
    reason: str = ""


def main() -> int:
    """Do what the command line says; the exit code is 1 if something has to be fixed."""
    known = {"lock": audit_lock, "go": audit_go}
    if len(sys.argv) != 2 or sys.argv[1] not in known:  # noqa: PLR2004 - the program and its one argument
        raise SystemExit(__doc__)
    return known[sys.argv[1]](accepted())


def accepted() -> list[Accepted]:
    """What is accepted, and why."""
    table = tomllib.loads((ROOT / "tools" / "audit.toml").read_text(encoding="utf-8"))
    return [Accepted(**line) for line in table.get("accepted", [])]


def audit_lock(allowed: Iterable[Accepted]) -> int:
    """Ask OSV about every distribution of uv.lock."""
    if not reachable(PYTHON_DATA):
        print(f"audit: uv.lock was not looked up: {PYTHON_DATA} is unreachable")
        return 0
    command = [
        str(ROOT / "build" / "uv"),
        "audit",
        "--frozen",
        "--preview-features=audit",
        f"--service-url={PYTHON_DATA}",
    ]
    command += [f"--ignore-until-fixed={line.id}" for line in allowed if line.id]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def audit_go(allowed: Iterable[Accepted]) -> int:
    """Look up the modules of the Go programs that are built here."""
    try:
        data = GO_DATA if reachable(f"{GO_DATA}/index/db.json") else f"file://{go_data()}"
    except ClusterError as error:
        print(f"audit: the Go programs were not looked up: {GO_DATA} is unreachable, and {error}")
        return 0
    lines = [line for line in allowed if line.program]
    failed = False
    for program in GO_PROGRAMS:
        output = run([artefact("govulncheck"), "-db", data, "-mode=binary", "-format=json", artefact(program)])
        reasons = {line.module: line.reason for line in lines if line.program == program}
        bad, tolerated = split(govulncheck_findings(output), reasons)
        failed |= bool(bad)
        print(f"audit: {program}: {len(bad)} to fix, {len(tolerated)} accepted or without a fix ({data})")
        for finding in bad:
            print(f"  {_shown(finding)}")
    return int(failed)


def go_data() -> Path:
    """The database of Go's own vulnerabilities as its module has it: as old as the version pinned in `artefacts`."""
    module = TOOLS["indexdb"].package.replace("/cmd/indexdb", "")

    def make(folder: Path) -> None:
        fetched = json.loads(run([toolchain.go(), "mod", "download", "-json", module]))
        records = Path(fetched["Dir"], "data", "osv")
        run([artefact("indexdb"), "-out", folder / "data", "-vulns", records])

    return store.entry("go-vulnerabilities", "indexing Go's vulnerabilities", [module], make) / "data"


def reachable(url: str) -> bool:
    """Whether a server answers, whatever it says."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS):  # noqa: S310 - ours, or given by who runs this
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _shown(finding: Finding) -> str:
    return f"{finding.id}: {finding.module} {finding.version}, fixed in {finding.fixed}"


if __name__ == "__main__":
    sys.exit(main())
