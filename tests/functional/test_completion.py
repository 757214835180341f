"""What shells suggest for kubectl imagebuild."""

import os
import socket
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest
import yaml
from functional.kube import Builds, Kubectl, spec

SCRIPTS = Path(sysconfig.get_path("scripts"))
PROGRAM = SCRIPTS / "kubectl-imagebuild"
#: Far more than it takes, and less than the timeout of a connection.
SOON = 25


@pytest.fixture
def environment(kubeconfig: Path) -> dict[str, str]:
    path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": path}


def printed(environment: dict[str, str], *command: str | Path, **variables: str) -> str:
    done = subprocess.run(
        command, env={**environment, **variables}, capture_output=True, text=True, timeout=60, check=False
    )
    assert not done.stderr
    return done.stdout


def in_kubectl(environment: dict[str, str], *words: str) -> list[str]:
    return printed(environment, SCRIPTS / "kubectl_complete-imagebuild", *words).splitlines()


@pytest.fixture
def two_builds(builds: Builds) -> str:
    for name in ("app-1", "app-2", "other"):
        builds.create(spec(), name)
    return builds.namespace


def test_each_shell_gets_the_names_of_builds(environment: dict[str, str], two_builds: str):
    line = f"kubectl-imagebuild logs -n {two_builds} app"
    words = {"COMP_WORDS": line, "COMP_CWORD": "4", "_TYPER_COMPLETE_ARGS": line}
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    shown = {
        shell: printed(environment, PROGRAM, _KUBECTL_IMAGEBUILD_COMPLETE=f"complete_{shell}", **words, **fish)
        for shell in ("bash", "zsh", "fish")
    }
    assert shown["bash"].split() == ["app-1", "app-2"]
    assert '"app-1"' in shown["zsh"]
    assert shown["fish"].split() == ["app-1", "app-2"]


def test_bash_completes_a_name(environment: dict[str, str], two_builds: str):
    script = printed(environment, PROGRAM, "completion", "bash")
    ask = (
        f"COMP_WORDS=(kubectl-imagebuild -n {two_builds} cancel oth); COMP_CWORD=4; "
        '_kubectl_imagebuild_completion kubectl-imagebuild; echo "${COMPREPLY[@]}"'
    )
    assert printed(environment, "bash", "-c", f"{script}\n{ask}") == "other\n"


def test_kubectl_completes_commands_names_namespaces_and_contexts(
    environment: dict[str, str], kubectl: Kubectl, two_builds: str
):
    assert in_kubectl(environment, "canc") == ["cancel\tStop a build.", ":4"]
    assert in_kubectl(environment, "status", "-n", two_builds, "") == ["app-1", "app-2", "other", ":4"]
    assert in_kubectl(environment, "status", "-n", two_builds[:-1]) == [two_builds, ":4"]
    context = kubectl("config", "current-context").strip()
    assert context in in_kubectl(environment, "list", "--context", "")
    assert in_kubectl(environment, "list", "-o", "j") == ["json", ":4"]
    # Paths are the shell's.
    assert in_kubectl(environment, "build", "") == [":0"]
    done = subprocess.run(
        [kubectl.program, "__complete", "imagebuild", "status", "-n", two_builds, "oth"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "other\n:4\n"


def test_without_a_cluster_there_is_nothing_and_no_error(environment: dict[str, str], tmp_path: Path):
    path = tmp_path / "kubeconfig"
    for text in ("", "[", "current-context: x"):
        path.write_text(text)
        for words in (("logs", ""), ("list", "--context", ""), ("list", "-n", "")):
            assert in_kubectl({**environment, "KUBECONFIG": str(path)}, *words) == [":4"]


def test_an_api_server_that_does_not_answer_is_not_waited_for(environment: dict[str, str], tmp_path: Path):
    path = tmp_path / "kubeconfig"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = f"https://127.0.0.1:{silent.getsockname()[1]}"
        content = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c"}}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
        }
        path.write_text(yaml.safe_dump(content))
        begin = time.monotonic()
        assert in_kubectl({**environment, "KUBECONFIG": str(path)}, "logs", "") == [":4"]
        assert time.monotonic() - begin < SOON
