"""What `check` tells of a registry that it cannot push to."""

from base64 import b64encode
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl

import pytest
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.docker_config import Login
from kaniko_shim.registry.push_check import PushCheck
from kaniko_shim.registry.references import parse_output
from kaniko_shim.registry.registries import Registries
from kaniko_shim.registry.registry_api import RegistryApi
from support.https import Https
from support.serving import Quiet, serving


class HangsUp(Quiet):
    """A registry that speaks plain HTTP, and hangs up."""

    def do_GET(self) -> None:
        self.close_connection = True


class Answers(Quiet):
    """A registry that speaks plain HTTP, and takes no blob."""

    def do_GET(self) -> None:
        self._send(200)

    def do_POST(self) -> None:
        self._send(503)

    def _send(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize("registry", [HangsUp, Answers])
def test_an_insecure_registry_that_fails_is_unavailable_and_no_matter_of_tls(registry: type[BaseHTTPRequestHandler]):
    with serving(registry) as port:
        name = f"127.0.0.1:{port}"
        failure = PushCheck(RegistryApi(Registries(insecure=(name,)), None, {})).ask(parse_output(f"{name}/team/app:1"))
    assert failure is not None
    assert failure.reason is Reason.REGISTRY_UNAVAILABLE


LOGIN = Login("me", "p4ss€word")
TOKEN = Login(identity_token="1dentity-t0ken")


class Record(Quiet):
    """A server that notes what it is asked; subclasses answer."""

    seen: ClassVar[list[tuple[str, str, str]]]
    answers: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]]

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = self.path.partition("?")[0]
        self.seen.append((f"{self.command} {path}", self.headers.get("Authorization", ""), body))
        status, headers, content = self.answers.get(f"{self.command} {path}", (404, {}, b""))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - names of http.server


def recording(**answers: tuple[int, dict[str, str], bytes]) -> type[Record]:
    named = {name.replace("__", " /", 1).replace("__", "/"): answer for name, answer in answers.items()}
    return type("Recording", (Record,), {"seen": [], "answers": named})


class OneLogin:
    """The same login for every registry."""

    def __init__(self, login: Login) -> None:
        self.one = login

    def login(self, *_: str) -> Login:
        return self.one


def ask(name: str, login: Login, registries: Registries | None = None, **environment: str) -> Failure | None:
    check = PushCheck(RegistryApi(registries or Registries(insecure=(name,)), OneLogin(login), environment))  # type: ignore[arg-type] # all that it needs
    return check.ask(parse_output(f"{name}/team/app:1"))


BEGIN = "POST__v2__team__app__blobs__uploads__"


@pytest.mark.shows("A47")
@pytest.mark.parametrize("login", [LOGIN, TOKEN])
@pytest.mark.parametrize(
    "place", ["http://localhost:{thief}/steal", "http://169.254.169.254/latest", "ftp://x/y", "//x/y"]
)
def test_no_credentials_go_to_a_realm_elsewhere(place: str, login: Login):
    thief = recording()
    with serving(thief) as stolen:
        realm = place.format(thief=stolen)
        registry = recording(GET__v2__=(401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'}, b""))
        with serving(registry) as port:
            failure = ask(f"127.0.0.1:{port}", login)
    assert failure is not None
    assert failure.reason is Reason.REGISTRY_UNAUTHORIZED
    assert "names a token server that no credentials are sent to" in failure.message
    assert thief.seen == []


@pytest.mark.shows("A47")
def test_no_credentials_go_where_an_upload_is_said_to_continue():
    thief = recording()
    with serving(thief) as stolen:
        location = {"Location": f"http://127.0.0.1:{stolen}/steal"}
        registry = recording(GET__v2__=(200, {}, b""), **{BEGIN: (202, location, b"")})
        with serving(registry) as port:
            assert ask(f"127.0.0.1:{port}", LOGIN) is None
    assert thief.seen == []


def test_the_password_is_sent_in_utf_8_where_a_ping_needs_none_too():
    registry = recording(GET__v2__=(200, {}, b""), **{BEGIN: (202, {"Location": "/v2/up/1"}, b"")})
    with serving(registry) as port:
        assert ask(f"127.0.0.1:{port}", LOGIN) is None
    expected = "Basic " + b64encode("me:p4ss€word".encode()).decode()
    assert [(asked, who) for asked, who, _ in registry.seen] == [
        ("GET /v2/", ""),
        ("POST /v2/team/app/blobs/uploads/", expected),
        ("DELETE /v2/up/1", expected),
    ]


def test_an_identity_token_names_the_client():
    registry = recording(**{BEGIN: (202, {}, b"")}, POST__token=(200, {}, b'{"access_token": "t"}'))
    with serving(registry) as port:
        bearer = f'Bearer realm="http://127.0.0.1:{port}/token?a=b",service="s"'
        registry.answers["GET /v2/"] = (401, {"WWW-Authenticate": bearer}, b"")
        assert ask(f"127.0.0.1:{port}", TOKEN) is None
    (form,) = [body for asked, _, body in registry.seen if asked == "POST /token"]
    assert dict(parse_qsl(form)) == {
        "grant_type": "refresh_token",
        "refresh_token": "1dentity-t0ken",
        "client_id": "kaniko-shim",
        "service": "s",
        "scope": "repository:team/app:pull,push",
    }


def test_a_certificate_that_is_not_verified_need_not_be_for_the_realm_on_the_same_host(tmp_path: Path):
    registry = recording(**{BEGIN: (202, {}, b"")}, GET__token=(200, {}, b'{"token": "t"}'))
    with serving(registry, Https.make(tmp_path)) as port:
        bearer = f'Bearer realm="https://127.0.0.1:{port}/token",service="s"'
        registry.answers["GET /v2/"] = (401, {"WWW-Authenticate": bearer}, b"")
        name = f"127.0.0.1:{port}"
        assert ask(name, LOGIN, Registries(skip_tls_verify=(name,))) is None
        refused = ask(name, LOGIN, Registries())
    assert refused is not None
    assert refused.reason is Reason.REGISTRY_TLS


def test_an_answer_without_an_end_is_cut_off():
    class Endless(Quiet):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(bytes(1024 * 1024))

        do_POST = do_GET  # noqa: N815 - a name of http.server

    with serving(Endless) as port:
        failure = ask(f"127.0.0.1:{port}", LOGIN)
    assert failure is not None


def test_a_registry_that_is_not_listed_is_not_asked_by_plain_http():
    registry = recording(GET__v2__=(200, {}, b""), **{BEGIN: (202, {}, b"")})
    with serving(registry) as port:
        failure = ask(f"127.0.0.1:{port}", LOGIN, Registries())
    assert failure is not None
    assert failure.reason is Reason.REGISTRY_TLS
    assert registry.seen == []
