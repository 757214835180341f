"""--secret of kubectl imagebuild against a real API server, as in docs/how-to/cli.md."""

import base64
import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, Kubectl, kubeconfig_of_user, spec
from imagebuild import Client, ForbiddenError, InvalidError, image_build

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
IMAGE = "registry.example.com/team/app:1"
SOURCE = "https://git.example.com/team/app"
VALUE = "hunter2"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(kubeconfig: Path, builds: Builds, tmp_path: Path) -> Run:
    """Run a command in the test's namespace."""

    def go(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments, "-n", builds.namespace],
            cwd=tmp_path,
            env={**os.environ, "KUBECONFIG": str(kubeconfig), "TOKEN": VALUE, "HOME": str(tmp_path), **variables},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return go


def secrets(kubectl: Kubectl, namespace: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(kubectl("-n", namespace, "get", "secrets", "-o", "json"))["items"]
    return [item for item in items if "-secrets-" in item["metadata"]["name"]]


def test_secrets_of_files_and_variables_belong_to_the_build(run: Run, kubectl: Kubectl, builds: Builds, tmp_path: Path):
    (tmp_path / "token").write_bytes("é\n".encode())
    kubectl("-n", builds.namespace, "create", "secret", "generic", "d", "--from-literal=e=x")
    local = ("--secret", "id=npm,src=token", "--secret", "id=pip,env=TOKEN")
    done = run(
        "create", "--git", SOURCE, "-t", IMAGE, *local, "--secret", "id=c,secret=d,key=e", "--detach", "-o", "name"
    )
    assert done.returncode == 0, done.stderr
    assert VALUE not in done.stdout + done.stderr
    build = builds.get(done.stdout.strip().rpartition("/")[2])
    (secret,) = secrets(kubectl, builds.namespace)
    name = secret["metadata"]["name"]
    assert {key: base64.b64decode(value) for key, value in secret["data"].items()} == {
        "npm": "é\n".encode(),
        "pip": VALUE.encode(),
    }
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("ImageBuild", build["metadata"]["uid"])
    assert build["spec"]["buildSecrets"] == [
        {"id": "c", "secretKeyRef": {"name": "d", "key": "e"}},
        {"id": "npm", "secretKeyRef": {"name": name, "key": "npm"}},
        {"id": "pip", "secretKeyRef": {"name": name, "key": "pip"}},
    ]


def test_the_login_of_docker_is_in_a_secret_of_the_build_and_of_its_repetition(
    run: Run, kubectl: Kubectl, builds: Builds, tmp_path: Path
):
    login = {"auths": {"registry.example.com": {"auth": base64.b64encode(f"me:{VALUE}".encode()).decode()}}}
    (tmp_path / "config.json").write_text(json.dumps({**login, "auths": {**login["auths"], "other": {"auth": "eA=="}}}))
    command = ("create", "--git", SOURCE, "-t", IMAGE, "--use-docker-login", "--name", "app", "--detach")
    assert "has no login for registry.example.com: run docker login" in run(*command).stderr
    done = run(*command, DOCKER_CONFIG=str(tmp_path))
    assert done.returncode == 0, done.stderr
    build, [secret] = builds.get("app"), secrets(kubectl, builds.namespace)
    assert build["spec"]["output"]["pushSecretRef"] == {"name": secret["metadata"]["name"]}
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    assert json.loads(base64.b64decode(secret["data"][".dockerconfigjson"])) == login
    assert [owner["uid"] for owner in secret["metadata"]["ownerReferences"]] == [build["metadata"]["uid"]]
    assert run("rerun", "app", "--name", "again", "--detach").returncode == 0
    [secret] = secrets(kubectl, builds.namespace)
    owners = [owner["uid"] for owner in secret["metadata"]["ownerReferences"]]
    assert owners == [builds.get(name)["metadata"]["uid"] for name in ("app", "again")]


def test_the_private_ca_of_a_registry_is_in_a_secret_of_the_build_and_of_its_repetition(
    run: Run, kubectl: Kubectl, builds: Builds, tmp_path: Path
):
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    (tmp_path / "ca.pem").write_text(pem)
    command = ("create", "--git", SOURCE, "-t", IMAGE, "--ca-file", "ca.pem", "--name", "app", "--detach")
    done = run(*command, "--metadata-file", "m.json")
    assert (done.returncode, "--metadata-file m.json and --detach: leave one out" in done.stderr) == (2, True)
    done = run(*command, "--insecure")
    assert (done.returncode, "--ca-file ca.pem and --insecure: leave one out" in done.stderr) == (2, True), done.stderr
    done = run(*command)
    assert done.returncode == 0, done.stderr
    [secret] = secrets(kubectl, builds.namespace)
    key = {"name": secret["metadata"]["name"], "key": "ca.crt"}
    assert builds.get("app")["spec"]["registries"] == [
        {"host": "registry.example.com", "caBundle": {"secretKeyRef": key}}
    ]
    assert base64.b64decode(secret["data"]["ca.crt"]).decode() == pem
    assert run("rerun", "app", "--name", "again", "--detach").returncode == 0
    [secret] = secrets(kubectl, builds.namespace)
    owners = [owner["uid"] for owner in secret["metadata"]["ownerReferences"]]
    assert owners == [builds.get(name)["metadata"]["uid"] for name in ("app", "again")]


@pytest.mark.parametrize(
    "option",
    [
        ("--push-secret", "typo"),
        ("--pull-secret", "typo"),
        ("--git-secret", "typo"),
        ("--secret", "id=c,secret=typo,key=e"),
    ],
)
def test_a_secret_that_is_not_there_is_named_before_anything_is_created(
    run: Run, builds: Builds, option: tuple[str, str], without_secrets: Path
):
    command = ("create", "--git", SOURCE, "-t", IMAGE, *option, "--name", "app", "--detach")
    done = run(*command)
    said = f"{option[0]} typo: namespace {builds.namespace} has no Secret of that name."
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    # Whoever may not ask is not told either: the build waits for it, and says so.
    done = run(*command, KUBECONFIG=str(without_secrets))
    assert done.returncode == 0, done.stderr
    assert builds.get("app")


def test_a_build_of_a_file_can_have_them_too(run: Run, builds: Builds):
    body = {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuild", "metadata": {"name": "app"}, "spec": spec()}
    done = run("create", "-f", "-", "--secret", "id=a,env=TOKEN", "--detach", stdin=json.dumps(body))
    assert done.returncode == 0, done.stderr
    assert [each["id"] for each in builds.get("app")["spec"]["buildSecrets"]] == ["a"]


def test_variables_of_the_build_container_and_any_nodes(run: Run, builds: Builds):
    options = ("--env", "AWS_REGION=eu-west-1", "--platform", "linux/arm64", "--platform-nodes", "Any")
    done = run("create", "--git", SOURCE, "-t", IMAGE, *options, "--name", "app", "--detach")
    assert done.returncode == 0, done.stderr
    found = builds.get("app")["spec"]
    assert found["env"] == [{"name": "AWS_REGION", "value": "eu-west-1"}]
    assert found["output"]["platformNodes"] == "Any"


@pytest.fixture
def without_secrets(kubectl: Kubectl, builds: Builds, tmp_path: Path) -> Path:
    """The kubeconfig of a user who may create ImageBuilds, but no Secrets."""
    return kubeconfig_of_user(kubectl, builds.namespace, "imagebuilds.imagebuild.dev", tmp_path / "builder")


def test_a_rerun_keeps_the_secrets_of_the_first_build(run: Run, kubectl: Kubectl, builds: Builds):
    create = ("create", "--git", SOURCE, "-t", IMAGE, "--name", "first", "--secret", "id=pip,env=TOKEN", "--detach")
    assert run(*create).returncode == 0
    done = run("rerun", "first", "--name", "second", "--detach")
    assert done.returncode == 0, done.stderr
    (secret,) = secrets(kubectl, builds.namespace)
    owners = {owner["name"]: owner["uid"] for owner in secret["metadata"]["ownerReferences"]}
    assert owners == {name: builds.get(name)["metadata"]["uid"] for name in ("first", "second")}
    assert builds.get("second")["spec"]["buildSecrets"] == builds.get("first")["spec"]["buildSecrets"]


def test_without_the_permission_nothing_is_created(without_secrets: Path, kubeconfig: Path, builds: Builds):
    manifest = image_build([IMAGE], url="https://example.com/app.tar.gz", name="app")
    with (
        Client(builds.namespace, kubeconfig=str(without_secrets)) as sdk,
        pytest.raises(ForbiddenError, match=r"You may not create the Secret .* use a Secret that exists"),
    ):
        sdk.create(manifest, secrets={"npm": VALUE.encode()})
    with Client(builds.namespace, kubeconfig=str(kubeconfig)) as sdk:
        assert sdk.list() == []


def test_a_build_that_is_refused_leaves_no_secret(kubeconfig: Path, kubectl: Kubectl, builds: Builds):
    manifest = image_build(["http://a/b"], url="https://example.com/app.tar.gz", name="app")
    with Client(builds.namespace, kubeconfig=str(kubeconfig)) as sdk, pytest.raises(InvalidError):
        sdk.create(manifest, secrets={"npm": VALUE.encode()})
    assert secrets(kubectl, builds.namespace) == []
