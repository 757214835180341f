"""The API server of the cluster of a chaos run, which may be dead at any moment: such calls raise OSError."""

import http.client
import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from cluster import api
from cluster.settings import Cluster
from install import NAMESPACE, RELEASE

MERGE: Final = "application/merge-patch+json"
GROUP: Final = "/apis/imagebuild.dev/v1alpha1"
Json = dict[str, Any]


class Api:
    """Calls of an administrator."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def get(self, path: str) -> Json:
        return self._call("GET", path)

    def text(self, path: str) -> str:
        return self._read("GET", path).decode(errors="replace")

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        with suppress(FileNotFoundError):
            self._call("DELETE", path)

    def post(self, path: str, body: Json) -> Json:
        return self._call("POST", path, body, "application/json")

    def patch(self, path: str, body: Json) -> Json:
        return self._call("PATCH", path, body, MERGE)

    def pods(self, namespace: str) -> list[Json]:
        return list(self.get(f"/api/v1/namespaces/{namespace}/pods")["items"])

    def builds(self, namespace: str, fields: str = "") -> list[Json]:
        query = f"?fieldSelector={quote(fields)}" if fields else ""
        return list(self.get(f"{GROUP}/namespaces/{namespace}/imagebuilds{query}")["items"])

    def events(self, namespace: str) -> list[Json]:
        return list(self.get(f"/api/v1/namespaces/{namespace}/events")["items"])

    def delete_pod(self, pod: Json, grace: int) -> None:
        self._call("DELETE", self._pod(pod), {"gracePeriodSeconds": grace}, "application/json")

    def evict(self, pod: Json) -> None:
        metadata = {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        self.post(f"{self._pod(pod)}/eviction", body)

    def lease_holder(self) -> str:
        """The identity of the leader."""
        name = f"{RELEASE}-imagebuild-operator"
        lease = self.get(f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{name}")
        return str(lease["spec"].get("holderIdentity") or "")

    @staticmethod
    def _pod(pod: Json) -> str:
        return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"

    def _call(self, method: str, path: str, body: Json | None = None, kind: str = "") -> Json:
        found: Json = json.loads(self._read(method, path, body, kind))
        return found

    def _read(self, method: str, path: str, body: Json | None = None, kind: str = "") -> bytes:
        """The answer to one call.

        Raises:
            FileExistsError: the object exists.
            FileNotFoundError: it does not.
            OSError: there was no answer, or another error.
        """
        url, tls = f"{self._cluster.server}{path}", api.administrator(self._cluster)
        content = json.dumps(body).encode() if body is not None else None
        try:
            status, _, answer = api.request(method, url, tls, content, {"Content-Type": kind} if kind else None)
        except http.client.HTTPException as error:
            raise OSError(f"no answer to {method} {path}: {error!r}") from error
        match status:
            case HTTPStatus.CONFLICT:
                raise FileExistsError(answer.decode(errors="replace"))
            case HTTPStatus.NOT_FOUND:
                raise FileNotFoundError(path)
            case _ if status >= HTTPStatus.BAD_REQUEST:
                raise OSError(f"{status} for {method} {path}: {answer.decode(errors='replace')[:500]}")
        return answer
