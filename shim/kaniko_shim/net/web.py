"""One GET request: follows redirects, sends credentials to one host only, and explains failures."""

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import urllib3
from imagebuild_vocabulary.remedies import Remedy
from urllib3.exceptions import HTTPError, IncompleteRead, MaxRetryError, ProtocolError, ProxyError, SSLError
from urllib3.util import Timeout

from kaniko_shim import __version__
from kaniko_shim.log.masking import mask_url
from kaniko_shim.net.metadata_guard import refuse_metadata
from kaniko_shim.net.proxies import connect, proxy_unauthorized, refusal_of_proxy
from kaniko_shim.net.tls import tls_context
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

TIMEOUT = Timeout(connect=20, read=60)

_MOST_REDIRECTS = 10
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNAUTHORIZED = frozenset({401, 403})
_PROXY_UNAUTHORIZED = 407
_MISSING = frozenset({404, 410})
_SUCCESS = frozenset({200, 206})
_CHANGED = frozenset({412, 416})
_LONGEST_ERROR = 4096
_MOST_DIGITS = 18
_CODE = re.compile(rb"<Code>\s*([A-Za-z0-9.]{1,60})\s*</Code>")
# urllib3 writes the connection before the message.
_CONNECTION = re.compile(r"^(?:.*>: |HTTPS?Connection(?:Pool)?\([^)]*\): )")
_REGION = "x-amz-bucket-region"


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a request.

    Attributes:
        url: without userinfo.
        headers: headers such as Authorization, which are sent to the URL's own origin only.
        hint: the hint if access is refused; empty for the default of the reason.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    hint: str = ""


class TransientError(Exception):
    """A failure that another attempt may not meet.

    Attributes:
        retry_after: seconds that the server asked to wait.
    """

    def __init__(self, problem: str, retry_after: float = 0) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


class ChangedError(Exception):
    """The rest of a body is not available: the server has something else now."""


def get(
    target: Target,
    shown: str,
    headers: Mapping[str, str],
    environment: Mapping[str, str],
    connections: ExitStack,
) -> urllib3.BaseHTTPResponse:
    """Request the target; the response is a 200 or 206 whose body is unread.

    Args:
        target: the target.
        shown: its name in messages; holds no secret.
        headers: further headers, sent to every host.
        environment: the variables for proxies and CA certificates.
        connections: closes the connections.

    Raises:
        TransientError: another attempt may succeed.
        ChangedError: the server refuses to send a part of the body.
        JobError: SourceUnauthorized, SourceNotFound, SourceInvalid or SourceUnavailable.
    """
    try:
        response = _follow(target, headers, environment, connections)
        if response.status not in _SUCCESS:
            raise _refusal(response, shown, target.hint)
    except HTTPError as error:
        raise explain(error, shown) from error
    return response


def explain(error: HTTPError, shown: str) -> Exception:
    """The failure of a connection: transient, unless the certificate is not trusted."""
    if refusal := refusal_of_proxy(error):
        return refusal
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(reason, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(reason):
        return JobError(
            Reason.SOURCE_UNAVAILABLE,
            f"The certificate of {shown} is not trusted.",
            hint="Set SOURCE_CA to the CA bundle of the server, or mount it into a directory of SSL_CERT_DIR.",
            remedy=Remedy.SOURCE_CA,
        )
    if isinstance(reason, ProtocolError) and any(isinstance(part, IncompleteRead) for part in reason.args):
        return TransientError("the connection ended early")
    text = str(reason.args[0]) if len(reason.args) > 1 else str(reason)
    if isinstance(reason, ProxyError):
        text += f": {reason.original_error}"
    return TransientError(mask_url(_CONNECTION.sub("", text) or type(reason).__name__))


def _follow(
    target: Target, further: Mapping[str, str], environment: Mapping[str, str], connections: ExitStack
) -> urllib3.BaseHTTPResponse:
    url = target.url
    origin = urlsplit(url).hostname or ""
    for _ in range(_MOST_REDIRECTS + 1):
        headers = {"User-Agent": f"kaniko-shim/{__version__}", "Accept-Encoding": "identity", **further}
        if _origin(url) == _origin(target.url):
            headers |= target.headers
        context = tls_context(environment) if url.startswith("https:") else None
        pool = connections.enter_context(connect(url, environment, context, origin))
        response = pool.request(
            "GET", url, headers=headers, preload_content=False, redirect=False, retries=False, timeout=TIMEOUT
        )
        location = response.headers.get("Location")
        if response.status not in _REDIRECT or not location:
            return response
        url = _next(url, location)
        refuse_metadata(url, origin)
    raise JobError(
        Reason.SOURCE_INVALID,
        f"The server of the context redirects more than {_MOST_REDIRECTS} times, at last to {mask_url(url)}.",
    )


def _next(url: str, location: str) -> str:
    try:
        found = urljoin(url, location)
        parts = urlsplit(found)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise JobError(
            Reason.SOURCE_INVALID, f"{mask_url(url)} redirects to a URL that is neither http:// nor https://."
        )
    return found


def whole_number(text: str) -> int | None:
    """The number in a header, or None. `isdigit` alone takes ² too, and Python refuses thousands of digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _refusal(response: urllib3.BaseHTTPResponse, shown: str, hint: str) -> Exception:
    status = response.status
    if status in _TRANSIENT:
        after = whole_number(response.headers.get("Retry-After", ""))
        return TransientError(f"the server answered {status}", float(after or 0))
    if status == _PROXY_UNAUTHORIZED:
        return proxy_unauthorized()
    if status in _CHANGED:
        return ChangedError(f"the server answered {status}")
    words = " ".join(filter(None, [str(status), response.reason or "", _error_code(response)]))
    answer = f"The server of the context answered {words} for {shown}."
    if status in _MISSING:
        return JobError(Reason.SOURCE_NOT_FOUND, answer)
    if region := response.headers.get(_REGION, "") if status not in _UNAUTHORIZED else "":
        return JobError(Reason.SOURCE_INVALID, answer, hint=f"Set SOURCE_S3_REGION={region[:40]}.")
    if status in _UNAUTHORIZED or "ExpiredToken" in words:
        return JobError(Reason.SOURCE_UNAUTHORIZED, answer, hint=hint)
    return JobError(Reason.SOURCE_INVALID, answer)


def _error_code(response: urllib3.BaseHTTPResponse) -> str:
    """The error code in the response of a bucket's server, in brackets; empty if there is none."""
    try:
        found = _CODE.search(response.read(_LONGEST_ERROR, decode_content=False))
    except HTTPError:
        return ""
    return f"({found[1].decode()})" if found else ""


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
