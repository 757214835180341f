"""Upload a build context into the build pod with kubectl exec, as docs/reference/upload.md describes it."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from environment import ROOT, program
from functional.kube import Builds, Kubectl, spec
from kubernetes import client
from support.file_server import tar_gz
from support.registry import Registry
from support.watching import wait_for_build, wait_for_finish, wait_for_no_pods

SEND = ("-c", "upload", "--", "/kaniko/.Shim/bin/kaniko-shim", "send")


def awaited(api: client.ApiClient, namespace: str, name: str) -> dict[str, Any]:
    """The status of a build whose pod waits for its context."""
    body = wait_for_build(
        api, namespace, name, lambda build: build.get("status", {}).get("reason") == "AwaitingUpload", timeout=90
    )
    status: dict[str, Any] = body["status"]
    return status


def uploaded(builds: Builds, image: str, **upload: int) -> None:
    body = spec(source={"upload": upload}, output={"images": [image]})
    builds.create({**body, "retry": {"limit": 0}}, "uploaded")


class Exec:
    """kubectl exec into the pod of a build."""

    def __init__(self, kubectl: Kubectl, namespace: str, pod: str) -> None:
        program = [str(kubectl.program), "--kubeconfig", str(kubectl.kubeconfig)]
        self.command = [*program, "-n", namespace, "exec", "-i", pod, *SEND]

    def __call__(self, content: bytes, *arguments: str) -> tuple[int, dict[str, Any]]:
        command = [*self.command, *arguments]
        done = subprocess.run(command, input=content, capture_output=True, check=False, timeout=60)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


def test_the_example_with_the_command_of_its_message(
    kubectl: Kubectl, api: client.ApiClient, namespace: str, cluster: dict[str, str], registry: Registry, tmp_path: Path
):
    kubectl(
        "-n", namespace, "create", "secret", "docker-registry", "registry-push", f"--docker-server={registry.host}",
        "--docker-username=anyone", "--docker-password=none",
    )  # fmt: skip
    example = (ROOT / "examples" / "upload.yaml").read_text(encoding="utf-8")
    image = f"{registry.name}/{namespace}/app:1.0"
    kubectl("-n", namespace, "apply", "-f", "-", stdin=example.replace("registry.example.com/team/app:1.0", image))
    name = "imagebuild/from-my-machine"
    kubectl("-n", namespace, "wait", name, "--for=jsonpath={.status.reason}=AwaitingUpload", "--timeout=55s")
    said = kubectl("-n", namespace, "get", name, "-o", "jsonpath={.status.message}")
    message, _, command = said.partition(": ")
    assert message == "Waiting for the build context. Send the directory DIR"
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY app /\n")
    (tmp_path / "app").write_text("from my machine")
    path = f"{program('kubectl', cluster).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.replace(" DIR ", f" {tmp_path} ")],
        env={**os.environ, "PATH": path, "KUBECONFIG": str(kubectl.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "complete"
    assert "The build context has arrived." in done.stderr
    status = wait_for_finish(api, namespace, "from-my-machine")
    assert status["phase"] == "Succeeded", status
    assert status["timings"]["uploadMilliseconds"] >= 0
    assert registry.files(image)["/app"].content == b"from my machine"


def test_a_connection_that_breaks_is_continued(
    kubectl: Kubectl, builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    uploaded(builds, image := f"{registry.name}/{namespace}/app:1")
    send = Exec(kubectl, namespace, awaited(api, namespace, "uploaded")["podName"])
    content = tar_gz({"Dockerfile": "FROM scratch\nCOPY data /\n", "data": os.urandom(500_000).hex()})
    whole = ("--size", str(len(content)), "--sha256", hashlib.sha256(content).hexdigest())
    broken = subprocess.Popen([*send.command, *whole], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert broken.stdin
    broken.stdin.write(content[:200_000])
    broken.stdin.flush()
    while (kept := send(b"", "--status")[1])["received"] < 200_000:
        assert broken.poll() is None
    broken.kill()
    broken.wait()
    broken.stdin.close()
    assert (kept["state"], kept["received"], kept["sha256"]) == ("incomplete", 200_000, whole[-1])
    # What is cut off without a digest is refused, and a part that was kept is not what is built.
    code, answer = until_free(send, content[200_000:], *whole, "--offset", "200000")
    assert (code, answer["state"]) == (0, "complete")
    status = wait_for_finish(api, namespace, "uploaded")
    assert status["phase"] == "Succeeded", status
    assert status["digest"] == registry.digest(image)


def until_free(send: Exec, content: bytes, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Send as soon as the node has noticed that the connection before is gone."""
    while True:
        code, answer = send(content, *arguments)
        if "Another upload is running" not in answer["message"]:
            return code, answer


def test_each_platform_needs_its_own_upload(
    kubectl: Kubectl, builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    image = f"{registry.name}/{namespace}/app:1"
    output = {"images": [image], "platforms": ["linux/amd64", "linux/arm64"], "platformNodes": "Any"}
    builds.create(spec(source={"upload": {}}, output=output), "uploaded")
    content = tar_gz({"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})

    def all_wait(build: dict[str, Any]) -> bool:
        platforms = build.get("status", {}).get("platforms", [])
        return [each.get("reason") for each in platforms] == ["AwaitingUpload"] * 2

    body = wait_for_build(api, namespace, "uploaded", all_wait, timeout=90)
    for platform in body["status"]["platforms"]:
        assert platform["podName"] in platform["message"]
        assert Exec(kubectl, namespace, platform["podName"])(content)[0] == 0
    status = wait_for_finish(api, namespace, "uploaded")
    assert status["phase"] == "Succeeded", status
    index = registry.manifest(image)
    assert {each["platform"]["architecture"] for each in index["manifests"]} == {"amd64", "arm64"}


def test_what_is_cut_off_is_not_built_and_a_waiting_build_can_be_cancelled(
    kubectl: Kubectl, builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    uploaded(builds, image := f"{registry.name}/{namespace}/app:1")
    send = Exec(kubectl, namespace, awaited(api, namespace, "uploaded")["podName"])
    content = tar_gz({"Dockerfile": "FROM scratch\n"})
    code, answer = send(content[:-10])
    assert (code, answer["outcome"]) == (1, "refused")
    assert "cut off" in answer["message"]
    assert awaited(api, namespace, "uploaded")["phase"] == "Preparing"
    builds.patch({"spec": {"cancel": True}}, "uploaded")
    status = wait_for_finish(api, namespace, "uploaded", timeout=45)
    assert (status["phase"], status["reason"]) == ("Cancelled", "Cancelled")
    wait_for_no_pods(api, namespace)
    assert not registry.has(image)


@pytest.mark.shows("A43")
def test_only_those_who_may_exec_can_send_and_the_deadline_ends_the_build(
    kubectl: Kubectl, builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    uploaded(builds, image := f"{registry.name}/{namespace}/app:1", timeoutSeconds=30)
    pod = awaited(api, namespace, "uploaded")["podName"]
    kubectl("-n", namespace, "create", "rolebinding", "reader", "--clusterrole=view", "--user=reader")
    done = kubectl.run("--as=reader", "-n", namespace, "exec", "-i", pod, *SEND, stdin="")
    assert done.returncode
    assert 'cannot create resource "pods/exec"' in done.stderr
    status = wait_for_finish(api, namespace, "uploaded", timeout=60)
    assert (status["phase"], status["reason"]) == ("Failed", "UploadTimeout")
    assert "No complete upload arrived within 30 s." in status["message"]
    assert not registry.has(image)


def test_a_failure_with_a_long_log_is_reported_from_a_pod_of_four_containers(
    kubectl: Kubectl, builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    uploaded(builds, f"{registry.name}/{namespace}/app:1")
    send = Exec(kubectl, namespace, awaited(api, namespace, "uploaded")["podName"])
    dockerfile = "FROM busybox\nRUN for i in $(seq 1000); do echo a line of the log $i; done; exit 127\n"
    assert send(tar_gz({"Dockerfile": dockerfile}))[0] == 0
    status = wait_for_finish(api, namespace, "uploaded")
    assert (status["phase"], status["reason"]) == ("Failed", "RunCommandFailed"), status
    assert status["failure"]["exitCode"] == 127
    assert "a line of the log 1000" in status["failure"]["logTail"]
