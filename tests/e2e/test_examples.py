"""Each file of examples/ is applied as it is, only its host names replaced; its builds end as the file says.

examples/hello.yaml has a test of its own (test_first_build.py), and so have the folders.
examples/upload.yaml is in test_upload.py.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from environment import ROOT
from functional.kube import Kubectl
from kubernetes import client
from support.file_server import tar_gz
from support.git_server import git, make_repository, serve_git
from support.https import Https
from support.registry import Registry
from support.s3 import serve_s3
from support.sshd import serve_ssh
from support.volumes import make_volume
from support.watching import wait_for_finish

Json = dict[str, Any]
Apply = Callable[[str, dict[str, str]], list[Json]]
TITLE = "org.opencontainers.image.title"
SCRATCH = "FROM scratch\nCOPY server.js /\n"
FILES = {"Dockerfile": SCRATCH, "server.js": "", "package.json": "{}", "package-lock.json": "{}"}
#: Stands for npm, and fails where it lacks the secrets or the cache of the example.
NPM = """\
#!/bin/sh -e
grep -q token /root/.npmrc
test $NPM_CONFIG_REGISTRY = https://npm.example.com/
date > /root/.npm/last
"""


@pytest.fixture
def apply(kubectl: Kubectl, namespace: str, registry: Registry) -> Apply:
    """Apply an example with its host names replaced, and give its objects; both Secrets of registries are there."""
    for name in ("registry-push", "registry-pull"):
        kubectl(
            "-n", namespace, "create", "secret", "docker-registry", name, f"--docker-server={registry.host}",
            "--docker-username=anyone", "--docker-password=none",
        )  # fmt: skip

    def apply(name: str, names: dict[str, str]) -> list[Json]:
        text = (ROOT / "examples" / name).read_text(encoding="utf-8")
        for old, new in {**names, "registry.example.com/team": f"{registry.name}/{namespace}"}.items():
            assert old in text or old.startswith("registry."), old
            text = text.replace(old, new)
        kubectl("-n", namespace, "apply", "-f", "-", stdin=text)
        return list(yaml.safe_load_all(text))

    return apply


@pytest.fixture
def repository(tmp_path: Path, host_address: str) -> Iterator[str]:
    """The URL of the folder with the repository `app`, without a password."""
    path = tmp_path / "plain/app"
    make_repository(path, {name: text.encode() for name, text in FILES.items()})
    git(path, "tag", "v1.0")
    with serve_git(tmp_path / "plain", address=host_address) as url:
        yield url


def all_succeed(api: client.ApiClient, namespace: str, objects: list[Json]) -> list[Json]:
    """Wait for the builds among these; the status of each."""
    names = [each["metadata"]["name"] for each in objects if each["kind"] == "ImageBuild"]
    statuses = [wait_for_finish(api, namespace, name) for name in names]
    assert [status["phase"] for status in statuses] == ["Succeeded"] * len(names), statuses
    return statuses


def volume(api: client.ApiClient, namespace: str, claim: str, folder: Path, size: str) -> str:
    """A volume that only this claim may bind to; its name."""
    name = f"{namespace}-{claim}"
    make_volume(api, name, (namespace, claim), folder, "ReadWriteOnce", size)
    return name


def test_every_example_has_a_test():
    tested = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in (ROOT / "examples").glob("*.yaml") if path.name not in tested] == []


def test_builds_with_the_defaults_of_the_example_and_its_network_policy(
    apply: Apply, api: client.ApiClient, namespace: str, hub: Registry, registry: Registry
):
    apply("networkpolicy.yaml", {})
    apply("defaults.yaml", {"mirror.example.com/hub": hub.name or "registry-1.docker.io"})
    [status] = all_succeed(api, namespace, apply("hello.yaml", {}))
    assert {"resources", "registries", "cache"} <= set(status["appliedDefaults"]["spec"])
    assert status["digest"] == registry.digest(f"{registry.name}/{namespace}/hello:1.0")


def test_the_multi_platform_image(
    apply: Apply, api: client.ApiClient, namespace: str, repository: str, registry: Registry
):
    names = {"https://git.example.com/team/app": f"{repository}/app", "# platformNodes: Any": "platformNodes: Any"}
    all_succeed(api, namespace, apply("multi-platform.yaml", names))
    index = registry.manifest(f"{registry.name}/{namespace}/app:1.0")
    assert {each["platform"]["architecture"] for each in index["manifests"]} == {"amd64", "arm64"}


def test_secrets_and_caches_for_run_steps(
    apply: Apply, kubectl: Kubectl, api: client.ApiClient, namespace: str, repository: str, registry: Registry,
    node_folder: Path,
):  # fmt: skip
    (node_folder / ".npmrc").write_text("//npm.example.com/:_authToken=token\n")
    kubectl("-n", namespace, "create", "secret", "generic", "npm", f"--from-file={node_folder / '.npmrc'}")
    literal = "--from-literal=registry=https://npm.example.com/"
    kubectl("-n", namespace, "create", "configmap", "company", literal)
    node = f"{registry.name}/{namespace}/node:22-slim"
    stand_in = {"Dockerfile": "FROM busybox\nCOPY npm /bin/npm\nRUN chmod 755 /bin/npm\n", "npm": NPM}
    body = {
        "apiVersion": "imagebuild.dev/v1alpha1",
        "kind": "ImageBuild",
        "metadata": {"name": "node"},
        "spec": {"source": {"inline": {"files": stand_in}}, "output": {"images": [node]}},
    }
    kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(body))
    all_succeed(api, namespace, [body])
    (node_folder / "cache").mkdir()
    made = volume(api, namespace, "build-cache", node_folder / "cache", "10Gi")
    names = {"https://git.example.com/team/app": f"{repository}/app", "node:22-slim": node}
    all_succeed(api, namespace, apply("build-secrets.yaml", names))
    client.CoreV1Api(api).delete_persistent_volume(made)
    files = registry.files(f"{registry.name}/{namespace}/app:1.0")
    assert "/app/server.js" in files
    assert not {"/root/.npmrc", "/root/.npm/last"} & set(files)
    assert list((node_folder / "cache").rglob("last"))


def test_every_kind_of_source(
    apply: Apply, kubectl: Kubectl, api: client.ApiClient, namespace: str, registry: Registry, host_address: str,
    node_folder: Path, tmp_path: Path,
):  # fmt: skip
    for name in ("tls", "ssh", "s3", "volume/app"):
        (tmp_path / name).mkdir(parents=True)
    make_repository(tmp_path / "team/app.git", {name: text.encode() for name, text in FILES.items()})
    https = Https.make(tmp_path / "tls", host_address)
    kubectl("-n", namespace, "create", "configmap", "company-ca", f"--from-file=ca.crt={https.authority}")
    kubectl(
        "-n", namespace, "create", "secret", "generic", "contexts",
        "--from-literal=AWS_ACCESS_KEY_ID=AKID", "--from-literal=AWS_SECRET_ACCESS_KEY=s3cret",
    )  # fmt: skip
    registry.push_artifact(f"{namespace}/app-source:1.0", [(tar_gz(FILES), {TITLE: "context.tar.gz"})])
    for name, text in FILES.items():
        (node_folder / "volume/app" / name).write_text(text)
    made = volume(api, namespace, "workspace", node_folder / "volume", "1Mi")
    claim = {"accessModes": ["ReadWriteOnce"], "volumeName": made, "resources": {"requests": {"storage": "1Mi"}}}
    core: Any = client.CoreV1Api(api)
    core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "workspace"}, "spec": claim})
    with (
        serve_git(tmp_path / "team", https=https, address=host_address) as git_url,
        serve_ssh(tmp_path / "ssh", address=host_address) as sshd,
        serve_s3(tmp_path / "s3", host_address, tls=False) as s3,
    ):
        kubectl(
            "-n", namespace, "create", "secret", "generic", "deploy-key", "--type=kubernetes.io/ssh-auth",
            f"--from-literal=ssh-privatekey={sshd.private_key}", f"--from-literal=known_hosts={sshd.known_hosts}",
        )  # fmt: skip
        s3.make_bucket("contexts")
        s3.put("contexts", "team/app.tar.gz", tar_gz(FILES))
        names = {
            "https://git.example.com/team/app": f"{git_url}/app.git",
            "git@git.example.com:team/app.git": sshd.url(tmp_path / "team/app.git"),
            "https://minio.example.com:9000": s3.url,
        }
        objects = apply("sources.yaml", names)
        assert len(objects) == 5
        all_succeed(api, namespace, objects)
    core.delete_persistent_volume(made)
