"""Keys, certificates and kubeconfigs, made by openssl."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from cluster.console import run
from cluster.settings import DNS_DOMAIN, HOST_ADDRESS, KUBERNETES_SERVICE, NODE_NAME, Cluster

DAYS = "3650"
CLIENTS = {
    "admin": "/O=system:masters/CN=admin",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
    "kube-proxy": "/CN=system:kube-proxy",
    "kubelet": f"/O=system:nodes/CN=system:node:{NODE_NAME}",
    "coredns": "/CN=system:coredns",
}
"""Who may log in to the API server: file name to subject."""


def ensure(cluster: Cluster) -> None:
    """Make what is missing; what is there is kept, for running parts have read it."""
    pki = cluster.pki
    pki.mkdir(parents=True, exist_ok=True)
    pki.chmod(0o700)
    _authority(pki / "ca", "imagebuild test cluster")
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    names += [f"kubernetes.default.svc.{DNS_DOMAIN}", "localhost"]
    _certificate(pki / "kube-apiserver", pki / "ca", "/CN=kube-apiserver", names, {cluster.address, KUBERNETES_SERVICE})
    key = pki / "service-accounts.key"
    if not key.exists():
        run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key])
    for client in ("admin",) if cluster.functional else CLIENTS:
        _certificate(pki / client, pki / "ca", CLIENTS[client])
        _kubeconfig(cluster, client)
    if not cluster.functional:
        _authority(pki / "registry-ca", "imagebuild test registry")
        names = ["private.registries.svc", "private.registries.svc.cluster.local"]
        _certificate(pki / "registry", pki / "registry-ca", "/CN=private", names, {HOST_ADDRESS})


def _authority(stem: Path, name: str) -> None:
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"]
    _request(stem, f"/CN={name}", ["-addext", "basicConstraints=critical,CA:TRUE", *usage])


def _certificate(
    stem: Path, authority: Path, subject: str, names: list[str] | None = None, addresses: set[str] | None = None
) -> None:
    alternatives = [f"DNS:{name}" for name in names or []] + [f"IP:{each}" for each in sorted(addresses or ())]
    extensions = ["-addext", "basicConstraints=critical,CA:FALSE"]
    extensions += ["-addext", "extendedKeyUsage=serverAuth,clientAuth"]
    if alternatives:
        extensions += ["-addext", f"subjectAltName={','.join(alternatives)}"]
    signer: list[str | Path] = ["-CA", authority.with_suffix(".crt"), "-CAkey", authority.with_suffix(".key")]
    _request(stem, subject, [*signer, *extensions])


def _request(stem: Path, subject: str, options: Sequence[str | Path]) -> None:
    """Make STEM.key and STEM.crt; the certificate comes last, so that it stands for both."""
    certificate = stem.with_suffix(".crt")
    if certificate.exists():
        return
    draft = stem.with_suffix(".draft")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
    base = ["openssl", "req", "-x509", "-subj", subject, "-days", DAYS]
    run([*base, *new_key, stem.with_suffix(".key"), "-out", draft, *options])
    draft.rename(certificate)


def _kubeconfig(cluster: Cluster, client: str) -> None:
    def encoded(file: str) -> str:
        return base64.b64encode((cluster.pki / file).read_bytes()).decode()

    user = {
        "client-certificate-data": encoded(f"{client}.crt"),
        "client-key-data": encoded(f"{client}.key"),
    }
    config: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster.name,
                "cluster": {"server": cluster.server, "certificate-authority-data": encoded("ca.crt")},
            }
        ],
        "users": [{"name": client, "user": user}],
        "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": client}}],
        "current-context": cluster.name,
    }
    path = cluster.pki / f"{client}.conf"
    path.write_text(json.dumps(config, indent=1))
    path.chmod(0o600)
