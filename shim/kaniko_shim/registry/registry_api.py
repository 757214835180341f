"""Requests to a registry's API, with the credentials of a job: what crane has no command for.

https://distribution.github.io/distribution/spec/api/
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode, urlsplit

import urllib3
from urllib3.util import Timeout

from kaniko_shim import __version__
from kaniko_shim.net.basic_auth import basic_auth
from kaniko_shim.net.proxies import connect
from kaniko_shim.net.tls import tls_context
from kaniko_shim.registry.docker_config import Login
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.system.json_text import load_json

TIMEOUT = Timeout(connect=3, read=5)
"""Seconds; a slow registry must not delay the build."""

LARGEST_ANSWER = 1024 * 1024
"""Bytes of an answer that are read; a token has a few thousand."""

_CLIENT = "kaniko-shim"
_CHALLENGE = re.compile(r'(\w{1,40})="([^"]*)"')
_DOCKER_HUB_API = "registry-1.docker.io"


class RefusedError(Exception):
    """The registry refused; the message has the form of the executor's and crane's errors."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, of whose body the first MiB is kept."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Session:
    """Authorized requests to one repository.

    Attributes:
        base: `https://host`, or `http://host`.
        repository: its path.
    """

    base: str
    repository: str
    _pool: urllib3.PoolManager = field(repr=False)
    _headers: Mapping[str, str] = field(repr=False)

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request without a body; redirects are not followed.

        Raises:
            HTTPError, ssl.SSLError: the server cannot be reached.
        """
        return _send(self._pool, method, url, {**self._headers, **(headers or {})})


@dataclass(frozen=True, slots=True)
class RegistryApi:
    """Opens sessions.

    Attributes:
        registries: the settings for registries.
        logins: the credentials; None: there are none.
        environment: proxies and CA bundles.
    """

    registries: Registries
    logins: Logins | None = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)

    def bases(self, registry: str) -> Iterator[str]:
        """Where a registry may be, in order."""
        host = _DOCKER_HUB_API if registry == "index.docker.io" else registry
        yield f"https://{host}"
        if registry in self.registries.insecure:
            yield f"http://{host}"

    @contextmanager
    def session(self, base: str, image: ImageReference, actions: str) -> Iterator[Session]:
        """A session with the repository of an image.

        Args:
            base: one of `bases`.
            image: its name.
            actions: what the session is for: `pull`, or `pull,push`.

        Raises:
            HTTPError, ssl.SSLError: the server cannot be reached.
            RefusedError: it gives no token.
            JobError: RegistryUnauthorized; a credential helper that the Docker config names failed.
        """
        with connect(base, self.environment, self._context(base, image.registry)) as pool:
            yield Session(base, image.repository, pool, self._authorization(pool, base, image, actions))

    def _authorization(
        self, pool: urllib3.PoolManager, base: str, image: ImageReference, actions: str
    ) -> dict[str, str]:
        """The headers that authorize each request, by the rules of crane."""
        ping = _send(pool, "GET", f"{base}/v2/")
        login = self.logins.login(image.registry, image.repository) if self.logins else None
        scheme, _, rest = ping.headers.get("WWW-Authenticate", "").partition(" ")
        if ping.status != HTTPStatus.UNAUTHORIZED or scheme.lower() != "bearer":
            return _basic(login)
        if login and login.registry_token:
            return {"Authorization": f"Bearer {login.registry_token}"}
        return {"Authorization": f"Bearer {self._token(base, dict(_CHALLENGE.findall(rest)), image, login, actions)}"}

    def _token(
        self, base: str, challenge: Mapping[str, str], image: ImageReference, login: Login | None, actions: str
    ) -> str:
        realm = challenge.get("realm", "")
        if problem := _realm_problem(realm, base):
            raise RefusedError(f"GET {base}/v2/: invalid realm in www-authenticate: {problem}")
        asked = {"service": challenge.get("service", ""), "scope": f"repository:{image.repository}:{actions}"}
        registry = urlsplit(base).hostname or ""
        with connect(realm, self.environment, self._context(realm, image.registry), registry) as server:
            if login and login.identity_token:
                grant = {"grant_type": "refresh_token", "refresh_token": login.identity_token, "client_id": _CLIENT}
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                answer = _send(server, "POST", realm, kind, urlencode({**grant, **asked}))
            else:
                parts = urlsplit(realm)
                query = urlencode({**dict(parse_qsl(parts.query)), **asked})
                answer = _send(server, "GET", parts._replace(query=query, fragment="").geturl(), _basic(login))
        if answer.status != HTTPStatus.OK:
            raise RefusedError(refusal("GET", realm, answer))
        document = _json(answer)
        return str(document.get("token") or document.get("access_token") or "")

    def _context(self, url: str, registry: str) -> ssl.SSLContext | None:
        """The TLS context for a server: lenient for a registry that the request lists, and for its own host only."""
        parts = urlsplit(url)
        if parts.scheme != "https":
            return None
        own = parts.hostname == urlsplit(f"//{registry}").hostname and self.registries.is_lenient(registry)
        return tls_context(self.environment, verify=not (own or self.registries.is_lenient(parts.netloc)))


def _send(
    pool: urllib3.PoolManager, method: str, url: str, headers: Mapping[str, str] | None = None, body: str | None = None
) -> Answer:
    sent = {"User-Agent": f"{_CLIENT}/{__version__}", "Accept-Encoding": "identity", **(headers or {})}
    response = pool.request(
        method, url, headers=sent, body=body, redirect=False, retries=False, timeout=TIMEOUT, preload_content=False
    )
    content = response.read(LARGEST_ANSWER, decode_content=False)
    return Answer(response.status, response.reason or "", response.headers, content)


def _basic(login: Login | None) -> dict[str, str]:
    return basic_auth(login.username, login.password) if login and login.username else {}


def _realm_problem(realm: str, base: str) -> str:
    """Why no credentials are sent to a realm; empty if they may be.

    The rules are those of crane: https://github.com/google/go-containerregistry/issues/2258. A registry that speaks
    plain HTTP may name its own host only, since anyone on the way could have written the realm.
    """
    try:
        parts = urlsplit(realm)
        host = parts.hostname or ""
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in {"https", "http"} or not host:
        return "it is not an https:// URL"
    if origin(realm) == origin(base):
        return ""
    if parts.scheme == "http" and not (base.startswith("http://") and host == urlsplit(base).hostname):
        return "its scheme is http"
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    # The mapped address is the one that is connected to.
    address = getattr(address, "ipv4_mapped", None) or address
    return "" if address.is_global or host == urlsplit(base).hostname else f"{host} is a private address"


def origin(url: str) -> tuple[str, str]:
    """The scheme and the host of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def refusal(method: str, url: str, answer: Answer) -> str:
    """What a registry refused, in the form of the executor's and crane's errors."""
    errors = _json(answer).get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    if code := first.get("code"):
        return f"{method} {url}: {code}: {first.get('message') or ''}"
    return f"{method} {url}: unexpected status code {answer.status} {answer.reason}".rstrip()


def _json(answer: Answer) -> dict[str, object]:
    try:
        document: object = load_json(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
