"""Contexts on servers whose certificates are from a private CA, through the operator."""

from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.git_server import make_repository, serve_git
from support.https import Https
from support.registry import Registry
from support.watching import wait_for_finish

Json = dict[str, Any]
FILES = {"Dockerfile": b"FROM scratch\nCOPY text /text\n", "text": b"over TLS"}


@pytest.fixture
def https(host_address: str, tmp_path: Path) -> Https:
    (tmp_path / "ca").mkdir()
    return Https.make(tmp_path / "ca", host_address)


def test_a_git_server_is_trusted_by_the_ca_bundle_of_the_source_alone(
    builds: Builds,
    api: client.ApiClient,
    kubectl: Kubectl,
    host_address: str,
    namespace: str,
    registry: Registry,
    https: Https,
    tmp_path: Path,
):
    make_repository(tmp_path / "served/app.git", FILES)
    kubectl("-n", namespace, "create", "configmap", "trust", f"--from-file=ca.crt={https.authority}")
    kubectl("-n", namespace, "create", "secret", "generic", "trust", f"--from-file=ca.crt={https.authority}")
    key = {"name": "trust", "key": "ca.crt"}
    bundles = {"by-configmap": {"configMapKeyRef": key}, "by-secret": {"secretKeyRef": key}}
    with serve_git(tmp_path / "served", https=https, address=host_address) as url:
        git = {"url": f"{url}/app.git", "revision": "main"}
        for name, bundle in bundles.items():
            output = {"images": [f"{registry.name}/{namespace}/{name}:1"]}
            builds.create({"source": {"git": {**git, "caBundle": bundle}}, "output": output}, name=name)
        # The CA of a registry says nothing about a Git server.
        builds.create(
            {
                "source": {"git": git},
                "output": {"images": [f"{registry.name}/{namespace}/untrusted:1"]},
                "registries": [{"host": "other.example", "caBundle": bundles["by-secret"]}],
                "retry": {"limit": 0},
            },
            name="untrusted",
        )
        statuses = {name: wait_for_finish(api, namespace, name) for name in (*bundles, "untrusted")}
    for name in bundles:
        assert statuses[name]["phase"] == "Succeeded", statuses[name]
        assert registry.files(f"{registry.name}/{namespace}/{name}:1")["/text"].content == b"over TLS"
    failure = statuses["untrusted"]["failure"]
    assert (failure["reason"], failure["hint"]) == (
        "SourceUnavailable",
        "Name the CA bundle of the server in source.git.caBundle.",
    )
