"""Connections, through the proxy that the environment names."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address, ip_network
from typing import ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # missing in typeshed

import urllib3
from imagebuild_vocabulary.remedies import Remedy
from urllib3.exceptions import MaxRetryError, ProxyError

from kaniko_shim.net.basic_auth import basic_auth
from kaniko_shim.net.metadata_guard import guarded_pools, refuse_metadata
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

P = ParamSpec("P")
R = TypeVar("R")


def proxy_for(url: str, environment: Mapping[str, str]) -> str:
    """The URL of the proxy for a URL; empty for a direct connection.

    The lower-case variables win. NO_PROXY holds names, whose subdomains count too, IP addresses, networks (CIDR), or *.
    """
    parts = urlsplit(url)
    excluded = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if proxy_bypass_environment(parts.netloc.rpartition("@")[2], {"no": excluded}):
        return ""
    if _is_in_network(parts.hostname or "", excluded):
        return ""
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        if proxy := environment.get(name) or environment.get(name.upper()):
            return proxy if "://" in proxy else f"http://{proxy}"
    return ""


def refusal_of_proxy(error: BaseException | None) -> JobError | None:
    """The failure that an error of a connection means if the proxy refused the user or password; else None."""
    while error is not None:
        if isinstance(error, ProxyError) and str(error.original_error).startswith("Tunnel connection failed: 407"):
            return proxy_unauthorized()
        error = getattr(error, "reason", None) if isinstance(error, MaxRetryError) else error.__cause__
    return None


def proxy_unauthorized() -> JobError:
    """The failure of a request that the proxy answers with 407."""
    return JobError(
        Reason.SOURCE_UNAUTHORIZED,
        "The HTTP proxy refused the user or password (407).",
        hint="Correct the user and password in HTTP_PROXY and HTTPS_PROXY.",
        remedy=Remedy.PROXY_LOGIN,
    )


def _is_in_network(host: str, excluded: str) -> bool:
    """Whether a host is an IP address in one of the networks; names are not resolved."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    for entry in excluded.split(","):
        with suppress(ValueError):
            if address in ip_network(entry.strip().strip("[]"), strict=False):
                return True
    return False


@contextmanager
def connect(
    url: str, environment: Mapping[str, str], context: ssl.SSLContext | None, origin: str = ""
) -> Iterator[urllib3.PoolManager]:
    """Connections for one URL. At the end all are closed, even those whose response was not read to its end.

    Args:
        url: the URL.
        environment: the variables for proxies.
        context: the TLS context for https.
        origin: the host that the user named, which alone may be a metadata server; by default, that of the URL.
    """
    origin = origin or urlsplit(url).hostname or ""
    proxy = proxy_for(url, environment)
    if proxy:
        userinfo, at, _ = urlsplit(proxy).netloc.rpartition("@")
        user, _, password = userinfo.partition(":")
        headers = basic_auth(unquote(user), unquote(password), "Proxy-Authorization") if at else None
        pool: urllib3.PoolManager = urllib3.ProxyManager(proxy, proxy_headers=headers, ssl_context=context)
    else:
        pool = urllib3.PoolManager(ssl_context=context)
        pool.pool_classes_by_scheme = guarded_pools(origin)
    responses = list[urllib3.BaseHTTPResponse]()
    pool.request = _remember(pool.request, responses)  # type: ignore[method-assign] # clear() closes only idle ones
    pool.urlopen = _guard(pool.urlopen, origin)  # type: ignore[method-assign] # it calls itself
    try:
        yield pool
    finally:
        for response in responses:
            response.close()
        pool.clear()


def _remember(call: Callable[P, R], made: list[R]) -> Callable[P, R]:
    def remembering(*args: P.args, **kwargs: P.kwargs) -> R:
        result = call(*args, **kwargs)
        made.append(result)
        return result

    return remembering


def _guard(call: Callable[..., R], origin: str) -> Callable[..., R]:
    """Check where redirects lead."""

    def guarded(method: str, url: str, *args: object, **kwargs: object) -> R:
        refuse_metadata(url, origin)
        return call(method, url, *args, **kwargs)

    return guarded
