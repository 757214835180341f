"""A Vault, as the KMS whose keys sign."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
from cluster.artefacts import artefact
from support.ports import free_port
from support.waiting import until

_TOKEN = "root-token-of-the-tests"


@dataclass(frozen=True)
class Vault:
    """One that listens.

    Attributes:
        url: where.
        token: may do everything.
        process: it.
    """

    url: str
    token: str
    process: "subprocess.Popen[bytes]"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which cosign finds it."""
        return {"VAULT_ADDR": self.url, "VAULT_TOKEN": self.token}

    def make_key(self, name: str, kind: str = "ecdsa-p256") -> str:
        """The public key of a new key, in PEM."""
        self._ask("POST", f"/v1/transit/keys/{name}", {"type": kind})
        command = [str(artefact("cosign")), "public-key", f"--key=hashivault://{name}"]
        environment = os.environ | self.environment
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    def _ask(self, method: str, path: str, document: object) -> None:
        answer = urllib3.request(method, self.url + path, json=document, headers={"X-Vault-Token": self.token})
        assert answer.status in {200, 204}, answer.data


@contextmanager
def serve_vault(folder: Path, address: str = "127.0.0.1") -> Iterator[Vault]:
    """Run one that keeps its keys in memory.

    Args:
        folder: gets its log, and is its home.
        address: where it listens.
    """
    port = free_port(address)
    url = f"http://{address}:{port}"
    command = [
        str(artefact("vault")), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={_TOKEN}",
        f"-dev-listen-address={address}:{port}",
    ]  # fmt: skip
    with (folder / "vault.log").open("wb") as log:
        process = subprocess.Popen(command, env={"HOME": str(folder)}, stdout=log, stderr=log)
    try:
        until(lambda: _is_ready(url))
        vault = Vault(url, _TOKEN, process)
        vault._ask("POST", "/v1/sys/mounts/transit", {"type": "transit"})  # noqa: SLF001 - its module
        yield vault
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return urllib3.request("GET", f"{url}/v1/sys/health", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
