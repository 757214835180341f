"""What `check` tells of a registry that it cannot push to."""

from http.server import BaseHTTPRequestHandler

import pytest
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.push_check import PushCheck
from kaniko_shim.registry.references import parse_output
from kaniko_shim.registry.registries import Registries
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
        failure = PushCheck(Registries(insecure=(name,)), None, {}).ask(parse_output(f"{name}/team/app:1"))
    assert failure is not None
    assert failure.reason is Reason.REGISTRY_UNAVAILABLE
