"""The API server: the only module that talks to it, and the only importer of `kubernetes`.

Objects go in and out as plain dicts. Every call has a timeout; the client library itself has none.
"""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.request import getproxies

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.client.rest import RESTResponse
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from imagebuild_operator.api.errors import ClusterError, ConflictError, NotFoundError, RejectedError, StandbyError
from imagebuild_operator.api.names import DEFAULTS_PLURAL, GROUP, PLURAL, VERSION
from imagebuild_operator.settings import LeaseSettings
from imagebuild_operator.telemetry.prometheus import Meters

Json = dict[str, Any]

#: Seconds until a call that is not answered is given up.
TIMEOUT: Final = 30.0
#: The same for the question whether it answers at all, which a probe of the kubelet waits for.
PING_TIMEOUT: Final = 3.0
#: Connections to the API server at once.
CONNECTIONS: Final = 50
#: Lines and bytes of a log that are read at most, and the seconds that it may take: the API server asks the node,
#: which may be away. The shim tells of the step at least once in as many lines.
LOG_LINES: Final = 600
LOG_BYTES: Final = 256 * 1024
LOG_TIMEOUT: Final = 5.0
#: Seconds for which one watch lasts.
WATCH: Final = 300
#: Objects in one piece of a list.
PAGE: Final = 500

#: Kubernetes' words for what a method does to one object.
_VERBS: Final = {"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}
_ERRORS: Final[Mapping[int, type[ClusterError]]] = {
    400: RejectedError,
    403: RejectedError,
    404: NotFoundError,
    409: ConflictError,
    422: RejectedError,
}


class Cluster:
    """The calls that the operator makes. All raise `ClusterError` or one of its kinds."""

    def __init__(self, client: ApiClient, meters: Meters, selector: str) -> None:
        self._client = client
        self._meters = meters
        #: Where there is one, an ImageBuild that it does not select is as one that is not there.
        self._selector = selector
        #: Asked before each write but those of the Lease: an operator that has lost it must not write any more.
        self.may_write: Callable[[], bool] = lambda: True

    @classmethod
    async def connect(cls, meters: Meters, selector: str = "") -> "Cluster":
        """Use the pod's ServiceAccount, or else the current context of KUBECONFIG.

        Args:
            meters: Told of each call.
            selector: Label selector of the ImageBuilds that are this installation's; empty for all.
        """
        configuration = Configuration()
        configuration.connection_pool_maxsize = CONNECTIONS
        # Else each request waits for a thread that looks for a proxy, and for a ~/.netrc.
        configuration.client_session_kwargs = {"trust_env": bool(getproxies())}
        try:
            load_incluster_config(configuration)
        except ConfigException:
            await load_kube_config(client_configuration=configuration)
        return cls(ApiClient(configuration), meters, selector)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def answers(self, namespace: str) -> bool:
        """Whether the API server lists ImageBuilds of a namespace, or of all where it is empty."""
        try:
            await self._send("GET", _builds_path(namespace), query={"limit": "1"}, verb="list", timeout=PING_TIMEOUT)
        except ClusterError:
            return False
        return True

    async def get_build(self, namespace: str, name: str) -> Json:
        """Read an ImageBuild."""
        if not self._selector:
            return await self._call("GET", _build_path(namespace, name))
        # To read one by its name would give another installation's, too.
        query = self._selected(f"metadata.name={name}")
        answer = await self._call("GET", _builds_path(namespace), query=query, verb="list")
        for body in answer.get("items") or ():
            return dict(body)
        raise NotFoundError(404, f"no ImageBuild {name} is selected by {self._selector}")

    async def selects(self, namespace: str, fields: str) -> bool:
        """Whether ImageBuilds can be selected by these fields; not before Kubernetes 1.31, nor with an older CRD."""
        try:
            await self._call("GET", _builds_path(namespace), query={"fieldSelector": fields, "limit": "1"}, verb="list")
        except (RejectedError, NotFoundError):
            return False
        return True

    def list_builds(self, namespace: str, fields: str = "") -> AsyncIterator[Json]:
        """The ImageBuilds of a namespace, or of all where it is empty, that a field selector selects."""
        return self._list(_builds_path(namespace), self._selected(fields))

    def page_builds(self, namespace: str, fields: str) -> AsyncIterator[Json]:
        """The same as lists of some hundred."""
        return self._pages(_builds_path(namespace), self._selected(fields))

    async def watch_builds(self, namespace: str, fields: str, since: str) -> AsyncIterator[tuple[str, Json]]:
        """What happens to the ImageBuilds that a field selector selects, for some minutes; BOOKMARKs, too."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH)}
        query |= {**self._selected(fields), "resourceVersion": since}
        with _translated():
            response = await self._open("GET", _builds_path(namespace), None, query, WATCH + TIMEOUT)
            if response.status != 200:  # noqa: PLR2004 - OK
                raise _error(response.status, await response.read())
            rest = b""
            async for chunk in response.response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise _error(event["object"].get("code") or 0, json.dumps(event["object"]))
                    yield event["type"], event["object"]

    async def get_defaults(self, namespace: str) -> Json | None:
        """The ImageBuildDefaults of a namespace; None where it has none, or there is no such resource."""
        try:
            return await self._call("GET", f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{DEFAULTS_PLURAL}/default")
        except NotFoundError:
            return None

    async def list_defaults(self, namespace: str) -> AsyncIterator[Json]:
        """The ImageBuildDefaults of a namespace, or of all where it is empty; none where there is no such resource."""
        inside = f"/namespaces/{namespace}" if namespace else ""
        try:
            async for body in self._list(f"/apis/{GROUP}/{VERSION}{inside}/{DEFAULTS_PLURAL}"):
                yield body
        except NotFoundError:
            return

    def list_pods(self, namespace: str, selector: str) -> AsyncIterator[Json]:
        """The pods with these labels of a namespace, or of all where it is empty."""
        inside = f"/namespaces/{namespace}" if namespace else ""
        return self._list(f"/api/v1{inside}/pods", {"labelSelector": selector})

    async def patch_build_status(self, namespace: str, name: str, resource_version: str, status: Json) -> Json:
        """Merge fields into the status of an ImageBuild, if it is still at that version; its new body."""
        body = {"metadata": {"resourceVersion": resource_version}, "status": status}
        return await self._call("PATCH", f"{_build_path(namespace, name)}/status", body)

    async def delete_build(self, namespace: str, name: str, uid: str) -> None:
        """Delete an ImageBuild of that name and uid; its pods go with it. That it is gone already is as good."""
        preconditions = {"uid": uid}
        if self._selector:
            # It may have become another installation's meanwhile, which then has its own rules on what goes.
            try:
                body = await self.get_build(namespace, name)
            except NotFoundError:
                return
            preconditions["resourceVersion"] = body["metadata"]["resourceVersion"]
        await self._delete(_build_path(namespace, name), preconditions)

    async def get_pod(self, namespace: str, name: str) -> Json:
        """Read a pod."""
        return await self._call("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")

    async def create_pod(self, manifest: Json) -> Json:
        """Create a pod; its body."""
        return await self._call("POST", f"/api/v1/namespaces/{manifest['metadata']['namespace']}/pods", manifest)

    async def delete_pod(self, namespace: str, name: str, uid: str) -> None:
        """Delete a pod of that name and uid; that it is gone already is as good."""
        await self._delete(f"/api/v1/namespaces/{namespace}/pods/{name}", {"uid": uid})

    async def read_log(self, namespace: str, pod: str, container: str) -> str:
        """The end of the log of a container that runs, as far as it is worth looking at."""
        query = {"container": container, "tailLines": str(LOG_LINES), "limitBytes": str(LOG_BYTES)}
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        text = await self._send("GET", path, query=query, timeout=LOG_TIMEOUT)
        return text.decode("utf-8", "replace")

    async def list_pod_events(self, namespace: str, uid: str) -> list[Json]:
        """The Events about a pod, in no order."""
        query = {"fieldSelector": f"involvedObject.uid={uid}", "limit": "50"}
        answer = await self._call("GET", f"/api/v1/namespaces/{namespace}/events", query=query, verb="list")
        return list(answer.get("items") or ())

    async def create_event(self, event: Json) -> None:
        """Create an Event."""
        await self._call("POST", f"/api/v1/namespaces/{event['metadata']['namespace']}/events", event)

    async def get_lease(self, place: LeaseSettings) -> Json:
        """Read a Lease."""
        return await self._ask("GET", f"{_leases_path(place)}/{place.name}")

    async def create_lease(self, place: LeaseSettings, spec: Json) -> Json:
        """Create a Lease; its body."""
        kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
        body = {**kind, "metadata": {"name": place.name, "namespace": place.namespace}, "spec": spec}
        return await self._ask("POST", _leases_path(place), body)

    async def patch_lease(self, place: LeaseSettings, resource_version: str, spec: Json) -> Json:
        """Merge fields into a Lease, if it is still at that version; its new body."""
        body = {"metadata": {"resourceVersion": resource_version}, "spec": spec}
        return await self._ask("PATCH", f"{_leases_path(place)}/{place.name}", body)

    def _selected(self, fields: str) -> dict[str, str]:
        """The query for the ImageBuilds of this installation that a field selector selects."""
        return {"fieldSelector": fields, **({"labelSelector": self._selector} if self._selector else {})}

    async def _list(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Json]:
        async for page in self._pages(path, query or {}):
            for item in page.get("items") or ():
                yield item

    async def _pages(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Json]:
        """List in pieces, so that thousands of objects are never in memory at once."""
        token = ""
        while True:
            page = await self._call("GET", path, query={**query, "limit": str(PAGE), "continue": token}, verb="list")
            yield page
            token = page.get("metadata", {}).get("continue") or ""
            if not token:
                return

    async def _delete(self, path: str, preconditions: Mapping[str, str]) -> None:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": dict(preconditions)}
        try:
            await self._call("DELETE", path, body)
        except NotFoundError:
            return
        except ConflictError:
            # Mostly since there is another one of that name by now; but not to be believed without a look.
            try:
                found = await self._call("GET", path)
            except NotFoundError:
                return
            if found["metadata"]["uid"] == preconditions["uid"]:
                raise

    async def _call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        verb: str | None = None,
    ) -> Json:
        if method != "GET" and not self.may_write():
            raise StandbyError(0, "another operator holds the lease")
        return await self._ask(method, path, body, query, verb)

    async def _ask(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        verb: str | None = None,
    ) -> Json:
        document: Json = json.loads(await self._send(method, path, body, query, verb))
        return document

    async def _send(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        verb: str | None = None,
        timeout: float = TIMEOUT,  # noqa: ASYNC109 - the client's own, which closes the connection too
    ) -> bytes:
        status: int | None = None
        start = time.perf_counter()
        try:
            with _translated():
                response = await self._open(method, path, body, query, timeout)
                content: bytes = await response.read()
            status = response.status
        except ClusterError as error:
            status = error.status or None
            raise
        finally:
            self._meters.called(verb or _VERBS[method], status, time.perf_counter() - start)
        if not 200 <= status < 300:  # noqa: PLR2004 - the classes of HTTP
            raise _error(status, content, response.headers)
        return content

    async def _open(
        self,
        method: str,
        path: str,
        body: Json | None,
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


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of the client library as those of this package."""
    try:
        yield
    except ApiException as error:
        raise _error(error.status or 0, error.body, error.headers) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ClusterError(0, f"the API server does not answer: {error!r}") from error


def _builds_path(namespace: str) -> str:
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{GROUP}/{VERSION}{inside}/{PLURAL}"


def _build_path(namespace: str, name: str) -> str:
    return f"{_builds_path(namespace)}/{name}"


def _leases_path(place: LeaseSettings) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{place.namespace}/leases"


def _error(status: int, body: str | bytes | None, headers: Mapping[str, str] | None = None) -> ClusterError:
    """Turn an answer into an exception with the API server's own words."""
    try:
        message = str(json.loads(body or "")["message"])
    except (ValueError, KeyError, TypeError):
        message = (body.decode(errors="replace") if isinstance(body, bytes) else body or "").strip()[:500]
    after = (headers or {}).get("Retry-After", "")
    retry_after = float(after) if after.isdecimal() else 0.0
    return _ERRORS.get(status, ClusterError)(status, message or f"the API server answered {status}", retry_after)
