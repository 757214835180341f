"""A private CA is trusted where it was given for, and nowhere else."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.authorities import ONE
from support.git_server import make_repository, serve_git
from support.https import Https
from unit.shim.archives.archives import tar_of
from unit.shim.sources.servers import Answer, serve

SHIM = Path(__file__).parents[4] / "shim"
FILES = {"Dockerfile": b"FROM scratch\nCOPY word /\n", "word": b"trusted"}
PROGRAM = """
import sys
sys.path.insert(0, {shim!r})
from pathlib import Path
from kaniko_shim.system.paths import Paths
from kaniko_shim.run import run

here = Path({here!r})
sys.exit(run(["build"], {environment!r}, Paths(
    executor=here / "executor",
    executor_help=here / "executor.help",
    context=here / "context",
    heredocs=here / "heredocs",
    scratch=here / "scratch",
    docker_config=here / "none",
    termination_log=here / "termination-log",
)))
"""
#: The stand-in for the executor shows which certificates it trusts.
EXECUTOR = """#!/bin/sh
for directory in $(echo "$SSL_CERT_DIR" | tr : ' '); do cat "$directory"/* || true; done > {here}/trusted
"""
FLAGS = ("context", "dockerfile", "oci-layout-path")


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Https:
    return Https.make(tmp_path_factory.mktemp("https"))


@pytest.fixture(scope="module", params=["http", "git"])
def url(request: pytest.FixtureRequest, https: Https, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A context on a server whose certificate is from a private CA."""
    if request.param == "http":
        with serve(Answer(body=tar_of(FILES)), https=https) as server:
            yield f"{server.url}/context.tar"
    else:
        root = tmp_path_factory.mktemp("served")
        make_repository(root / "app.git", FILES)
        with serve_git(root, https=https) as base:
            yield f"git+{base}/app.git"


def build(here: Path, **variables: str) -> tuple[dict[str, Any], str]:
    """Build as a process of its own; gives the result and the certificates that the executor trusts."""
    executor = here / "executor"
    executor.write_text(EXECUTOR.format(here=here))
    executor.chmod(0o755)
    known = "".join(f"      --{name} string\n" for name in FLAGS)
    (here / "executor.help").write_text(f"{executor.stat().st_size}\n{known}")
    (here / "termination-log").touch()
    (here / "public").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "SSL_CERT_DIR": str(here / "public"),
        "OUTPUT_LAYOUT": str(here / "layout"),
        **variables,
    }
    program = PROGRAM.format(shim=str(SHIM), here=str(here), environment=environment)
    subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    result: dict[str, Any] = json.loads((here / "termination-log").read_text())
    trusted = here / "trusted"
    return result, trusted.read_text() if trusted.exists() else ""


def fingerprints(pem: str) -> list[bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    return context.get_ca_certs(binary_form=True)


def test_the_ca_of_the_source_is_trusted_for_the_context_alone(tmp_path: Path, https: Https, url: str):
    result, trusted = build(
        tmp_path,
        SOURCE_GET_URL=url,
        SOURCE_CA=https.authority.read_text(),
        REGISTRY_CA=ONE,
        OUTPUT_IMAGE="r.example/app",
    )
    assert "reason" not in result, result
    assert (tmp_path / "context/word").read_bytes() == b"trusted"
    assert fingerprints(trusted) == fingerprints(ONE)


def test_the_ca_of_registries_is_not_trusted_for_the_context(tmp_path: Path, https: Https, url: str):
    result, _ = build(
        tmp_path, SOURCE_GET_URL=url, REGISTRY_CA=https.authority.read_text(), OUTPUT_IMAGE="r.example/app"
    )
    assert result["reason"] == "SourceUnavailable"
    assert result["message"].endswith("is not trusted.")
    assert result["hint"].startswith("Set SOURCE_CA")
