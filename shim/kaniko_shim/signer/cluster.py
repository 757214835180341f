"""The signer's questions to the API server: whose token it is, and what it has of the pod and the build."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import urllib3
from imagebuild_vocabulary.names import API_VERSION, SIGNER_AUDIENCE
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from kaniko_shim.signer.policy import RefusedError
from kaniko_shim.system.json_text import load_json

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT: Final = Timeout(connect=5, read=20)
_OK: Final = frozenset({200, 201})
_NOT_FOUND, _UNAVAILABLE, _FORBIDDEN = 404, 503, 403


@dataclass(frozen=True, slots=True)
class Cluster:
    """The API server.

    Attributes:
        pool: connections to it.
        account: the directory with the token of the signer's ServiceAccount, which is renewed there.
    """

    pool: urllib3.HTTPSConnectionPool
    account: Path = ACCOUNT

    @classmethod
    def of(cls, environment: Mapping[str, str], account: Path = ACCOUNT) -> "Cluster":
        """The API server of the cluster that the signer runs in.

        Raises:
            ValueError: it runs in none.
        """
        host, port = environment.get("KUBERNETES_SERVICE_HOST", ""), environment.get("KUBERNETES_SERVICE_PORT", "443")
        if not host or not (account / "token").exists():
            raise ValueError("`sign` runs in a pod with a ServiceAccount: the chart's signer.enabled makes it")
        context = ssl.create_default_context(cafile=str(account / "ca.crt"))
        pool = urllib3.HTTPSConnectionPool(
            host, int(port), ssl_context=context, timeout=_TIMEOUT, retries=False, maxsize=8
        )
        return cls(pool, account)

    def review(self, token: str) -> Mapping[str, Any]:
        """The TokenReview of a token.

        Raises:
            RefusedError: 503, the API server does not answer.
        """
        asked = {"token": token, "audiences": [SIGNER_AUDIENCE]}
        document = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": asked}
        return self._ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", document)

    def pod(self, namespace: str, name: str) -> Mapping[str, Any]:
        """A pod.

        Raises:
            RefusedError: 403, there is none; 503, the API server does not answer.
        """
        return self._ask("GET", f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(name)}")

    def build(self, namespace: str, name: str) -> Mapping[str, Any]:
        """An ImageBuild.

        Raises:
            RefusedError: 403, there is none; 503, the API server does not answer.
        """
        return self._ask("GET", f"/apis/{API_VERSION}/namespaces/{quote(namespace)}/imagebuilds/{quote(name)}")

    def _ask(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {(self.account / 'token').read_text().strip()}"}
        body = None
        if document is not None:
            body = json.dumps(document)
            headers["Content-Type"] = "application/json"
        try:
            answer = self.pool.request(method, path, body=body, headers=headers, redirect=False)
            found = load_json(answer.data) if answer.status in _OK else None
        except (HTTPError, OSError, ValueError) as error:
            raise RefusedError(_UNAVAILABLE, f"the API server does not answer ({type(error).__name__})") from error
        if answer.status == _NOT_FOUND:
            raise RefusedError(_FORBIDDEN, f"there is no {path}")
        if not isinstance(found, dict):
            raise RefusedError(_UNAVAILABLE, f"the API server answers {answer.status} to {method} {path}")
        return found
