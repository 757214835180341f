"""Connections, by way of a proxy where the environment names one."""

import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # missing in typeshed

import urllib3


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


def connect(
    url: str, environment: Mapping[str, str], context: ssl.SSLContext | None
) -> urllib3.PoolManager | urllib3.ProxyManager:
    """Connections for one URL."""
    proxy = proxy_for(url, environment)
    if not proxy:
        return urllib3.PoolManager(ssl_context=context)
    userinfo, at, _ = urlsplit(proxy).netloc.rpartition("@")
    headers = urllib3.util.make_headers(proxy_basic_auth=userinfo) if at else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, ssl_context=context)
