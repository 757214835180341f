"""The script of docs/how-to/ci/index.md with the rights of its account: what a CI job sees, and its exit code.

docs/how-to/ci/tekton.md uses the same script. The action and the component of docs/how-to/ci/github-actions.md and
docs/how-to/ci/gitlab.md build the checkout, as docs/how-to/ci/index.md says.
"""

import os
import re
import signal
import subprocess
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from environment import ROOT, with_programs
from functional.kube import GROUP, PLURAL, VERSION, Builds, Kubectl
from kubernetes import client
from support.registry import Registry
from support.watching import phase, wait_for_build, wait_for_finish

Json = dict[str, Any]
CI = ROOT / "examples" / "ci"
#: Starts the script with the text of an ImageBuild on its standard input.
Start = Callable[..., "subprocess.Popen[str]"]
Checkout = Callable[..., dict[str, str]]


@pytest.fixture
def kubeconfig(kubectl: Kubectl, cluster: dict[str, str], namespace: str, tmp_path: Path) -> Path:
    """That of the account of rbac.yaml, in the namespace of the test."""
    objects = list(yaml.safe_load_all((CI / "rbac.yaml").read_text(encoding="utf-8")))
    text = yaml.safe_dump_all(objects).replace("namespace: ci\n", f"namespace: {namespace}\n")
    kubectl("apply", "-f", "-", stdin=text)
    whole = yaml.safe_load(Path(cluster["KUBECONFIG"]).read_text(encoding="utf-8"))
    whole["users"] = [{"name": "ci", "user": {"token": kubectl("create", "token", "ci", f"--namespace={namespace}")}}]
    for context in whole["contexts"]:
        context["context"] |= {"user": "ci", "namespace": namespace}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    return file


@pytest.fixture
def start(kubeconfig: Path, cluster: dict[str, str], registry: Registry, namespace: str, tmp_path: Path) -> Start:
    """Start the script for a Dockerfile."""

    def started(dockerfile: str, push_secret: str = "", **variables: str) -> "subprocess.Popen[str]":
        build: Json = {
            "apiVersion": "imagebuild.dev/v1alpha1",
            "kind": "ImageBuild",
            "metadata": {"generateName": "app-"},
            "spec": {
                "source": {"inline": {"files": {"Dockerfile": dockerfile}}},
                "output": {"images": [f"{registry.name or registry.address}/{namespace}/app:1"]},
            },
        }
        if push_secret:
            build["spec"]["output"]["pushSecretRef"] = {"name": push_secret}
        (tmp_path / "build.yaml").write_text(yaml.safe_dump(build), encoding="utf-8")
        return subprocess.Popen(
            [CI / "build.sh", tmp_path / "build.yaml", tmp_path / "result"],
            env={**with_programs(cluster), "KUBECONFIG": str(kubeconfig), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return started


def the_build(builds: Builds) -> Json:
    """The only build of the namespace, which the script has made."""
    listed: Any = builds.api.list_namespaced_custom_object(GROUP, VERSION, builds.namespace, PLURAL)
    (build,) = listed["items"]
    return dict(build)


def created(script: "subprocess.Popen[str]") -> str:
    """The name of the build, as soon as the script prints it."""
    assert script.stdout
    line = script.stdout.readline()
    assert line.startswith("Created imagebuild.imagebuild.dev/app-"), line
    return line.strip().partition("/")[2]


def test_a_success_ends_with_0_and_the_digest(start: Start, builds: Builds, registry: Registry, tmp_path: Path):
    script = start("FROM busybox\nRUN echo hello from the step\n")
    out, err = script.communicate(timeout=120)
    assert script.returncode == 0, out + err
    assert "hello from the step" in out
    status = the_build(builds)["status"]
    assert status["message"] in out
    (image,) = (tmp_path / "result").read_text(encoding="utf-8").splitlines()
    reference, _, digest = image.partition("@")
    assert digest == status["digest"] == registry.digest(reference)


def test_a_failure_ends_with_1_and_says_why(start: Start, builds: Builds, tmp_path: Path):
    script = start("FROM busybox\nRUN echo the compiler complains; exit 3\n")
    out, err = script.communicate(timeout=120)
    assert script.returncode == 1, out + err
    status = the_build(builds)["status"]
    assert status["reason"] == "RunCommandFailed"
    assert status["message"] in out
    assert "the compiler complains" in err
    assert not (tmp_path / "result").exists()


# Once before the build has started, and once while the script follows the log.
@pytest.mark.parametrize("seconds", [1, 12])
def test_a_timeout_cancels_the_build(start: Start, api: client.ApiClient, namespace: str, seconds: int):
    script = start("FROM busybox\nRUN sleep 300\n", TIMEOUT=str(seconds))
    name = created(script)
    out, err = script.communicate(timeout=60)
    assert script.returncode == 124, out + err
    assert f"has not ended within {seconds} seconds; it is cancelled" in err
    assert wait_for_finish(api, namespace, name)["phase"] == "Cancelled"


def test_a_job_that_is_stopped_cancels_the_build(start: Start, api: client.ApiClient, namespace: str):
    script = start("FROM busybox\nRUN sleep 300\n")
    name = created(script)
    wait_for_build(api, namespace, name, lambda build: phase(build) == "Building", timeout=60)
    script.send_signal(signal.SIGTERM)
    out, err = script.communicate(timeout=30)
    assert script.returncode == 143, out + err
    assert wait_for_finish(api, namespace, name)["phase"] == "Cancelled"


# While the script waits for the start, and while it follows the log.
@pytest.mark.parametrize(("push_secret", "seen"), [("missing", "SecretNotFound"), ("", "Building")])
def test_a_build_that_is_deleted_ends_with_1(
    start: Start, api: client.ApiClient, kubectl: Kubectl, namespace: str, push_secret: str, seen: str
):
    script = start("FROM busybox\nRUN sleep 300\n", push_secret)
    name = created(script)
    wait_for_build(
        api, namespace, name, lambda build: seen in (phase(build), build.get("status", {}).get("reason")), timeout=60
    )
    kubectl("delete", "imagebuild", name, f"--namespace={namespace}")
    out, err = script.communicate(timeout=60)
    assert script.returncode == 1, out + err
    assert f"{name} was deleted" in err


@pytest.fixture
def checkout(kubeconfig: Path, kubectl: Kubectl, cluster: dict[str, str], namespace: str, tmp_path: Path) -> Checkout:
    """Run the scripts of a job in a checkout, with both Roles of the account: the variables that they leave."""
    text = (CI / "rbac-checkout.yaml").read_text(encoding="utf-8")
    kubectl("apply", "-f", "-", stdin=text.replace("namespace: ci\n", f"namespace: {namespace}\n"))
    (tmp_path / "app").mkdir()
    (tmp_path / "app/made").write_text("by an earlier step")
    (tmp_path / "app/Dockerfile").write_text("ARG FROM=none\nFROM scratch\nARG FROM\nLABEL from=$FROM\nCOPY made /\n")

    def run(shell: str, scripts: Sequence[str], **variables: str) -> dict[str, str]:
        programs = with_programs(cluster)
        path = f"{sysconfig.get_path('scripts')}:{programs['PATH']}"
        output = tmp_path / "output"
        output.touch()
        for script in scripts:
            done = subprocess.run(
                [shell, "-e", "-c", script],
                cwd=tmp_path / "app",
                env={
                    **programs,
                    **variables,
                    "PATH": path,
                    "KUBECONFIG": str(kubeconfig),
                    "RUNNER_TEMP": str(tmp_path),
                    "GITHUB_OUTPUT": str(output),
                },
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        file = tmp_path / "app/build.env"
        lines = (file if file.exists() else output).read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    return run


def test_the_action_of_github_builds_the_checkout(checkout: Checkout, registry: Registry, namespace: str):
    action: Json = yaml.safe_load((CI / "github/action.yml").read_text(encoding="utf-8"))
    image = f"{registry.name}/{namespace}/app:1"
    given = {name: str(each.get("default", "")) for name, each in action["inputs"].items()}
    given |= {"image": image, "options": "--build-arg FROM=github"}
    steps = action["runs"]["steps"]
    variables = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], value)
        for step in steps
        for name, value in step["env"].items()
    }
    found = checkout("bash", [step["run"] for step in steps], **variables)
    assert found == {"digest": registry.digest(image), "image": f"{image}@{registry.digest(image)}"}
    assert {f"${{{{ steps.result.outputs.{name} }}}}" for name in found} == {
        each["value"] for each in action["outputs"].values()
    }
    assert registry.files(image)["/made"].content == b"by an earlier step"
    assert registry.config(image)["config"]["Labels"]["from"] == "github"


def test_the_component_of_gitlab_builds_the_checkout(checkout: Checkout, registry: Registry, namespace: str):
    text = (CI / "gitlab/imagebuild.yml").read_text(encoding="utf-8")
    head, body = text.split("\n---\n")
    given = {name: str(each["default"]) for name, each in yaml.safe_load(head)["spec"]["inputs"].items()}
    given["options"] = "--build-arg FROM=gitlab"
    jobs: Json = yaml.safe_load(re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: given[found[1]], body))
    repository = f"{registry.name}/{namespace}/app"
    found = checkout("sh", jobs["build-image"]["script"], CI_REGISTRY_IMAGE=repository, CI_COMMIT_SHA="1")
    assert found == {"IMAGE": f"{repository}:1@{registry.digest(f'{repository}:1')}"}
    assert registry.config(f"{repository}:1")["config"]["Labels"]["from"] == "gitlab"


def test_wrong_arguments_end_with_2():
    done = subprocess.run([CI / "build.sh"], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (done.returncode, done.stderr) == (2, "usage: build.sh FILE [RESULT]\n")


def test_the_account_reads_no_secret_and_makes_no_pod(kubectl: Kubectl, kubeconfig: Path):
    mine = Kubectl(kubectl.program, kubeconfig)
    for verb, resource in (("get", "secrets"), ("create", "pods"), ("delete", "imagebuilds"), ("create", "pods/exec")):
        assert mine.run("auth", "can-i", verb, resource).stdout.strip() == "no", (verb, resource)
