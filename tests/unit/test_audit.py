import json
import tomllib
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from threading import Thread

import audit
import pytest
from audit_findings import Finding, govulncheck_findings, split
from support.serving import Quiet

FINDINGS = [
    {"config": {"protocol_version": "v1.0.0"}},
    {"finding": {"osv": "GO-1", "fixed_version": "v2", "trace": [{"module": "net", "version": "v1"}]}},
    {"finding": {"osv": "GO-1", "fixed_version": "v2", "trace": [{"module": "net", "version": "v1", "package": "p"}]}},
    {"finding": {"osv": "GO-2", "trace": [{"module": "docker", "version": "v1"}]}},
    {"finding": {"osv": "GO-3", "fixed_version": "v3", "trace": [{"module": "zip", "version": "v1"}]}},
]
NET, DOCKER, ZIP = (
    Finding("GO-1", "net", "v1", "v2"),
    Finding("GO-2", "docker", "v1", ""),
    Finding("GO-3", "zip", "v1", "v3"),
)
KNOWN = audit.Accepted(id="GHSA-1", reason="no fix yet")
MODIFIED = "2026-01-01T00:00:00Z"


def test_each_vulnerability_of_a_go_program_counts_once():
    assert govulncheck_findings("\n".join(json.dumps(each, indent=1) for each in FINDINGS)) == [NET, DOCKER, ZIP]


@pytest.mark.parametrize(
    ("accepted", "bad"), [({}, [NET, ZIP]), ({"net": "harmless"}, [ZIP]), ({"*": "tests only"}, [])]
)
def test_what_has_a_fix_and_is_not_accepted_is_to_be_mended(accepted: dict[str, str], bad: list[Finding]):
    assert split([NET, DOCKER, ZIP], accepted)[0] == bad


def test_whatever_is_accepted_has_a_reason():
    assert tomllib.loads((audit.ROOT / "tools" / "audit.toml").read_text())["accepted"]
    assert [line for line in audit.accepted() if len(line.reason.split()) < 5] == []


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """A server of OSV's API that knows one vulnerability, of kopf; the parameter says whether it is fixed."""
    events = [{"introduced": "0"}, *([{"fixed": "99"}] if request.param else [])]
    kopf = {"package": {"ecosystem": "PyPI", "name": "kopf"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    vulnerability = {"id": "GHSA-1", "modified": MODIFIED, "summary": "It is bad", "affected": [kopf]}

    class Handler(Quiet):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hits = [{"id": "GHSA-1", "modified": MODIFIED}]
            self.answer(
                {"results": [{"vulns": hits} if each["package"]["name"] == "kopf" else {} for each in asked["queries"]]}
            )

        def do_GET(self) -> None:
            self.answer(vulnerability)

        def answer(self, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(audit, "PYTHON_DATA", f"http://127.0.0.1:{server.server_port}/")
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("osv")
@pytest.mark.parametrize(
    ("osv", "accepted", "code"),
    [(True, [], 1), (False, [], 1), (True, [KNOWN], 1), (False, [KNOWN], 0)],
    indirect=["osv"],
    ids=["fixed", "without a fix", "accepted, but fixed", "accepted and without a fix"],
)
def test_a_vulnerable_distribution_fails_the_audit(
    accepted: list[audit.Accepted], code: int, capfd: pytest.CaptureFixture[str]
):
    assert audit.audit_lock(accepted) == code
    assert ("GHSA-1" in capfd.readouterr().out) == bool(code)


def test_it_says_so_where_the_data_cannot_be_had(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(audit, "PYTHON_DATA", "http://127.0.0.1:9/")
    assert audit.audit_lock([]) == 0
    assert "was not looked up: http://127.0.0.1:9/ is unreachable" in capsys.readouterr().out
