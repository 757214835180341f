"""HTTP requests to the API server, with the addresses and credentials of the client library.

The library's own way of making a request costs the operator as much time as the request itself: it copies each document
and builds each header from templates. Its configuration is used as it is: certificates, proxy, and tokens that expire.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode
from urllib.request import getproxies

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from yarl import URL

#: Bytes of an answer that are kept before the connection is told to wait.
BUFFER: Final = 2**21
#: Seconds for which an unused connection is kept: less than the API server's 90, so that it closes none under a write.
#: A build that comes after a pause needs no TLS handshake then.
KEEPALIVE: Final = 60.0


class Transport:
    """Connections to the API server."""

    def __init__(self, configuration: Configuration) -> None:
        """Make no connection yet.

        Args:
            configuration: Where the API server is, and the credentials.
        """
        self._configuration = configuration
        self._host = str(configuration.host).rstrip("/")
        self._options: dict[str, Any] = {}
        if configuration.tls_server_name:
            self._options["server_hostname"] = configuration.tls_server_name
        if configuration.proxy:
            self._options["proxy"] = configuration.proxy
        if configuration.proxy_headers:
            self._options["proxy_headers"] = configuration.proxy_headers
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        content: bytes | None,
        content_type: str,
        timeout: float,  # noqa: ASYNC109 - aiohttp's own, which closes the connection too
    ) -> aiohttp.ClientResponse:
        """Make a request; the answer, whose content is still to be read."""
        url = f"{self._host}{path}"
        if query:
            url += f"?{urlencode(query, quote_via=quote)}"
        headers = {"Accept": "application/json, */*", **await self._credentials()}
        if content is not None:
            headers["Content-Type"] = content_type
        return await self._connected().request(
            method,
            URL(url, encoded=True),
            data=content,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout),
            **self._options,
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _credentials(self) -> dict[str, str]:
        bearer: Any = (await self._configuration.auth_settings()).get("BearerToken")
        return {bearer["key"]: bearer["value"]} if bearer and bearer["value"] else {}

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._configuration.connection_pool_maxsize,
                ssl=RESTClientObject(self._configuration).ssl_context,
                keepalive_timeout=KEEPALIVE,
            )
            # Else each request waits for a thread that looks for a proxy, and for a ~/.netrc.
            self._session = aiohttp.ClientSession(
                connector=connector, trust_env=bool(getproxies()), read_bufsize=BUFFER
            )
        return self._session
