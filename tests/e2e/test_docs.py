"""The commands of the pages, as a reader types them: the marked blocks of a page, in order, in one shell.

Names that a test cluster does not have are replaced, in commands and in files (`title="FILE"`):

| in a page | here |
|---|---|
| `registry.example.com` and the hosts of known registries | the registry with TLS and a password |
| `https://git.example.com/` | Git over HTTPS with a password and a certificate of a private CA |
| `git@git.example.com:` | Git over SSH |
| `USER`, `PASSWORD`, `TOKEN` | the user and password of both |

A cluster that is not ours may lack these servers: the tests are skipped then. The CAs of both are in the file
`company-ca.pem`, and trusted by the ImageBuildDefaults of the namespace.
"""

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.conftest import needed
from environment import with_programs
from functional.kube import Kubectl
from pages import SHELL, blocks, pages
from support.git_server import make_repository, serve_git
from support.https import Https
from support.registry import Registry
from support.sshd import serve_ssh

Json = dict[str, Any]

MARK = "run: e2e"
PAGES = [page for page in pages() if any(block.mark == MARK for block in blocks(page))]
#: Registries of the how-to guides, with the path that every user has.
REGISTRIES = (
    "registry.example.com",
    "docker.io/my-user",
    "ghcr.io",
    "registry.gitlab.com",
    "harbor.example.com",
    "quay.io",
)
SERVERS = {"https://index.docker.io/v1/": "registry.example.com"}
FILES = {
    "Dockerfile": b"FROM busybox\nARG VERSION=dev\nCOPY . /app\nRUN echo $VERSION > /version\n",
    "services/web/Dockerfile": b"FROM busybox\nCOPY . /web\n",
    "services/web/index.html": b"hello",
    "libs/common.txt": b"common",
}


@pytest.fixture
def table(
    cluster: dict[str, str], private_registry: Registry, host_address: str, folder: Path, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """What is replaced by what; the servers run as long as the test."""
    user = needed(cluster, "REGISTRY_USER", "the user of PRIVATE_REGISTRY")
    password = cluster["REGISTRY_PASSWORD"]
    login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    for name in ("served/team", "tls", "ssh"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("app", "shop"):
        make_repository(tmp_path / f"served/team/{name}.git", FILES)
    https = Https.make(tmp_path / "tls", host_address)
    registry_ca = Path(cluster["REGISTRY_CA"]).read_text(encoding="utf-8")
    (folder / "company-ca.pem").write_text(https.authority.read_text() + registry_ca)
    with (
        serve_git(tmp_path / "served", lambda header: header == login, https=https, address=host_address) as git,
        serve_ssh(tmp_path / "ssh", address=host_address) as sshd,
    ):
        # The owner of the repository registers the key that the page makes.
        (tmp_path / "ssh/user.pub").unlink()
        (tmp_path / "ssh/user.pub").symlink_to(folder / "deploy-key.pub")
        yield {
            **SERVERS,
            **dict.fromkeys(REGISTRIES, private_registry.name),
            "https://git.example.com/": f"{git}/",
            "ssh-keyscan git.example.com": f"ssh-keyscan -p {sshd.port} {host_address}",
            "git@git.example.com:": f"ssh://{sshd.user}@{host_address}:{sshd.port}{tmp_path}/served/",
            "USER": user,
            "PASSWORD": password,
            "TOKEN": password,
        }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the reader is."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def shell(cluster: dict[str, str], kubectl: Kubectl, namespace: str, folder: Path, table: dict[str, str]) -> Json:
    """The environment of the reader's shell: kubectl works in the test's namespace, which has defaults."""
    assert table
    config = yaml.safe_load(Path(cluster["KUBECONFIG"]).read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = namespace
    own = folder.parent / "kubeconfig"
    own.write_text(yaml.safe_dump(config))
    kubectl("-n", namespace, "create", "configmap", "trusted", f"--from-file=ca.crt={folder / 'company-ca.pem'}")
    bundle = {"configMapKeyRef": {"name": "trusted", "key": "ca.crt"}}
    spec = {"registries": [{"host": cluster["PRIVATE_REGISTRY"], "caBundle": bundle}], "source": {"caBundle": bundle}}
    body = {
        "apiVersion": "imagebuild.dev/v1alpha1",
        "kind": "ImageBuildDefaults",
        "metadata": {"name": "default"},
        "spec": spec,
    }
    kubectl("-n", namespace, "create", "-f", "-", stdin=yaml.safe_dump(body))
    return {**with_programs(cluster), "KUBECONFIG": str(own)}


def replaced(text: str, table: dict[str, str]) -> str:
    """Replace the names of a page; longer names come first in the table."""
    for name, value in table.items():
        text = re.sub(rf"(?<![\w$]){re.escape(name)}(?!\w)" if name.isupper() else re.escape(name), value, text)
    return text


def script(page: str, folder: Path, table: dict[str, str]) -> str:
    """The script of a page; the files that it shows are written to the same folder."""
    lines = ["set -euo pipefail"]
    for number, block in enumerate(blocks(page)):
        if block.title:
            (folder.parent / f"file-{number}").write_text(replaced(block.text, table))
            lines.append(f"mkdir -p $(dirname '{block.title}') && cp ../file-{number} '{block.title}'")
        elif block.language in SHELL and block.mark == MARK:
            lines += [f"echo '+ {block.place}'", replaced(block.commands(), table)]
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page(page: str, shell: Json, folder: Path, table: dict[str, str]):
    commands = ["bash", "-c", script(page, folder, table)]
    done = subprocess.run(
        commands,
        cwd=folder,
        env=shell,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, f"{page}: the shell ended with {done.returncode}:\n{done.stdout}"


def test_pages_have_commands():
    assert PAGES
