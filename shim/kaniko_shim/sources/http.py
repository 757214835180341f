"""An archive behind an HTTP URL: streamed, with retries, and with credentials for one host only."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from urllib.parse import unquote, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError
from urllib3.util import Timeout

from kaniko_shim import __version__
from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK
from kaniko_shim.errors import JobError
from kaniko_shim.masking import mask_url
from kaniko_shim.reasons import Reason
from kaniko_shim.result import SourceReport
from kaniko_shim.source_request import SourceRequest
from kaniko_shim.sources.archive import unpack_stream
from kaniko_shim.sources.place import Place
from kaniko_shim.sources.proxies import connect
from kaniko_shim.sources.trust import tls_context

ATTEMPTS = 5
FIRST_PAUSE = 1.0
"""Seconds before the second attempt; each further pause is twice as long."""

LONGEST_PAUSE = 60.0
"""Seconds that a server may ask for with Retry-After."""

TIMEOUT = Timeout(connect=20, read=60)

LONGEST_FETCH = 3600
"""Seconds that one attempt may take."""

_REDIRECTS = 10
_MOVED = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNAUTHORIZED = frozenset({401, 403, 407})
_MISSING = frozenset({404, 410})
_OK = 200


class _TryAgainError(Exception):
    def __init__(self, problem: str, pause: float = 0) -> None:
        super().__init__(problem)
        self.pause = pause


def fetch_http(
    url: str, request: SourceRequest, place: Place, sleep: Callable[[float], None] = time.sleep
) -> SourceReport:
    """Fetch and unpack an archive.

    Args:
        url: where it is.
        request: credentials, limits and the checksum.
        place: where it goes.
        sleep: waits for a number of seconds.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    pause = FIRST_PAUSE
    problem = ""
    shown = mask_url(url)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(url, request, place)
        except _TryAgainError as error:
            problem = str(error)
            if attempt < ATTEMPTS:
                wait = min(max(pause, error.pause), LONGEST_PAUSE)
                place.say(f"fetching {shown} failed ({problem}); attempt {attempt + 1} of {ATTEMPTS} in {wait:.0f} s")
                sleep(wait)
                pause *= 2
                place.clear()
    raise JobError(
        Reason.SOURCE_UNAVAILABLE, f"The context could not be fetched from {shown} in {ATTEMPTS} attempts: {problem}."
    )


def _attempt(url: str, request: SourceRequest, place: Place) -> SourceReport:
    shown = mask_url(url)
    try:
        with ExitStack() as connections:
            response = _follow(url, request, place.environment, connections)
            if response.status != _OK:
                raise _refusal(response, shown)
            expected = response.headers.get("Content-Length", "")
            body = _Body(response, int(expected) if expected.isdigit() else None)
            return unpack_stream(Buffered(body.piece), request, place.into, place.scratch, shown)
    except SSLError as error:
        raise _untrusted(shown, error) from error
    except MaxRetryError as error:
        if isinstance(error.reason, SSLError):
            raise _untrusted(shown, error.reason) from error
        raise _TryAgainError(_plain(error.reason or error)) from error
    except HTTPError as error:
        raise _TryAgainError(_plain(error)) from error


def _follow(
    url: str, request: SourceRequest, environment: Mapping[str, str], connections: ExitStack
) -> urllib3.BaseHTTPResponse:
    origin = _origin(url)
    credentials = _credentials(url, request)
    for _ in range(_REDIRECTS + 1):
        headers = {"User-Agent": f"kaniko-shim/{__version__}", "Accept-Encoding": "identity"}
        if credentials and _origin(url) == origin:
            headers |= urllib3.util.make_headers(basic_auth=credentials)
        bare = _without_userinfo(url)
        context = tls_context(environment) if bare.startswith("https:") else None
        pool = connections.enter_context(connect(bare, environment, context))
        response = pool.request(
            "GET", bare, headers=headers, preload_content=False, redirect=False, retries=False, timeout=TIMEOUT
        )
        location = response.headers.get("Location")
        if response.status not in _MOVED or not location:
            return response
        url = urljoin(bare, location)
        if urlsplit(url).scheme not in {"http", "https"}:
            raise JobError(
                Reason.SOURCE_INVALID, f"{mask_url(bare)} leads to a URL that is neither http:// nor https://."
            )
    raise JobError(Reason.SOURCE_INVALID, f"{mask_url(url)} was reached after {_REDIRECTS} redirects without an end.")


class _Body:
    """A response's body, which knows when it was cut off."""

    def __init__(self, response: urllib3.BaseHTTPResponse, expected: int | None) -> None:
        self._response = response
        self._deadline = time.monotonic() + LONGEST_FETCH
        self._left = expected

    def piece(self) -> bytes:
        """What has arrived, empty at the end: waiting for more would let a trickle go on for ever."""
        content = self._response.read1(CHUNK, decode_content=False)
        if time.monotonic() > self._deadline:
            raise _TryAgainError(f"it took longer than {LONGEST_FETCH} s")
        if self._left is not None:
            self._left -= len(content)
            if not content and self._left > 0:
                raise _TryAgainError("the connection ended early")
        return content


def _refusal(response: urllib3.BaseHTTPResponse, shown: str) -> Exception:
    status = response.status
    answer = f"The server of the context answered {status} {response.reason or ''}".rstrip() + f" to {shown}."
    if status in _AGAIN:
        after = response.headers.get("Retry-After", "")
        return _TryAgainError(f"the server answered {status}", float(after) if after.isdigit() else 0)
    if status in _UNAUTHORIZED:
        return JobError(Reason.SOURCE_UNAUTHORIZED, answer)
    if status in _MISSING:
        return JobError(Reason.SOURCE_NOT_FOUND, answer)
    return JobError(Reason.SOURCE_INVALID, answer)


def _untrusted(shown: str, error: Exception) -> JobError:
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        raise _TryAgainError(_plain(error)) from error
    return JobError(
        Reason.SOURCE_UNAVAILABLE,
        f"The certificate of {shown} is not trusted.",
        hint=f"Mount the authority's certificate into {os.environ.get('SSL_CERT_DIR', 'SSL_CERT_DIR')}.",
    )


def _plain(error: object) -> str:
    # urllib3 puts the connection's repr before the message.
    return mask_url(str(error).rpartition(">: ")[2] or type(error).__name__)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _credentials(url: str, request: SourceRequest) -> str:
    parts = urlsplit(url)
    if request.username or request.password:
        return f"{request.username}:{request.password}"
    if parts.username is not None:
        return f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return ""


def _without_userinfo(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
