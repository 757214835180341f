"""Requests to the API server: JSON in and out, a timeout for each, and the metrics of all."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.errors import ClusterError, ConflictError, NotFoundError, StandbyError
from imagebuild_operator.client.codec import decode, encode
from imagebuild_operator.client.errors import cluster_error, translated_errors
from imagebuild_operator.client.transport import Transport
from imagebuild_operator.telemetry.prometheus import Metrics

#: Seconds after which a request without an answer is given up; the client library itself has no timeout.
TIMEOUT: Final = 30.0
#: Connections to the API server at once.
CONNECTIONS: Final = 50
#: Objects in one page of a list at most, and in the first: an ImageBuild may have a megabyte.
PAGE: Final = 500
FIRST_PAGE: Final = 20
#: Bytes that a page should have. They take several times as much memory while they are parsed.
PAGE_BYTES: Final = 4 * 1024 * 1024

#: The verbs of Kubernetes for what an HTTP method does to one object.
_VERBS: Final = {"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}


class Session:
    """A session with the API server. Every method raises `ClusterError` or one of its kinds."""

    def __init__(self, transport: Transport, metrics: Metrics) -> None:
        self._transport = transport
        self._metrics = metrics
        #: Called before each write except those of the Lease: an operator that has lost the Lease must not write.
        self.may_write: Callable[[], bool] = lambda: True
        #: Called with the HTTP status of each answer.
        self.answered: Callable[[int], None] = lambda _: None

    @classmethod
    async def open(cls, metrics: Metrics) -> "Session":
        """Use the pod's ServiceAccount, or else the current context of KUBECONFIG."""
        configuration = Configuration()
        configuration.connection_pool_maxsize = CONNECTIONS
        try:
            load_incluster_config(configuration)
        except ConfigException:
            await load_kube_config(client_configuration=configuration)
        return cls(Transport(configuration), metrics)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def call(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        query: Mapping[str, str] | None = None,
        verb: str | None = None,
    ) -> Document:
        """Make a request as the leader; the JSON document of the answer.

        Raises:
            StandbyError: it is a write, and this operator is not the leader (any more).
        """
        if method != "GET" and not self.may_write():
            raise StandbyError(0, "this operator is not the leader")
        return await self.call_always(method, path, body, query, verb)

    async def call_always(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        query: Mapping[str, str] | None = None,
        verb: str | None = None,
    ) -> Document:
        """Make a request whether this operator is the leader or not: those of the Lease itself."""
        document: Document = decode(await self.send(method, path, body, query, verb))
        return document

    async def items(
        self, path: str, query: Mapping[str, str] | None = None, size: int = PAGE
    ) -> AsyncIterator[Document]:
        """List objects one by one."""
        async for page in self.pages(path, query or {}, size):
            for item in page.get("items") or ():
                yield item

    async def pages(self, path: str, query: Mapping[str, str], size: int = PAGE) -> AsyncIterator[Document]:
        """List objects page by page, so that thousands of them are never in memory at once.

        Args:
            path: The objects' path.
            query: What to select.
            size: Objects in one page at most. Pages are made smaller where objects are large.
        """
        token, limit = "", min(size, FIRST_PAGE)
        while True:
            asked = {**query, "limit": str(limit), "continue": token}
            content = await self.send("GET", path, query=asked, verb="list")
            limit = next_page(limit, len(content), size)
            page: Document = decode(content)
            del content
            yield page
            token = page.get("metadata", {}).get("continue") or ""
            if not token:
                return

    async def delete(self, path: str, preconditions: Mapping[str, str]) -> Document | None:
        """Delete the object with that uid; the answer, or None if it is gone already."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": dict(preconditions)}
        try:
            return await self.call("DELETE", path, body)
        except NotFoundError:
            return None
        except ConflictError:
            # Mostly since there is another one of that name by now; but not to be believed without a look.
            try:
                found = await self.call("GET", path)
            except NotFoundError:
                return None
            if found["metadata"]["uid"] == preconditions["uid"]:
                raise
            return None

    async def send(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        query: Mapping[str, str] | None = None,
        verb: str | None = None,
        timeout: float = TIMEOUT,  # noqa: ASYNC109 - the client's own, which closes the connection too
        most: int | None = None,
    ) -> bytes:
        """Make a request; the content of the answer, which need not be JSON, or its first `most` bytes."""
        status: int | None = None
        start = time.perf_counter()
        try:
            with translated_errors():
                response = await self._open(method, path, body, query, timeout)
                content: bytes = await (response.read() if most is None else _read(response, most))
            status = response.status
        except ClusterError as error:
            status = error.status or None
            raise
        finally:
            self._answered(verb or _VERBS[method], status, time.perf_counter() - start)
        if not 200 <= status < 300:  # noqa: PLR2004 - the classes of HTTP
            raise cluster_error(status, content, response.headers)
        return content

    def _answered(self, verb: str, status: int | None, seconds: float) -> None:
        self._metrics.count_request(verb, status, seconds)
        if status is not None:
            self.answered(status)

    async def _open(
        self,
        method: str,
        path: str,
        body: Document | None,
        query: Mapping[str, str] | None,
        timeout: float,  # noqa: ASYNC109 - see above
    ) -> aiohttp.ClientResponse:
        content = None if body is None else encode(body)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        return await self._transport.request(method, path, query or {}, content, kind, timeout)


def next_page(limit: int, content: int, most: int = PAGE) -> int:
    """How many objects to ask for next.

    Args:
        limit: How many were asked for.
        content: Bytes of the answer.
        most: How many may be asked for.
    """
    # Growing in steps: the objects after small ones may be large.
    return max(1, min(most, 4 * limit, limit * PAGE_BYTES // max(1, content)))


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Read an answer up to a number of bytes; a longer one is cut there, and its connection is closed."""
    content = b""
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > most:
            response.close()
            break
    return content[:most]
