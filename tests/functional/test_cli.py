"""kubectl imagebuild against a real API server; the commands of docs/how-to/cli.md."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from functional.kube import Builds, Kubectl, spec
from functional.kubelet import DIGEST, PUSHED, Kubelet, running, terminated
from functional.node import Node, serve_node
from functional.operator_process import OperatorProcess
from imagebuild import AsyncClient, Build
from kubectl_imagebuild.display import choose
from kubectl_imagebuild.following import follow_build
from kubectl_imagebuild.forms import Progress
from kubectl_imagebuild.interrupts import Interrupts
from kubernetes import client
from support.waiting import until

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
IMAGE = "registry.example.com/team/app:1"
SOURCE = "https://git.example.com/team/app"
FAILED = json.dumps({"reason": "RunCommandFailed", "message": "RUN make failed with exit code 2.", "exitCode": 2})

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(kubeconfig: Path) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(kubeconfig)}


@pytest.fixture
def run(environment: dict[str, str], builds: Builds) -> Run:
    """Run a command in the test's namespace."""

    def go(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments, "-n", builds.namespace],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return go


@pytest.fixture
def node(api: client.ApiClient, namespace: str, tmp_path: Path) -> Iterator[Node]:
    """A node that has logs."""
    with serve_node(api, f"node-{namespace}", tmp_path) as served:
        yield served


@contextmanager
def started(environment: dict[str, str], namespace: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs for as long as the block; no longer."""
    with subprocess.Popen(
        [PROGRAM, *arguments, "-n", namespace],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def manifest(name: str = "app") -> dict[str, Any]:
    return {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuild", "metadata": {"name": name}, "spec": spec()}


def test_create_from_options_and_list(run: Run, builds: Builds, kubectl: Kubectl):
    kubectl("-n", builds.namespace, "create", "secret", "generic", "push")
    arguments = ["--build-arg", "A=1", "--platform", "linux/arm64", "--push-secret", "push", "--name", "app"]
    made = run("create", "--git", f"{SOURCE}#v1", "-t", IMAGE, *arguments, "--detach")
    assert (made.returncode, made.stdout) == (0, "imagebuild.imagebuild.dev/app created\n"), made.stderr
    body = builds.get("app")["spec"]
    assert body["source"] == {"git": {"url": SOURCE, "revision": "v1"}}
    assert body["buildArgs"] == [{"name": "A", "value": "1"}]
    assert body["output"]["platforms"] == ["linux/arm64"]
    table = run("list").stdout.splitlines()
    assert table[0].split() == ["NAME", "PHASE", "PROGRESS", "REASON", "IMAGE", "DURATION", "AGE"]
    assert table[1].split()[:2] == ["app", IMAGE]
    assert run("list", "-o", "name").stdout == "imagebuild.imagebuild.dev/app\n"
    assert json.loads(run("list", "-o", "json").stdout)["items"][0]["metadata"]["name"] == "app"


def test_what_docker_users_type_is_a_build(run: Run, builds: Builds):
    flags = ["--no-cache", "--pull", "--push", "--label", "a=b", "--platform", "linux/amd64,linux/arm64"]
    more = ["--cpu", "2", "-m", "1Gi", "--insecure", "--build-arg", "HOME", "--skip-if-unchanged", "--name", "typed"]
    made = run("build", f"{SOURCE}#v1:sub", "-f", "other/Dockerfile", "-t", IMAGE, *flags, *more, "--detach")
    assert made.returncode == 0, made.stderr
    spec = builds.get("typed")["spec"]
    assert spec == {
        "source": {"git": {"url": SOURCE, "revision": "v1"}},
        "contextDir": "sub",
        "dockerfile": {"path": "other/Dockerfile"},
        "buildArgs": [{"name": "HOME", "value": os.environ["HOME"]}],
        "cache": {"enabled": False},
        "registries": [{"host": IMAGE.partition("/")[0], "plainHTTP": True}],
        "resources": {"limits": {"cpu": "2", "memory": "1Gi"}},
        "output": {
            "images": [IMAGE],
            "labels": {"a": "b"},
            "platforms": ["linux/amd64", "linux/arm64"],
            "push": True,
            "skipIfUnchanged": True,
        },
    }
    # What -o name prints is a name.
    assert run("status", "imagebuild.imagebuild.dev/typed").returncode == 0


def test_quiet_is_the_digest_or_the_failure(
    run: Run, environment: dict[str, str], operator: OperatorProcess, kubelet: Kubelet, namespace: str
):
    assert operator.is_running()
    with started(environment, namespace, "create", "--git", SOURCE, "-t", IMAGE, "-q") as process:
        kubelet.report(kubelet.pod(), "Succeeded", build=terminated(0, "{}"), push=PUSHED)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", out)
    refused = run("create", "--git", SOURCE, "-t", IMAGE, "-q", "--context-dir", "..")
    assert (refused.returncode, refused.stdout) == (4, "")


@pytest.mark.parametrize("progress", [Progress.QUIET, Progress.PLAIN, Progress.RAWJSON])
def test_a_build_that_ended_before_it_was_followed_is_shown_once(
    kubeconfig: Path, operator: OperatorProcess, kubelet: Kubelet, builds: Builds, progress: Progress
):
    assert operator.is_running()
    builds.create(spec(), "app")
    kubelet.report(kubelet.pod(), "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    until(lambda: (builds.get("app").get("status") or {}).get("phase") == "Succeeded")
    out, err = StringIO(), StringIO()

    async def follow() -> Build:
        async with AsyncClient(builds.namespace, kubeconfig=str(kubeconfig)) as sdk:
            with Interrupts() as interrupts, choose(progress, out, err) as display:
                return await follow_build(sdk, "app", display, interrupts, cancels=False)

    assert asyncio.run(follow()).succeeded
    assert len([line for line in (out.getvalue() + err.getvalue()).splitlines() if DIGEST in line]) == 1


def test_create_from_a_file_and_from_standard_input(run: Run, tmp_path: Path):
    file = tmp_path / "app.yaml"
    file.write_text(yaml.safe_dump(manifest()))
    made = run("create", "-f", str(file), "--detach", "-o", "yaml")
    assert yaml.safe_load(made.stdout)["metadata"]["name"] == "app", made.stderr
    assert run("create", "-f", "-", "--detach", "-o", "name", stdin=json.dumps(manifest("b"))).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create"], "error: name what to build: -f FILE, or --git URL (or --url URL) with -t IMAGE\n"),
        (["create", "-f", "nowhere.yaml"], "No such file"),
        (
            ["create", "-f", "-", "-t", IMAGE, "--label", "a=b", "--no-push", "--detach"],
            "error: -f has the whole build: write into the file what -t, --label, --push would say\n",
        ),
        (["create", "--git", SOURCE, "-t", IMAGE, "--build-arg", "=A"], "write --build-arg NAME=VALUE\n"),
        (["build", SOURCE, "-t", IMAGE, "--skip-unchanged"], "use --skip-if-unchanged, which asks the registry\n"),
        (["create", "--git", SOURCE, "-t", IMAGE, "--secret", "id=a,key=b"], "for a Secret that exists\n"),
        (["create", "-f", "-"], "write one ImageBuild only\n"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_code_2(run: Run, arguments: list[str], message: str):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_errors_of_the_api_server_are_one_line_and_code_4(run: Run, builds: Builds):
    builds.create(spec(), "app")
    for arguments, message in (
        (["status", "nosuch"], '"nosuch" not found.'),
        (["create", "-f", "-"], '"app" already exists. Choose another name.'),
        (["create", "--git", SOURCE, "-t", "http://a/b"], "without http://"),
        (["list", "--context", "nosuch"], "nosuch"),
    ):
        done = run(*arguments, stdin=json.dumps(manifest()))
        assert done.returncode == 4, done.stderr
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


def test_create_follows_the_build_and_ends_with_its_result(
    environment: dict[str, str], operator: OperatorProcess, kubelet: Kubelet, node: Node, namespace: str
):
    assert operator.is_running()
    with started(environment, namespace, "create", "--git", SOURCE, "-t", IMAGE) as process:
        pod = kubelet.pod()
        kubelet.bind(pod, node.name)
        node.logs[f"{pod['metadata']['name']}/build"] = "2026-11-25T10:00:00.5Z compiled\n"
        kubelet.report(pod, "Pending", build=running())
        assert process.stdout
        # Its number depends on whether the operator was seen to wait, which is a race.
        out = process.stdout
        step = until(lambda: re.fullmatch(r"(#\d) 0\.000 compiled\n", out.readline()))
        kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
        rest, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert step
    assert rest.splitlines()[-1].startswith(f"{step[1]} DONE ")
    assert err.splitlines()[-1] == f"{IMAGE}@{DIGEST}"
    assert "\x1b" not in err


def test_a_failed_build_has_code_1_and_says_why(run: Run, operator: OperatorProcess, kubelet: Kubelet, builds: Builds):
    assert operator.is_running()
    builds.create(spec(), "app")
    kubelet.report(kubelet.pod(), "Failed", build=terminated(2, FAILED, "Error"))
    done = run("wait", "app", "--timeout", "30")
    assert done.returncode == 1, done.stderr
    assert "ImageBuild app failed" in done.stdout
    assert "RUN make failed with exit code 2." in done.stdout
    shown = run("status", "app").stdout
    assert "Phase:      Failed (RunCommandFailed)" in shown
    assert run("logs", "app", "--follow").returncode == 1
    assert run("cancel", "app").stderr == "ImageBuild app has ended before (Failed).\n"
    assert "cancel" not in builds.get("app")["spec"]


def test_cancel_and_wait(run: Run, operator: OperatorProcess, builds: Builds):
    builds.create(spec(), "app")
    assert run("wait", "app", "--timeout", "0.1").returncode == 5
    assert run("cancel", "app").stdout == "ImageBuild app is being cancelled.\n"
    assert operator.is_running()
    done = run("wait", "app")
    assert (done.returncode, done.stdout) == (3, "ImageBuild app was cancelled.\n")


def test_ctrl_c_cancels_a_build_that_was_created_and_a_second_one_leaves(
    environment: dict[str, str], operator: OperatorProcess, kubelet: Kubelet, builds: Builds, namespace: str
):
    with started(environment, namespace, "create", "--git", SOURCE, "-t", IMAGE, "--name", "app") as process:
        kubelet.pod()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 3, err
    assert err.splitlines()[-1] == "ImageBuild app was cancelled."
    operator.stop()
    with started(environment, namespace, "create", "--git", SOURCE, "-t", IMAGE, "--name", "b") as process:
        assert process.stdout
        assert process.stdout.readline() == "#1 [internal] wait for an operator\n"
        process.send_signal(signal.SIGTERM)
        until(lambda: builds.get("b")["spec"].get("cancel"))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_ctrl_c_leaves_logs_and_the_build_goes_on(environment: dict[str, str], builds: Builds, namespace: str):
    builds.create(spec(), "app")
    with started(environment, namespace, "logs", "-f", "app") as process:
        assert process.stderr
        assert process.stderr.readline() == "ImageBuild app waits for an operator.\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert "cancel" not in builds.get("app")["spec"]


def test_a_build_whose_output_nobody_reads_goes_on(
    environment: dict[str, str], builds: Builds, namespace: str, operator: OperatorProcess, kubelet: Kubelet
):
    assert operator.is_running()
    source = ("--git", SOURCE, "-t", "registry.example.com/team/app:1", "--name", "app")
    with started(environment, namespace, "create", *source) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        kubelet.report(kubelet.pod(), "Pending", build=running())
        assert process.wait(60) == 130
        assert process.stderr.read().endswith("Nobody reads the output any more. ImageBuild app continues.\n")
    assert "cancel" not in builds.get("app")["spec"]


def test_rerun_with_changes(run: Run, builds: Builds):
    source = {"git": {"url": SOURCE, "revision": "v1"}}
    builds.create(spec(source=source, buildArgs=[{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]), "app")
    done = run("rerun", "app", "--name", "c", "--revision", "v2", "--build-arg", "B=2", "--detach")
    assert done.returncode == 0, done.stderr
    made = builds.get("c")["spec"]
    assert made["source"]["git"] == {"url": SOURCE, "revision": "v2"}
    assert made["buildArgs"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]


def test_rawjson_is_one_object_per_line(run: Run, builds: Builds, operator: OperatorProcess):
    assert operator.is_running()
    body = manifest()
    body["spec"]["cancel"] = True
    done = run("create", "-f", "-", "--progress", "rawjson", stdin=json.dumps(body))
    assert done.returncode == 3, done.stderr
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert {entry["type"] for entry in entries} == {"status"}
    assert entries[-1]["status"]["phase"] == "Cancelled"
    assert builds.get("app")


def test_the_output_for_programs_is_alone_on_standard_output(run: Run, operator: OperatorProcess):
    assert operator.is_running()
    body = manifest()
    body["spec"]["cancel"] = True
    done = run("create", "-f", "-", "-o", "json", stdin=json.dumps(body))
    assert json.loads(done.stdout)["status"]["phase"] == "Cancelled"


def test_kubectl_finds_the_plugin(kubectl: Kubectl, environment: dict[str, str], builds: Builds):
    path = f"{PROGRAM.parent}{os.pathsep}{environment['PATH']}"
    command = [str(kubectl.program), "imagebuild", "list", "-n", builds.namespace]
    done = subprocess.run(
        command, env={**environment, "PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, f"There are no ImageBuilds in namespace {builds.namespace}.\n")


def test_a_shell_completes_commands(environment: dict[str, str]):
    script = subprocess.run([PROGRAM, "completion", "bash"], capture_output=True, text=True, timeout=60, check=True)
    ask = (
        "COMP_WORDS=(kubectl-imagebuild can); COMP_CWORD=1; _kubectl_imagebuild_completion kubectl-imagebuild; "
        'echo "${COMPREPLY[@]}"'
    )
    path = f"{PROGRAM.parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"{script.stdout}\n{ask}"],
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "cancel\n", done.stderr
