"""Keyless signatures by services that answer what they should not; tests/e2e/test_keyless.py has the real ones."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from kaniko_shim.attest import persistence
from kaniko_shim.attest.keyless import MomentaryKey, Services
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from support.https import Https
from support.serving import Quiet, serving

TOKEN = "a.secret.token"
GRANTED = bytes.fromhex("3082 0100 3003 020100")
Answer = Callable[[bytes], tuple[int, bytes]]


class Attacker:
    """A server in the place of all three services.

    Attributes:
        answers: what it answers, by the path of the request.
        asked: the paths and bodies of the requests.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {
            "/fulcio/api/v2/signingCert": lambda body: (200, certified(requested(body))),
            "/timestamp": lambda body: (200, GRANTED + body),
            "/rekor/api/v2/log/entries": lambda body: (201, logged(body)),
        }
        self.asked: list[tuple[str, bytes]] = []
        self.elsewhere = ""


def requested(body: bytes) -> ec.EllipticCurvePublicKey:
    """The key that a certificate is requested for."""
    pem = base64.b64decode(json.loads(body)["certificateSigningRequest"])
    public = x509.load_pem_x509_csr(pem).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return public


def certified(public: ec.EllipticCurvePublicKey) -> bytes:
    """What Fulcio answers."""
    authority = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(minutes=10))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier("https://kubernetes.io/namespaces/a/x")]), True
        )
        .sign(authority, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return json.dumps({"signedCertificateDetachedSct": {"chain": {"certificates": [pem]}}}).encode()


def logged(body: bytes) -> bytes:
    """What Rekor answers."""
    return json.dumps({"canonicalizedBody": base64.b64encode(body).decode()}).encode()


@contextmanager
def attacking(https: Https | None = None) -> Iterator[tuple[Attacker, str]]:
    """The server, and its URL."""
    server = Attacker()

    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append((self.path, body))
            status, answer = server.answers[self.path](body)
            self.send_response(status)
            if server.elsewhere:
                self.send_header("Location", server.elsewhere)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with serving(Handler, https) as port:
        yield server, f"{'https' if https else 'http'}://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One attempt more, at once."""
    monkeypatch.setattr(persistence, "_PAUSES", (0.01,))


@pytest.fixture
def attacker() -> Iterator[tuple[Attacker, str]]:
    """The server, and its URL."""
    with attacking() as found:
        yield found


def key(url: str, folder: Path, said: list[str]) -> MomentaryKey:
    (folder / "token").write_text(TOKEN + "\n")
    services = Services(f"{url}/fulcio", f"{url}/rekor", f"{url}/timestamp", str(folder / "token"))
    return MomentaryKey(services, {}, said.append)


def test_one_certificate_serves_several_signatures(attacker: tuple[Attacker, str], tmp_path: Path):
    server, url = attacker
    said: list[str] = []
    signer = key(url, tmp_path, said)
    first, second = signer.sign(b"one"), signer.sign(b"two")
    assert first.material["certificate"] == second.material["certificate"]
    assert said == ["signing as https://kubernetes.io/namespaces/a/x"]
    bodies = dict(server.asked)
    assert json.loads(bodies["/fulcio/api/v2/signingCert"])["credentials"] == {"oidcIdentityToken": TOKEN}
    # Nobody but Fulcio gets the token, and nobody gets what is signed.
    others = b"".join(body for path, body in server.asked if not path.startswith("/fulcio"))
    assert TOKEN.encode() not in others
    assert base64.b64encode(b"two") not in others


@pytest.mark.shows("A64")
@pytest.mark.parametrize(
    ("path", "answer", "problem"),
    [
        (
            "/fulcio/api/v2/signingCert",
            lambda _: (200, certified(ec.generate_private_key(ec.SECP256R1()).public_key())),
            "/fulcio certified another key",
        ),
        ("/fulcio/api/v2/signingCert", lambda _: (200, b"{}"), "/fulcio did not answer with a certificate"),
        (
            "/fulcio/api/v2/signingCert",
            lambda _: (200, b'{"signedCertificateEmbeddedSct": {"chain": {"certificates": ["x"]}}}'),
            "/fulcio did not answer with a certificate",
        ),
        ("/fulcio/api/v2/signingCert", lambda _: (200, b"[" * 100000), "did not answer with a JSON object"),
        ("/fulcio/api/v2/signingCert", lambda body: (403, body), "answered 403"),
        ("/timestamp", lambda body: (200, GRANTED + body[:-11]), "did not answer with a timestamp of the signature"),
        ("/timestamp", lambda _: (200, GRANTED), "did not answer with a timestamp of the signature"),
        ("/timestamp", lambda body: (200, bytes.fromhex("3005 3003 020102") + body), "did not answer with a timestamp"),
        (
            "/rekor/api/v2/log/entries",
            lambda _: (200, b'{"uuid": {"logIndex": 1}}'),
            "did not answer with an entry for the signature",
        ),
        ("/rekor/api/v2/log/entries", lambda _: (201, logged(b"another")), "did not answer with an entry for"),
        ("/rekor/api/v2/log/entries", lambda _: (201, b'{"canonicalizedBody": "?"}'), "did not answer with an entry"),
        ("/rekor/api/v2/log/entries", lambda _: (503, b"later"), "/rekor/api/v2/log/entries answered 503: later"),
    ],
)
def test_what_would_not_verify_is_no_signature(
    attacker: tuple[Attacker, str],
    tmp_path: Path,
    path: str,
    answer: Answer,
    problem: str,
):
    server, url = attacker
    server.answers[path] = answer
    with pytest.raises(JobError) as caught:
        key(url, tmp_path, []).sign(b"message")
    assert caught.value.failure.reason is Reason.SIGNING_FAILED
    assert problem in caught.value.failure.message
    # Not even where Fulcio sends it back.
    assert TOKEN not in caught.value.failure.message


@pytest.mark.shows("A64")
def test_the_token_goes_nowhere_that_fulcio_redirects_to(attacker: tuple[Attacker, str], tmp_path: Path):
    server, url = attacker
    with ExitStack() as stack:
        seen: list[str] = []

        class Elsewhere(Quiet):
            def handle(self) -> None:
                seen.append("a connection")

        port = stack.enter_context(serving(Elsewhere))
        server.elsewhere = f"http://127.0.0.1:{port}/"
        server.answers["/fulcio/api/v2/signingCert"] = lambda _: (307, b"")
        with pytest.raises(JobError, match="answered 307"):
            key(url, tmp_path, []).sign(b"message")
        assert seen == []


def test_an_authority_of_ones_own_is_trusted_where_it_is_named(tmp_path: Path):
    https = Https.make(tmp_path)
    with attacking(https) as (server, url):
        signer = key(url, tmp_path, [])
        with pytest.raises(JobError, match=r"can't be reached \(The certificate of https://.* is not trusted.\)"):
            signer.sign(b"message")
        assert server.asked == []
        trusting = MomentaryKey(signer.services, {"SSL_CERT_FILE": str(https.authority)}, print)
        assert "tlogEntries" in trusting.sign(b"message").material


def test_a_token_that_is_not_there_is_named(attacker: tuple[Attacker, str], tmp_path: Path):
    signer = key(attacker[1], tmp_path, [])
    (tmp_path / "token").unlink()
    with pytest.raises(JobError, match="the token of SIGNING_TOKEN_FILE can't be read"):
        signer.sign(b"message")
