"""All ways in which a kubeconfig can log in to a real API server."""

import base64
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from imagebuild import Client, ConfigError, ForbiddenError, UnauthorizedError, UnreachableError
from support.forward_proxy import serve_proxy

Change = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("crd")


@pytest.fixture
def admin(kubeconfig: Path) -> dict[str, Any]:
    """The cluster and user of the kubeconfig with all rights, both with data and without files."""
    document = yaml.safe_load(kubeconfig.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    for fields, names in ((cluster, ["certificate-authority"]), (user, ["client-certificate", "client-key"])):
        for name in names:
            if name in fields:
                data = (kubeconfig.parent / fields.pop(name)).read_bytes()
                fields[f"{name}-data"] = base64.b64encode(data).decode()
    return {"cluster": cluster, "user": user}


@pytest.fixture
def token_text(token: Path) -> str:
    """The token of a ServiceAccount with all rights in the namespace."""
    return str(yaml.safe_load(token.read_text())["users"][0]["user"]["token"])


@pytest.fixture
def change(admin: dict[str, Any], tmp_path: Path) -> Change:
    """Write a kubeconfig with another user, and with changes of the cluster."""

    def write(user: Mapping[str, Any], cluster: Mapping[str, Any] | None = None) -> Path:
        document = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c", "namespace": "of-the-context"}}],
            "clusters": [{"name": "c", "cluster": {**admin["cluster"], **(cluster or {})}}],
            "users": [{"name": "c", "user": dict(user)}],
        }
        path = tmp_path / "changed.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    return write


def plugin(directory: Path, body: str, **fields: object) -> dict[str, Any]:
    """An exec plugin that runs some Python; it counts its runs in the file `runs`."""
    program = directory / "login"
    lines = (
        f"#!{sys.executable}",
        "import json, os",
        "open(os.environ['RUNS'], 'a').write('x')",
        "version = 'client.authentication.k8s.io/v1'",
        "told = json.loads(os.environ['KUBERNETES_EXEC_INFO'])",
        "def give(**status):",
        "    print(json.dumps({'apiVersion': version, 'kind': 'ExecCredential', 'status': status}))",
        body,
    )
    program.write_text("\n".join(lines))
    program.chmod(0o755)
    entry = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./login",
        "env": [{"name": "RUNS", "value": str(directory / "runs")}],
        "interactiveMode": "Never",
    }
    return {"exec": {**entry, **fields}}


def lists(path: Path, namespace: str) -> bool:
    with Client(namespace, kubeconfig=str(path)) as sdk:
        return sdk.list() == []


def test_client_certificates_as_data_and_as_files(
    change: Change, admin: dict[str, Any], tmp_path: Path, namespace: str
):
    assert lists(change(admin["user"]), namespace)
    for name in ("client-certificate", "client-key"):
        (tmp_path / name).write_bytes(base64.b64decode(admin["user"][f"{name}-data"]))
    assert lists(change({name: name for name in ("client-certificate", "client-key")}), namespace)


def test_a_token_and_a_file_with_one(change: Change, token_text: str, tmp_path: Path, namespace: str):
    assert lists(change({"token": token_text}), namespace)
    (tmp_path / "token").write_text(f"{token_text}\n")
    assert lists(change({"tokenFile": "token"}), namespace)
    with pytest.raises(UnauthorizedError, match="Log in to the cluster again"):
        lists(change({"token": "wrong"}), namespace)
    # API servers take no passwords, but a proxy before one may.
    with pytest.raises(ForbiddenError, match="system:anonymous"):
        lists(change({"username": "a", "password": "b"}), namespace)


def test_a_changed_token_file_is_read_again_when_the_old_token_is_rejected(
    change: Change, token_text: str, tmp_path: Path, namespace: str
):
    (tmp_path / "token").write_text("expired")
    with Client(namespace, kubeconfig=str(change({"tokenFile": "token"}))) as sdk:
        with pytest.raises(UnauthorizedError):
            sdk.list()
        (tmp_path / "token").write_text(token_text)
        assert sdk.list() == []


def test_a_plugin_that_gives_a_token_runs_once(change: Change, token_text: str, tmp_path: Path, namespace: str):
    user = plugin(tmp_path, f"give(token={token_text!r}, expirationTimestamp='2099-01-01T00:00:00Z')")
    with Client(namespace, kubeconfig=str(change(user))) as sdk:
        assert sdk.list() == sdk.list() == []
    assert (tmp_path / "runs").read_text() == "x"


def test_an_expired_or_rejected_token_of_a_plugin_is_replaced(
    change: Change, token_text: str, tmp_path: Path, namespace: str
):
    expired = plugin(tmp_path, f"give(token={token_text!r}, expirationTimestamp='2020-01-01T00:00:00Z')")
    with Client(namespace, kubeconfig=str(change(expired))) as sdk:
        assert sdk.list() == sdk.list() == []
    assert (tmp_path / "runs").read_text() == "xx"
    second = f"give(token={token_text!r} if len(open(os.environ['RUNS']).read()) > 3 else 'rejected')"
    assert lists(change(plugin(tmp_path, second)), namespace)
    assert (tmp_path / "runs").read_text() == "xxxx"


def test_a_plugin_that_gives_a_certificate_and_is_told_the_cluster(
    change: Change, admin: dict[str, Any], tmp_path: Path, namespace: str
):
    certificate, key = (
        base64.b64decode(admin["user"][f"{name}-data"]).decode() for name in ("client-certificate", "client-key")
    )
    body = (
        f"assert told['spec']['cluster']['server'] == {admin['cluster']['server']!r}\n"
        f"assert told['spec']['interactive'] is False\n"
        f"give(clientCertificateData={certificate!r}, clientKeyData={key!r})"
    )
    assert lists(change(plugin(tmp_path, body, provideClusterInfo=True)), namespace)


@pytest.mark.parametrize(
    ("body", "fields", "message"),
    [
        ("raise SystemExit(7)", {}, "failed with exit code 7"),
        ("print('hello')", {}, "did not print an ExecCredential"),
        ("give()", {}, "gave no credentials of version client.authentication.k8s.io/v1"),
        ("", {"command": "no-such-plugin", "installHint": "See example.com."}, "was not found. See example.com."),
        ("", {"interactiveMode": "Always"}, "needs a terminal"),
    ],
)
def test_a_plugin_that_fails(
    change: Change, tmp_path: Path, namespace: str, body: str, fields: dict[str, str], message: str
):
    path = change(plugin(tmp_path, body, **fields))
    with pytest.raises(ConfigError, match=message):
        lists(path, namespace)


def test_an_auth_provider(change: Change, token_text: str, namespace: str):
    # The API server takes the token of a ServiceAccount as one of its own, whoever brings it.
    config = {"id-token": token_text, "idp-issuer-url": "https://idp.example.com", "client-id": "x"}
    assert lists(change({"auth-provider": {"name": "oidc", "config": config}}), namespace)


def test_acting_as_another_user(change: Change, admin: dict[str, Any], namespace: str):
    with pytest.raises(ForbiddenError, match='User "alice" cannot list'):
        lists(change({**admin["user"], "as": "alice"}), namespace)
    assert lists(change({**admin["user"], "as": "alice", "as-groups": ["a", "system:masters"]}), namespace)


def test_certificates_of_servers(change: Change, admin: dict[str, Any], namespace: str):
    # A name that the server does not have, and one that it has beside its address.
    with pytest.raises(UnreachableError, match="ertificate"):
        lists(change(admin["user"], {"tls-server-name": "other.example.com"}), namespace)
    assert lists(change(admin["user"], {"tls-server-name": "kubernetes"}), namespace)
    without = {"certificate-authority-data": None}
    with pytest.raises(UnreachableError, match="ertificate"):
        lists(change(admin["user"], without), namespace)
    assert lists(change(admin["user"], {**without, "insecure-skip-tls-verify": True}), namespace)


def test_a_proxy(change: Change, admin: dict[str, Any], namespace: str):
    server = urlsplit(admin["cluster"]["server"])
    known = {f"api.example.com:{server.port}": (str(server.hostname), int(server.port or 443))}
    with serve_proxy(known, "user", "pass-word") as proxy:
        address = f"https://api.example.com:{server.port}"
        cluster = {"server": address, "proxy-url": proxy.url, "tls-server-name": "kubernetes"}
        assert lists(change(admin["user"], cluster), namespace)
        assert proxy.asked == {("CONNECT", f"api.example.com:{server.port}")}


def test_several_kubeconfigs_in_the_variable(
    change: Change, admin: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: str
):
    first = tmp_path / "first"
    first.write_text(json.dumps({"current-context": "c"}))
    paths = (first, tmp_path / "missing", change(admin["user"]))
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, paths)))
    with Client() as sdk:
        assert sdk.namespace == "of-the-context"
        assert all(build.namespace != namespace for build in sdk.list())


def test_files_that_are_no_kubeconfig(tmp_path: Path):
    path = tmp_path / "config"
    for text in ("a: [", "text", "{}", "current-context: x"):
        path.write_text(text)
        with pytest.raises(ConfigError, match="cannot be used"):
            Client(kubeconfig=str(path))
