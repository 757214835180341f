"""`scan`: look for known vulnerabilities in the image of a layout, before it is pushed.

The scanner reads what the Dockerfile's author has made, so it has nothing that is worth taking: no credentials, no
network, a user of its own. What is not a scan that went well is no pass.
"""

from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kaniko_shim.oci.layout import check_layout
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import Result
from kaniko_shim.request.scan_request import ScanRequest
from kaniko_shim.sbom.formats import SbomFormat
from kaniko_shim.scan.findings import has_system, predicate, read_report
from kaniko_shim.scan.handover import Scanned, hand_over
from kaniko_shim.system.clock import now
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.image_volume import take_program
from kaniko_shim.system.job import Job
from kaniko_shim.system.json_text import load_json
from kaniko_shim.system.processes import process
from kaniko_shim.system.processes.interruption import CancelledError
from kaniko_shim.system.processes.invocation import Invocation
from kaniko_shim.system.processes.sockets import deny_network

PROGRAM = "usr/local/bin/trivy"
"""Where the official images have it."""
OLD = timedelta(days=7)
"""Age of a database at which there is a warning."""

_LAST_LINES = 20
_LONGEST_LINE = 400


def scan(request: ScanRequest, job: Job) -> Result:
    """Run the sub-command.

    Raises:
        JobError: VulnerabilitiesFound. ScanFailed; the scanner, its database or its report is not what it should be.
    """
    job.phases.enter("checking the image")
    layout = Path(request.layout)
    with heartbeat(job.beat, request.heartbeat_seconds):
        image = check_layout(layout)
    updated = _updated(job)
    job.phases.enter("scanning the image for vulnerabilities")
    started, trivy = now(), _Trivy(request, job)
    report = trivy.scan(layout)
    try:
        found = read_report(report)
    except ValueError as error:
        raise _failed(f"its report can't be used: {error}") from error
    stopping = request.gate.stopped_by(found)
    if not has_system(report):
        job.say("the scanner knows no operating system of the image: none of its packages were scanned")
    job.say(f"the scan found {len(found)} vulnerabilities, of which {len(stopping)} count")
    if stopping:
        raise JobError(Reason.VULNERABILITIES_FOUND, request.gate.refusal(stopping))
    said = predicate(report, found, updated, started, now())
    sbom = trivy.sbom(request.sbom) if request.sbom else None
    hand_over(job.paths.scanned, Scanned(image.digest, said, sbom))
    return Result(str(request.command), timings=job.phases.timings)


def _updated(job: Job) -> str:
    """When the database was made, RFC 3339."""
    path = job.paths.vulnerabilities / "db/metadata.json"
    try:
        updated = str(load_json(path.read_text(encoding="utf-8"))["UpdatedAt"])
        age = datetime.now(UTC) - datetime.fromisoformat(updated)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _failed(f"there is no database of Trivy in its volume: {error}") from error
    if age > OLD:
        job.warn(f"The database of vulnerabilities is {age.days} days old: it lacks those that were found since.")
    return updated


class _Trivy:
    """The scanner, in the directory for its files."""

    def __init__(self, request: ScanRequest, job: Job) -> None:
        self._request, self._job = request, job
        names = ("report.json", "openvex.json", "sbom.json")
        self._report, self._exceptions, self._sbom = (job.paths.scratch / name for name in names)
        try:
            self._program = take_program(job.paths.scanner / PROGRAM, job.paths.scratch)
            deny_network()
        except OSError as error:
            raise _failed(f"it can't be started: {error}") from error
        self._exceptions.write_text(request.openvex, encoding="utf-8")

    def scan(self, layout: Path) -> dict[str, Any]:
        """Its report."""
        self._run(
            *("image", f"--input={layout}", f"--output={self._report}", "--format=json", "--scanners=vuln"),
            *(f"--list-all-pkgs={str(bool(self._request.sbom)).lower()}", "--timeout=24h", "--no-progress"),
            *("--disable-telemetry", "--skip-version-check", "--offline-scan", "--cache-backend=memory"),
            *("--skip-db-update", "--skip-java-db-update", "--skip-vex-repo-update"),
            *((f"--vex={self._exceptions}",) if self._request.openvex else ()),
        )
        return _document(self._report)

    def sbom(self, form: SbomFormat) -> dict[str, Any]:
        """The SBOM of what it has scanned."""
        self._run("convert", f"--format={form.trivy}", f"--output={self._sbom}", str(self._report))
        return _document(self._sbom)

    def _run(self, *arguments: str) -> None:
        job, written = self._job, deque[str](maxlen=_LAST_LINES)
        command = (str(self._program), *arguments, f"--cache-dir={job.paths.vulnerabilities}")
        environment = {"HOME": str(job.paths.scratch), "TMPDIR": str(job.paths.scratch)}

        def on_line(line: str) -> None:
            written.append(line)
            job.relay(line, "trivy")

        silence = self._request.heartbeat_seconds
        ended = process.run(Invocation(command, environment), on_line=on_line, on_silence=job.beat, silence=silence)
        if ended.stopped_by:
            raise CancelledError(ended.stopped_by)
        if ended.code != 0:
            last = written[-1].strip()[:_LONGEST_LINE] if written else f"exit code {ended.code}, signal {ended.signal}"
            raise _failed(last)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = load_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _failed(f"its {path.name} can't be read: {error}") from error
    if not isinstance(document, dict):
        raise _failed(f"its {path.name} is no JSON object")
    return document


def _failed(problem: str) -> JobError:
    return JobError(Reason.SCAN_FAILED, f"The image could not be scanned: {problem}. Nothing was pushed.")
