"""Connections, by way of a proxy where the environment names one."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # missing in typeshed

import urllib3

from kaniko_shim.net.metadata_guard import refuse_metadata

P = ParamSpec("P")
R = TypeVar("R")


def proxy_for(url: str, environment: Mapping[str, str]) -> str:
    """The proxy's URL for a URL, or empty; the lower-case variable wins, as everywhere."""
    parts = urlsplit(url)
    bypass = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if proxy_bypass_environment(parts.netloc.rpartition("@")[2], {"no": bypass}):
        return ""
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        if proxy := environment.get(name) or environment.get(name.upper()):
            return proxy if "://" in proxy else f"http://{proxy}"
    return ""


@contextmanager
def connect(url: str, environment: Mapping[str, str], context: ssl.SSLContext | None) -> Iterator[urllib3.PoolManager]:
    """Connections for one URL; they are closed at the end, even those whose answer was not read to its end."""
    proxy = proxy_for(url, environment)
    if proxy:
        userinfo, at, _ = urlsplit(proxy).netloc.rpartition("@")
        headers = urllib3.util.make_headers(proxy_basic_auth=userinfo) if at else None
        pool: urllib3.PoolManager = urllib3.ProxyManager(proxy, proxy_headers=headers, ssl_context=context)
    else:
        pool = urllib3.PoolManager(ssl_context=context)
    answers = list[urllib3.BaseHTTPResponse]()
    pool.request = _remember(pool.request, answers)  # type: ignore[method-assign] # clear() closes idle ones only
    pool.urlopen = _guard(pool.urlopen, urlsplit(url).hostname or "", proxied=bool(proxy))  # type: ignore[method-assign] # it calls itself
    try:
        yield pool
    finally:
        for answer in answers:
            answer.close()
        pool.clear()


def _remember(call: Callable[P, R], made: list[R]) -> Callable[P, R]:
    def remembering(*args: P.args, **kwargs: P.kwargs) -> R:
        result = call(*args, **kwargs)
        made.append(result)
        return result

    return remembering


def _guard(call: Callable[..., R], origin: str, *, proxied: bool) -> Callable[..., R]:
    """Look at where redirects lead."""

    def guarded(method: str, url: str, *args: object, **kwargs: object) -> R:
        refuse_metadata(url, origin, proxied=proxied)
        return call(method, url, *args, **kwargs)

    return guarded
