"""Requests to the API server: JSON in and out, a timeout for each, and the metrics of all."""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final
from urllib.request import getproxies

from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.rest import RESTResponse
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.errors import ClusterError, ConflictError, NotFoundError, StandbyError
from imagebuild_operator.client.errors import cluster_error, translated_errors
from imagebuild_operator.client.watch_stream import complete_lines, parse_event
from imagebuild_operator.telemetry.prometheus import Metrics

#: Seconds after which a request without an answer is given up; the client library itself has no timeout.
TIMEOUT: Final = 30.0
#: Connections to the API server at once.
CONNECTIONS: Final = 50
#: Seconds for which one watch lasts.
WATCH: Final = 300
#: Objects in one page of a list.
PAGE: Final = 500

#: The verbs of Kubernetes for what an HTTP method does to one object.
_VERBS: Final = {"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}


class Session:
    """A session with the API server. Every method raises `ClusterError` or one of its kinds."""

    def __init__(self, client: ApiClient, metrics: Metrics) -> None:
        self._client = client
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
        # Else each request waits for a thread that looks for a proxy, and for a ~/.netrc.
        configuration.client_session_kwargs = {"trust_env": bool(getproxies())}
        try:
            load_incluster_config(configuration)
        except ConfigException:
            await load_kube_config(client_configuration=configuration)
        return cls(ApiClient(configuration), metrics)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

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
        document: Document = json.loads(await self.send(method, path, body, query, verb))
        return document

    async def items(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Document]:
        """List objects one by one."""
        async for page in self.pages(path, query or {}):
            for item in page.get("items") or ():
                yield item

    async def pages(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Document]:
        """List objects page by page, so that thousands of them are never in memory at once."""
        token = ""
        while True:
            page = await self.call("GET", path, query={**query, "limit": str(PAGE), "continue": token}, verb="list")
            yield page
            token = page.get("metadata", {}).get("continue") or ""
            if not token:
                return

    async def watch(self, path: str, query: Mapping[str, str], silence: float) -> AsyncIterator[tuple[str, Document]]:
        """Watch objects for some minutes: the type of each event, BOOKMARK included, and its object.

        Args:
            path: The objects' path.
            query: Where to start, and what to select.
            silence: Seconds without a byte, bookmarks included, after which the watch counts as lost.

        Raises:
            ClusterError: the watch failed, was lost, or sent something that is no event.
        """
        parameters = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH), **query}
        start, status = time.perf_counter(), None
        try:
            with translated_errors():
                response = await self._open("GET", path, None, parameters, WATCH + TIMEOUT)
            status = response.status
        finally:
            self._answered("watch", status, time.perf_counter() - start)
        try:
            with translated_errors():
                if status != 200:  # noqa: PLR2004 - OK
                    raise cluster_error(status, await response.read(), response.headers)
                async for line in complete_lines(response.response.content.iter_any(), silence):
                    kind, body = parse_event(line)
                    if kind == "ERROR":
                        raise cluster_error(body.get("code") or 0, json.dumps(body))
                    yield kind, body
        finally:
            response.response.close()

    async def delete(self, path: str, preconditions: Mapping[str, str]) -> bool:
        """Delete the object with that uid; False if it is gone already."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": dict(preconditions)}
        try:
            await self.call("DELETE", path, body)
        except NotFoundError:
            return False
        except ConflictError:
            # Mostly since there is another one of that name by now; but not to be believed without a look.
            try:
                found = await self.call("GET", path)
            except NotFoundError:
                return False
            if found["metadata"]["uid"] == preconditions["uid"]:
                raise
            return False
        return True

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
    ) -> RESTResponse:
        headers = {"Accept": "application/json, */*"}
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        request = await self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        return await self._client.call_api(*request, _request_timeout=timeout)


async def _read(response: RESTResponse, most: int) -> bytes:
    """Read an answer up to a number of bytes; a longer one is cut there, and its connection is closed."""
    content = b""
    async for chunk in response.response.content.iter_any():
        content += chunk
        if len(content) > most:
            response.response.close()
            break
    return content[:most]
