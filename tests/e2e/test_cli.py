"""kubectl imagebuild build on a real cluster, as in docs/how-to/cli.md: a directory becomes an image."""

import os
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from environment import with_programs
from functional.kube import Builds, Kubectl, kubeconfig_of_user, spec
from imagebuild import Client
from kubectl_imagebuild.build_end import ADVICE
from kubernetes import client
from support.registry import Registry
from support.waiting import until
from support.watching import wait_for_build, wait_for_finish

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(cluster: dict[str, str], kubectl: Kubectl, namespace: str, tmp_path: Path) -> Start:
    """Start the plugin in the directory that has the directory app."""
    environment = {**with_programs(cluster), "KUBECONFIG": str(kubectl.kubeconfig)}

    def go(*arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [PROGRAM, "-n", namespace, *arguments],
            cwd=tmp_path,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return go


@pytest.fixture
def app(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    directory.mkdir()
    (directory / "data").write_bytes(os.urandom(3_000_000))
    (directory / "left-out").write_text("secret")
    (directory / ".dockerignore").write_text("left-out\n")
    (directory / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return directory


def finished(process: "subprocess.Popen[str]", stdin: str | None = None) -> tuple[int, str, str]:
    with process:
        try:
            out, err = process.communicate(stdin, timeout=120)
        finally:
            process.kill()
    return process.returncode, out, err


def test_a_directory_becomes_an_image(start: Start, app: Path, namespace: str, registry: Registry):
    image = f"{registry.name}/{namespace}/app:1"
    code, out, err = finished(start("build", "app", "-t", image, "--name", "app"))
    assert code == 0, err
    assert err.splitlines()[-1] == f"{image}@{registry.digest(image)}"
    assert "Sending the build context: 3.0 MB in" in err
    files = registry.files(image)
    assert files["/data"].content == (app / "data").read_bytes()
    assert "/left-out" not in files
    # Nobody is told how to send it.
    assert "kubectl exec" not in out + err


def test_another_dockerfile_with_an_argument(start: Start, app: Path, namespace: str, registry: Registry):
    (app / "Release.Dockerfile").write_text("FROM scratch\nARG NAME\nLABEL name=$NAME\nCOPY data /\n")
    image = f"{registry.name}/{namespace}/app:1"
    arguments = ("-f", "app/Release.Dockerfile", "--build-arg", "NAME=x", "-o", "name")
    code, out, err = finished(start("build", "app", "-t", image, *arguments))
    assert code == 0, err
    assert out.startswith("imagebuild.imagebuild.dev/app-")
    assert registry.config(image)["config"]["Labels"]["name"] == "x"


def test_a_dockerfile_from_standard_input(start: Start, app: Path, namespace: str, registry: Registry):
    image = f"{registry.name}/{namespace}/app:1"
    code, _, err = finished(start("build", "app", "-t", image, "-f", "-"), "FROM scratch\nCOPY data /other\n")
    assert code == 0, err
    files = registry.files(image)
    assert files["/other"].content == (app / "data").read_bytes()
    assert "/Dockerfile" not in files


def test_a_registry_that_needs_a_login_and_a_private_ca_is_reached_by_options_alone(
    start: Start,
    app: Path,
    namespace: str,
    private_registry: Registry,
    cluster: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/config.json").write_text(cluster["REGISTRY_AUTH"])
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    image = f"{private_registry.name}/{namespace}/app:1"
    build = ("build", "app", "-t", image)
    # Each failure says what to write next.
    code, _, err = finished(start(*build))
    assert (code, err.splitlines()[-1]) == (1, ADVICE["RegistryTLS"]), err
    trusted = (*build, "--ca-file", cluster["REGISTRY_CA"])
    code, _, err = finished(start(*trusted))
    assert (code, err.splitlines()[-1]) == (1, ADVICE["RegistryUnauthorized"]), err
    code, _, err = finished(start(*trusted, "--use-docker-login"))
    assert code == 0, err
    assert private_registry.files(image)["/data"].content == (app / "data").read_bytes()


@pytest.fixture
def breaking(kubectl: Kubectl, tmp_path: Path) -> Iterator[tuple[Path, list[int]]]:
    """A kubeconfig whose first connection with much data breaks after 10 MB; the bytes of each that has ended."""
    server = yaml.safe_load(kubectl.kubeconfig.read_text())
    target = urlsplit(server["clusters"][0]["cluster"]["server"])
    counts: list[int] = []
    threads: list[Thread] = []

    def pump(source: socket.socket, sink: socket.socket, *, breaks: bool) -> None:
        sent = 0
        with suppress(OSError):
            while chunk := source.recv(65536):
                sink.sendall(chunk)
                sent += len(chunk)
                if breaks and sent > 10_000_000 and max(counts, default=0) < sent - 5_000_000:
                    break
        if breaks:
            counts.append(sent)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def connect(near: socket.socket) -> None:
        with near, socket.create_connection((target.hostname, target.port)) as far:
            back = Thread(target=pump, args=(far, near), kwargs={"breaks": False})
            back.start()
            pump(near, far, breaks=True)
            back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(Thread(target=connect, args=(listener.accept()[0],)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = Thread(target=accept)
        accepting.start()
        # The certificate is for another address.
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        server["clusters"][0]["cluster"] = {"server": address, "insecure-skip-tls-verify": True}
        kubeconfig = tmp_path / "breaking"
        kubeconfig.write_text(yaml.safe_dump(server))
        yield kubeconfig, counts
        listener.shutdown(socket.SHUT_RDWR)
        for thread in (accepting, *threads):
            thread.join(10)


def test_a_broken_connection_is_continued(
    start: Start, breaking: tuple[Path, list[int]], app: Path, namespace: str, registry: Registry
):
    kubeconfig, sent = breaking
    (app / "data").write_bytes(os.urandom(20_000_000))
    image = f"{registry.name}/{namespace}/app:1"
    code, _, err = finished(start("--kubeconfig", str(kubeconfig), "build", "app", "-t", image))
    assert code == 0, err
    until(lambda: sum(sent) > 20_000_000)
    assert max(sent) > 9_000_000
    # From the beginning, it would be 30 MB in all.
    assert sum(sent) < 25_000_000
    assert registry.files(image)["/data"].content == (app / "data").read_bytes()


def test_the_sdk_sends_to_each_platform(
    builds: Builds, kubectl: Kubectl, app: Path, namespace: str, registry: Registry
):
    image = f"{registry.name}/{namespace}/app:1"
    output = {"images": [image], "platforms": ["linux/amd64", "linux/arm64"], "platformNodes": "Any"}
    builds.create(spec(source={"upload": {}}, output=output), "app")
    with Client(namespace, kubeconfig=str(kubectl.kubeconfig)) as sender:
        sender.upload("app", app)
        build = sender.wait("app", 120)
    assert build.succeeded, build.message
    index = registry.manifest(image)
    assert {each["platform"]["architecture"] for each in index["manifests"]} == {"amd64", "arm64"}


def test_a_failing_step_is_the_exit_code(start: Start, app: Path, namespace: str, registry: Registry):
    (app / "Dockerfile").write_text("FROM scratch\nCOPY missing /\n")
    image = f"{registry.name}/{namespace}/app:1"
    code, _, err = finished(start("build", "app", "-t", image))
    assert code == 1, err
    assert "CopyFailed" in err


def test_detach_ends_when_the_directory_is_sent(
    start: Start, app: Path, api: client.ApiClient, namespace: str, registry: Registry
):
    assert app.is_dir()
    image = f"{registry.name}/{namespace}/app:1"
    code, out, err = finished(start("build", "app", "-t", image, "--name", "app", "--detach"))
    assert (code, out) == (0, ""), err
    assert wait_for_finish(api, namespace, "app")["phase"] == "Succeeded"


def test_ctrl_c_during_the_upload_cancels_the_build(
    start: Start, app: Path, api: client.ApiClient, namespace: str, registry: Registry
):
    # Large enough that the upload runs for seconds.
    with (app / "data").open("wb") as file:
        for _ in range(30):
            file.write(os.urandom(10_000_000))
    process = start("build", "app", "-t", f"{registry.name}/{namespace}/app:1", "--name", "app")

    def awaits(build: dict[str, Any]) -> bool:
        return bool(build.get("status", {}).get("reason") == "AwaitingUpload")

    errors = process.stderr
    assert errors
    until(lambda: "Sending the build context" in errors.readline(), timeout=90)
    wait_for_build(api, namespace, "app", awaits, timeout=5)
    process.send_signal(signal.SIGINT)
    code, _, err = finished(process)
    assert code == 3, err
    assert err.splitlines()[-1] == "ImageBuild app was cancelled."


def test_without_the_permission_to_exec_the_build_is_cancelled(
    app: Path, kubectl: Kubectl, builds: Builds, cluster: dict[str, str], namespace: str, tmp_path: Path
):
    resources = "imagebuilds.imagebuild.dev,pods,pods/log"
    kubeconfig = kubeconfig_of_user(kubectl, namespace, resources, tmp_path / "kubeconfig")
    done = subprocess.run(
        [PROGRAM, "-n", namespace, "build", str(app), "-t", "registry.example.com/app:1", "--name", "app"],
        env={**os.environ, **with_programs(cluster), "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 4, done.stderr
    assert "get and create of pods/exec" in done.stderr.splitlines()[-1]
    assert builds.get("app")["spec"]["cancel"] is True
