"""Contexts that need a Secret or a volume, through the operator: from a bucket, over SSH, from a claim."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.file_server import tar_gz
from support.git_server import make_repository
from support.registry import Registry
from support.s3 import serve_s3
from support.sshd import serve_ssh
from support.volumes import make_volume
from support.watching import wait_for_finish

Json = dict[str, Any]
DOCKERFILE = "FROM scratch\nCOPY text /text\n"


@pytest.fixture
def in_bucket(host_address: str, kubectl: Kubectl, namespace: str, tmp_path: Path) -> Iterator[Json]:
    """A source: an archive in a bucket that wants a key."""
    kubectl(
        "-n", namespace, "create", "secret", "generic", "bucket",
        "--from-literal=AWS_ACCESS_KEY_ID=AKID", "--from-literal=AWS_SECRET_ACCESS_KEY=s3cret",
    )  # fmt: skip
    (tmp_path / "s3").mkdir()
    with serve_s3(tmp_path / "s3", host_address, tls=False) as server:
        server.make_bucket("contexts")
        server.put("contexts", "app.tgz", tar_gz({"Dockerfile": DOCKERFILE, "text": "from a bucket"}))
        place = {"bucket": "contexts", "key": "app.tgz", "endpoint": server.url}
        yield {"s3": {**place, "secretRef": {"name": "bucket"}}}


@pytest.fixture
def behind_ssh(host_address: str, kubectl: Kubectl, namespace: str, tmp_path: Path) -> Iterator[Json]:
    """A source: a repository on a server that wants a key."""
    make_repository(tmp_path / "app.git", {"Dockerfile": DOCKERFILE.encode(), "text": b"over ssh"})
    (tmp_path / "ssh").mkdir()
    with serve_ssh(tmp_path / "ssh", address=host_address) as server:
        kubectl(
            "-n", namespace, "create", "secret", "generic", "key", "--type=kubernetes.io/ssh-auth",
            f"--from-literal=ssh-privatekey={server.private_key}", f"--from-literal=known_hosts={server.known_hosts}",
        )  # fmt: skip
        yield {"git": {"url": server.url(tmp_path / "app.git"), "revision": "main", "secretRef": {"name": "key"}}}


@pytest.fixture
def in_volume(node_folder: Path, api: client.ApiClient, namespace: str) -> Iterator[Json]:
    """A source: a directory of a volume."""
    context = node_folder / "volume/app"
    context.mkdir(parents=True)
    (context / "Dockerfile").write_text(DOCKERFILE)
    (context / "text").write_text("from a volume")
    core: Any = client.CoreV1Api(api)
    make_volume(api, namespace, (namespace, "context"), node_folder / "volume", "ReadOnlyMany", "1Mi")
    claim = {
        "accessModes": ["ReadOnlyMany"],
        "storageClassName": "",
        "volumeName": namespace,
        "resources": {"requests": {"storage": "1Mi"}},
    }
    core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "context"}, "spec": claim})
    yield {"persistentVolumeClaim": {"claimName": "context", "path": "app"}}
    core.delete_persistent_volume(namespace)


def test_the_context_may_be_in_a_bucket_behind_ssh_or_in_a_volume(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    registry: Registry,
    in_bucket: Json,
    behind_ssh: Json,
    in_volume: Json,
):
    sources = {"bucket": in_bucket, "ssh": behind_ssh, "volume": in_volume}
    for name, source in sources.items():
        image = f"{registry.name}/{namespace}/{name}:1"
        builds.create({"source": source, "output": {"images": [image]}}, name=name)
    texts = {}
    for name in sources:
        status = wait_for_finish(api, namespace, name)
        assert status["phase"] == "Succeeded", status
        texts[name] = registry.files(f"{registry.name}/{namespace}/{name}:1")["/text"].content
    assert texts == {"bucket": b"from a bucket", "ssh": b"over ssh", "volume": b"from a volume"}
