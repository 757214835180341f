"""Checks whether an image can be pushed: begins an upload, as a push does, and cancels it.

Nothing is stored. https://distribution.github.io/distribution/spec/api/
"""

import ipaddress
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError
from urllib3.util import Timeout, make_headers

from kaniko_shim import __version__
from kaniko_shim.net.proxies import connect
from kaniko_shim.net.tls import tls_context
from kaniko_shim.outcome.classify import classify
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.evidence import Evidence
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.system.json_text import load_json
from kaniko_shim.system.processes.process import Ended

TIMEOUT = Timeout(connect=3, read=5)
"""Seconds; a slow registry must not delay the build."""

_OK, _ACCEPTED, _UNAUTHORIZED = 200, 202, 401
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_SPEAKS_HTTP = "http: server gave HTTP response to HTTPS client"
_DOCKER_HUB_API = "registry-1.docker.io"


class _RefusedError(Exception):
    """The registry refused; the message has the form of the executor's and crane's errors."""


@dataclass(frozen=True, slots=True)
class PushCheck:
    """Checks pushes.

    Attributes:
        registries: the settings for registries.
        logins: credentials for pushing; None: there are none.
        environment: proxies and CA bundles.
    """

    registries: Registries
    logins: Logins | None = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)

    def ask(self, image: ImageReference) -> Failure | None:
        """Why the image can't be pushed; None if it can.

        Raises:
            JobError: RegistryUnauthorized; a credential helper that the Docker config names failed.
        """
        problem = ""
        for base in self._bases(image.registry):
            try:
                self._begin_and_cancel(base, image)
            except _RefusedError as error:
                problem = str(error)
                break
            except (HTTPError, ssl.SSLError) as error:
                # The problem of HTTPS says more, unless it is that the registry speaks plain HTTP.
                if not problem or _SPEAKS_HTTP in problem:
                    problem = _in_go(base, error)
            else:
                return None
        return classify(Evidence(Ended(1), problem, pushing=True, names=(image.name,)))

    def _bases(self, registry: str) -> Iterator[str]:
        host = _DOCKER_HUB_API if registry == "index.docker.io" else registry
        yield f"https://{host}"
        if registry in self.registries.insecure or _is_near(registry):
            yield f"http://{host}"

    def _begin_and_cancel(self, base: str, image: ImageReference) -> None:
        lenient = self.registries.is_lenient(image.registry)
        context = _context(self.environment, lenient=lenient) if base.startswith("https:") else None
        with connect(base, self.environment, context) as pool:
            headers = self._authorization(pool, base, image)
            url = f"{base}/v2/{image.repository}/blobs/uploads/"
            answer = _send(pool, "POST", url, {**headers, "Content-Length": "0"})
            if answer.status != _ACCEPTED:
                raise _RefusedError(_refusal("POST", url, answer))
            if location := answer.headers.get("Location"):
                _send(pool, "DELETE", urljoin(url, location), headers)

    def _authorization(self, pool: urllib3.PoolManager, base: str, image: ImageReference) -> dict[str, str]:
        """The headers that authorize each request."""
        ping = _send(pool, "GET", f"{base}/v2/")
        if ping.status != _UNAUTHORIZED:
            return {}
        login = self.logins.login(image.registry, image.repository) if self.logins else None
        basic = make_headers(basic_auth=f"{login.username}:{login.password}") if login and login.username else {}
        scheme, _, rest = ping.headers.get("WWW-Authenticate", "").partition(" ")
        if scheme.lower() != "bearer":
            return dict(basic)
        if login and login.registry_token:
            return {"Authorization": f"Bearer {login.registry_token}"}
        words = dict(_CHALLENGE.findall(rest))
        scope = f"repository:{image.repository}:pull,push"
        query = {"service": words.get("service", ""), "scope": scope}
        realm = urljoin(base, words.get("realm", ""))
        # The realm may be another server; its certificate is always verified.
        context = _context(self.environment, lenient=False) if realm.startswith("https:") else None
        with connect(realm, self.environment, context) as server:
            if login and login.identity_token:
                form = urlencode({"grant_type": "refresh_token", "refresh_token": login.identity_token, **query})
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                answer = _send(server, "POST", realm, kind, form)
            else:
                answer = _send(server, "GET", f"{realm}?{urlencode(query)}", dict(basic))
        if answer.status != _OK:
            raise _RefusedError(_refusal("GET", realm, answer))
        document = _json(answer)
        return {"Authorization": f"Bearer {document.get('token') or document.get('access_token') or ''}"}


def _send(
    pool: urllib3.PoolManager, method: str, url: str, headers: Mapping[str, str] | None = None, body: str | None = None
) -> urllib3.BaseHTTPResponse:
    sent = {"User-Agent": f"kaniko-shim/{__version__}", **(headers or {})}
    return pool.request(method, url, headers=sent, body=body, redirect=False, retries=False, timeout=TIMEOUT)


def _context(environment: Mapping[str, str], *, lenient: bool) -> ssl.SSLContext:
    context = tls_context(environment)
    if lenient:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_near(registry: str) -> bool:
    """Whether the registry library tries plain HTTP by default."""
    host = registry.rpartition(":")[0] or registry
    if host == "localhost" or host.endswith((".local", ".localhost")):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address.is_loopback or address.is_private


def _refusal(method: str, url: str, answer: urllib3.BaseHTTPResponse) -> str:
    errors = _json(answer).get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    if code := first.get("code"):
        return f"{method} {url}: {code}: {first.get('message') or ''}"
    return f"{method} {url}: unexpected status code {answer.status} {answer.reason or ''}".rstrip()


def _json(answer: urllib3.BaseHTTPResponse) -> dict[str, object]:
    try:
        document: object = load_json(answer.data)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _in_go(base: str, error: Exception) -> str:
    """A connection failure, in the words that the table of situations has patterns for."""
    cause: object = error.reason if isinstance(error, MaxRetryError) else error
    text = str(cause)
    if isinstance(cause, SSLError | ssl.SSLError):
        if "WRONG_VERSION_NUMBER" in text or "record layer" in text:
            text = _SPEAKS_HTTP
        elif "doesn't match" in text or "not valid for" in text or "mismatch" in text:
            text = "x509: certificate is valid for other names"
        elif "expired" in text:
            text = "x509: certificate has expired or is not yet valid"
        elif "CERTIFICATE_VERIFY_FAILED" in text:
            text = "x509: certificate signed by unknown authority"
        else:
            text = f"TLS handshake timeout ({text})"
    elif "Tunnel connection failed: 407" in text:
        text = "Proxy Authentication Required"
    elif isinstance(cause, HTTPError):
        text = f"connection refused or i/o timeout ({text.rpartition('>: ')[2] or type(cause).__name__})"
    return f'Get "{base}/v2/": {text}'
