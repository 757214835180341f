"""Sigstore's services in the cluster, from their Go modules: Fulcio, Rekor and a timestamp authority in one pod."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cluster.artefacts import SIGSTORE
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from functional.kube import Kubectl
from kubernetes import client
from support.program_image import push_programs
from support.registry import Registry
from support.release import cosign

IMAGE = "imagebuild/sigstore"
NAME = "sigstore"
ORIGIN = "rekor.example.com"
FULCIO, REKOR, TIMESTAMP = 5555, 3000, 3003
ISSUER = "https://kubernetes.default.svc.cluster.local"
CA = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"


@dataclass(frozen=True)
class Sigstore:
    """The services.

    Attributes:
        signing: `spec.output.signing` for them.
        trusted_root: the file by which cosign trusts them.
    """

    signing: dict[str, Any]
    trusted_root: Path

    def identity(self, namespace: str, account: str = "default") -> list[str]:
        """The options of `cosign verify` for what a service account has signed.

        Fulcio has no log of certificates here, which only those that are trusted by everybody need.
        """
        return [
            f"--trusted-root={self.trusted_root}",
            f"--certificate-identity=https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{account}",
            f"--certificate-oidc-issuer={ISSUER}",
            "--use-signed-timestamps",
            "--insecure-ignore-sct",
        ]


@contextmanager
def sigstore_installed(
    registry: Registry, api: client.ApiClient, kubectl: Kubectl, namespace: str, folder: Path
) -> Iterator[Sigstore]:
    """Run the services in a namespace.

    Args:
        registry: Where their image is put.
        api: A client of the cluster.
        kubectl: That of the cluster.
        namespace: Is created for the pod and its Service, and deleted at the end.
        folder: Gets the image and the files to verify with.
    """
    (folder / "layout").mkdir()
    push_programs(registry, folder / "layout", f"{IMAGE}:test", {name: name for name in SIGSTORE})
    key = ec.generate_private_key(ec.SECP256R1())
    kubectl("create", "namespace", namespace)
    binding = f"{namespace}-issuer"
    # Fulcio asks the API server without a name for the keys that tokens are verified with.
    kubectl(
        "create", "clusterrolebinding", binding, "--clusterrole=system:service-account-issuer-discovery",
        "--group=system:unauthenticated",
    )  # fmt: skip
    try:
        objects = {"apiVersion": "v1", "kind": "List", "items": _objects(registry, key)}
        kubectl("apply", f"--namespace={namespace}", "--filename=-", stdin=json.dumps(objects))
        kubectl("wait", "--for=condition=Ready", f"pod/{NAME}", f"--namespace={namespace}", "--timeout=55s")
        yield Sigstore(_signing(namespace), _trusted_root(api, namespace, key, folder))
    finally:
        kubectl("delete", "clusterrolebinding", binding)
        kubectl("delete", "namespace", namespace, "--wait=false")


def _signing(namespace: str) -> dict[str, Any]:
    host = f"http://{NAME}.{namespace}.svc"
    return {
        "keyless": {
            "fulcioURL": f"{host}:{FULCIO}",
            "rekorURL": f"{host}:{REKOR}",
            "timestampURL": f"{host}:{TIMESTAMP}/api/v1/timestamp",
        }
    }


def _trusted_root(api: client.ApiClient, namespace: str, key: ec.EllipticCurvePrivateKey, folder: Path) -> Path:
    def asked(port: int, path: str) -> str:
        url = f"{api.configuration.host}/api/v1/namespaces/{namespace}/pods/http:{NAME}:{port}/proxy{path}"
        # As it is: the timestamp authority gives its certificates to nobody who asks for JSON.
        return str(api.rest_client.pool_manager.request("GET", url, headers={"Accept": "*/*"}).data.decode())

    chains = json.loads(asked(FULCIO, "/api/v2/trustBundle"))["chains"]
    (folder / "fulcio.pem").write_text("".join(chains[0]["certificates"]))
    (folder / "tsa.pem").write_text(asked(TIMESTAMP, "/api/v1/timestamp/certchain"))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "rekor.pub").write_bytes(public)
    start = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    cosign(
        "trusted-root", "create", "--fulcio=url=https://fulcio.example.com,certificate-chain=fulcio.pem",
        f"--rekor=url=https://{ORIGIN},public-key=rekor.pub,start-time={start},origin={ORIGIN}",
        "--tsa=url=https://tsa.example.com,certificate-chain=tsa.pem", "--out=trusted_root.json",
        folder=folder,
    )  # fmt: skip
    return folder / "trusted_root.json"


def _objects(registry: Registry, key: ec.EllipticCurvePrivateKey) -> list[dict[str, Any]]:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    issuers = {"OIDCIssuers": {ISSUER: {"IssuerURL": ISSUER, "ClientID": "sigstore", "Type": "kubernetes"}}}
    files = {"rekor.pem": private.decode(), "fulcio.json": json.dumps(issuers)}
    commands = {
        "fulcio": [
            "/fulcio", "serve", "--config-path=/config/fulcio.json", "--ca=ephemeralca", "--ct-log-url=",
            f"--port={FULCIO}", "--grpc-port=5554", "--metrics-port=2113", "--log_type=prod",
        ],
        "rekor": [
            "/rekor-server", "serve", "--storage-dir=/data", "--signer-filepath=/config/rekor.pem",
            f"--hostname={ORIGIN}", "--http-address=0.0.0.0", f"--http-port={REKOR}", "--checkpoint-interval=1s",
            # Where the other has its own.
            "--http-metrics-port=2114",
        ],
        "timestamp": [
            "/timestamp-server", "serve", "--host=0.0.0.0", f"--port={TIMESTAMP}", "--timestamp-signer=memory",
            "--disable-ntp-monitoring", "--log-type=prod",
        ],
    }  # fmt: skip
    ports = {"fulcio": FULCIO, "rekor": REKOR, "timestamp": TIMESTAMP}
    mounts = [{"name": "config", "mountPath": "/config"}, {"name": "data", "mountPath": "/data"}]
    containers = [
        {
            "name": name,
            "image": f"{registry.name or registry.address}/{IMAGE}:test",
            "command": command,
            "env": [{"name": "SSL_CERT_FILE", "value": CA}, {"name": "HOME", "value": "/data"}],
            "volumeMounts": mounts,
            "readinessProbe": {"tcpSocket": {"port": ports[name]}, "periodSeconds": 1},
        }
        for name, command in commands.items()
    ]
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "stringData": files},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME},
            "spec": {"selector": {"app": NAME}, "ports": [{"name": each, "port": ports[each]} for each in ports]},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": NAME, "labels": {"app": NAME}},
            "spec": {
                "containers": containers,
                "securityContext": {"fsGroup": 65532},
                "terminationGracePeriodSeconds": 1,
                "volumes": [
                    {"name": "config", "secret": {"secretName": NAME}},
                    {"name": "data", "emptyDir": {}},
                ],
            },
        },
    ]
