"""Logs in to the registries of Google and Azure: the helpers' own requests for tokens, answered on this machine.

docs/how-to/registries/artifact-registry.md and docs/how-to/registries/acr.md describe what is shown here.
"""

import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from standalone.container import Builder
from standalone.registry import CloudRegistry, cloud_registry
from support.https import Https
from support.registry import Registry
from support.serving import Quiet, serving

NOBODY = 65532
GAR, ACR = "europe-docker.pkg.dev", "team.azurecr.io"
ACCESS_TOKEN = "ya29.the-access-token-of-google"
CLIENT, TENANT = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
FEDERATED, AAD_TOKEN, REFRESH_TOKEN = "token-of-the-service-account", "access-token-of-azure", "refresh-token-of-acr"


class Answering(Quiet):
    """Answers with JSON."""

    asked: ClassVar[list[str]]

    def answer(self, status: int, document: object, **headers: str) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def form(self) -> dict[str, str]:
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        return {name: values[0] for name, values in parse_qs(text).items()}


class MetadataServer(Answering):
    """The metadata server of GKE: it gives every container of a pod a token of its identity."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.asked.append(path)
        if self.headers.get("Metadata-Flavor") != "Google":
            self.answer(403, {})
        elif path.endswith("/token"):
            token = {"access_token": ACCESS_TOKEN, "expires_in": 3599, "token_type": "Bearer"}
            self.answer(200, token, Metadata_Flavor="Google")
        else:
            self.answer(200, "project", Metadata_Flavor="Google")


class Azure(Answering):
    """Microsoft Entra ID, and a registry that accepts pushes to team/app for its tokens only."""

    def do_GET(self) -> None:
        # A token without credentials is refused, too.
        challenge = f'Bearer realm="https://{ACR}/oauth2/token",service="{ACR}"'
        self.answer(401, {}, WWW_Authenticate=challenge)

    def do_DELETE(self) -> None:
        self.answer(204, {})

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.asked.append(path)
        form = self.form()
        if path == f"/{TENANT}/oauth2/token":
            right = (form["client_assertion"], form["client_id"]) == (FEDERATED, CLIENT)
            token = {
                "access_token": AAD_TOKEN,
                "expires_in": "3599",
                "expires_on": "32503680000",
                "token_type": "Bearer",
            }
            self.answer(200 if right else 401, token if right else {"error": "invalid_client"})
        elif path == "/oauth2/exchange":
            right = (form["access_token"], form["service"], form["tenant"]) == (AAD_TOKEN, ACR, TENANT)
            self.answer(200 if right else 401, {"refresh_token": REFRESH_TOKEN} if right else {})
        elif path == "/oauth2/token":
            right = (form["grant_type"], form["refresh_token"]) == ("refresh_token", REFRESH_TOKEN)
            self.answer(200 if right else 401, {"access_token": f"for {form['scope']}"} if right else {})
        else:
            right = self.headers.get("Authorization") == "Bearer for repository:team/app:pull,push"
            self.answer(202 if right else 401, {}, Location="/v2/team/app/blobs/uploads/1")


def google_user(builder: Builder) -> str:
    """The user that Google's helper names; its version is in it."""
    program = builder.rootfs / "kaniko/.Shim/credential-helpers/docker-credential-gcr"
    said = subprocess.run([program, "version"], check=True, capture_output=True, text=True).stdout
    return f"_dcgcr_{said.split()[-1].replace('.', '_')}_token"


def recording(handler: type[Answering]) -> tuple[type[BaseHTTPRequestHandler], list[str]]:
    asked: list[str] = []
    return type("Recording", (handler,), {"asked": asked}), asked


@pytest.fixture(scope="module")
def google(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudRegistry]:
    with cloud_registry(tmp_path_factory.mktemp("gar"), GAR, google_user(builder), ACCESS_TOKEN) as registry:
        yield registry


@pytest.mark.shows("A41")
def test_google(builder: Builder, google: CloudRegistry, source: Path, tmp_path: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN echo hello > /hello\n")
    layout, run = tmp_path / "layout", tmp_path / "run"
    for directory in (layout, run):
        directory.mkdir()
        directory.chmod(0o777)
    env |= {"OUTPUT_IMAGE": f"{GAR}/project/team/app:1", "REGISTRY_CA": google.authority}
    built = builder.run("build", env=env, mounts={"/tmp/source": source, "/kaniko/layout": layout})
    assert built.code == 0, built.log
    mounts = {"/etc/hosts": google.hosts, "/kaniko/.run": run}
    handler, asked = recording(MetadataServer)
    with serving(handler) as port:
        env["GCE_METADATA_HOST"] = f"127.0.0.1:{port}"
        checked = builder.run("check", env=env, mounts=mounts, user=NOBODY)
        pushed = builder.run("push", env=env, mounts={**mounts, "/kaniko/layout": layout}, user=NOBODY)
    for done in (checked, pushed):
        assert done.code == 0, done.log
        assert ACCESS_TOKEN not in done.log
    assert "/computeMetadata/v1/instance/service-accounts/default/token" in asked
    assert pushed.result["digest"] == google.registry.digest(google.crane("project/team/app:1"))
    # The pod's other containers could ask the same server.
    assert "warnings" not in checked.result
    (warning,) = pushed.result["warnings"]
    assert warning == (
        f"The identity used for {GAR} comes from the metadata server, which gives it to every container of the pod: "
        "commands of the Dockerfile can use it, too."
    )


def test_google_in_one_container(
    builder: Builder, google: CloudRegistry, source: Path, env: dict[str, str], registry: Registry
):
    (source / "Dockerfile").write_text("FROM busybox\nRUN echo hello > /hello\n")
    env |= {"OUTPUT_IMAGE": f"{GAR}/project/team/whole:1", "REGISTRY_CA": google.authority, "CACHE": "true"}
    handler, _ = recording(MetadataServer)
    with serving(handler) as port:
        env["GCE_METADATA_HOST"] = f"127.0.0.1:{port}"
        done = builder.run(env=env, mounts={"/tmp/source": source, "/etc/hosts": google.hosts})
    assert done.code == 0, done.log
    assert ACCESS_TOKEN not in done.log
    found = google.registry.files(google.crane("project/team/whole:1"))
    assert set(found) - set(registry.files(f"{registry.address}/library/busybox:latest")) == {"/hello"}


def test_azure(builder: Builder, tmp_path: Path):
    https = Https.make(tmp_path, ACR)
    token, settings, hosts, run = (tmp_path / name for name in ("token", "azure.json", "hosts", "run"))
    token.write_text(FEDERATED)
    hosts.write_text(f"127.0.0.1 localhost\n127.77.0.1 {ACR}\n")
    run.mkdir()
    run.chmod(0o777)
    handler, asked = recording(Azure)
    with serving(handler, https, address="127.77.0.1", port=443):
        # As in an Azure Stack Hub: a server of tokens other than the public one.
        settings.write_text(
            json.dumps(
                {
                    "activeDirectoryEndpoint": f"https://{ACR}/",
                    "resourceManagerEndpoint": "https://management.azure.com/",
                }
            )
        )
        env = {
            "OUTPUT_IMAGE": f"{ACR}/team/app:1",
            "REGISTRY_CA": https.authority.read_text(),
            "AZURE_CLIENT_ID": CLIENT,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/azure/tokens/azure-identity-token",
            "AZURE_ENVIRONMENT": "AzureStackCloud",
            "AZURE_ENVIRONMENT_FILEPATH": "/azure.json",
        }
        mounts = {
            "/etc/hosts": hosts,
            "/kaniko/.run": run,
            "/azure.json": settings,
            env["AZURE_FEDERATED_TOKEN_FILE"]: token,
        }
        done = builder.run("check", env=env, mounts=mounts, user=NOBODY)
        token.write_text("of-somebody-else")
        refused = builder.run("check", env=env, mounts=mounts, user=NOBODY)
    assert done.code == 0, done.log
    first = list(dict.fromkeys(asked))
    assert first == [f"/{TENANT}/oauth2/token", "/oauth2/exchange", "/oauth2/token", "/v2/team/app/blobs/uploads/"]
    for secret in (FEDERATED, AAD_TOKEN, REFRESH_TOKEN):
        assert secret not in done.log
    assert (refused.code, refused.result["reason"]) == (77, "RegistryUnauthorized")
    assert f"docker-credential-acr-env has no credentials for {ACR}: " in refused.result["message"]
    assert "azure.workload.identity/use=true" in refused.result["hint"]
