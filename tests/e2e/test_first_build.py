"""A newcomer's first build, by the commands of README.md."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from environment import ROOT, with_programs
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.git_server import make_repository, serve_git
from support.registry import Registry
from support.watching import wait_for_finish

Run = Callable[[str], "subprocess.CompletedProcess[str]"]
MARK = "<!-- tested: tests/e2e/test_first_build.py -->"
PLACEHOLDER = "registry.example.com"


def documented() -> list[str]:
    """The marked blocks of the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"{re.escape(MARK)}\n```console\n(.*?)```", readme, re.DOTALL)


def commands(block: str) -> str:
    """What a block tells to type, as a script."""
    return re.sub(r"^\$ ", "", block, flags=re.MULTILINE)


@pytest.fixture
def run(cluster: dict[str, str], kubectl: Kubectl, namespace: str, registry: Registry, tmp_path: Path) -> Run:
    """Run commands in the test's namespace, with its registry in the place of the documented one."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(kubectl("config", "view", "--flatten"))
    kubeconfig.chmod(0o600)
    environment = {**with_programs(cluster), "KUBECONFIG": str(kubeconfig)}
    example = (ROOT / "examples" / "hello.yaml").read_text(encoding="utf-8")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "hello.yaml").write_text(
        example.replace(f"{PLACEHOLDER}/team", f"{registry.name}/{namespace}")
    )

    def run(script: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace(PLACEHOLDER, registry.host)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run(f"kubectl config set-context --current --namespace={namespace}").returncode == 0
    return run


def test_the_first_build_of_the_readme_and_the_same_build_again(run: Run, namespace: str, registry: Registry):
    shown, first, again = documented()
    done = run(commands(first))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Pushed" in done.stdout.splitlines()[-1], done.stdout
    assert "kaniko-shim: done" in done.stdout
    image = f"{registry.name}/{namespace}/hello:1.0"
    assert registry.files(image)["/built"].content.startswith(b"Built on ")
    columns = run("kubectl get imagebuild").stdout.splitlines()[0]
    assert columns.split() == shown.splitlines()[1].split()

    before = run("kubectl get imagebuild hello -o jsonpath={.metadata.uid}").stdout
    assert run("sed -i s/world/there/ examples/hello.yaml && kubectl apply -f examples/hello.yaml").returncode != 0
    done = run(commands(again))
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("kubectl wait imagebuild/hello --for=condition=Succeeded --timeout=2m")
    assert done.returncode == 0, done.stdout + done.stderr
    assert run("kubectl get imagebuild hello -o jsonpath={.metadata.uid}").stdout != before
    assert b"there" in registry.files(image)["/usr/local/bin/greet"].content

    generated = run("sed 's/name: hello/generateName: hello-/' examples/hello.yaml | kubectl create -f - -o name")
    assert generated.stdout.startswith("imagebuild.imagebuild.dev/hello-"), generated.stderr


def test_the_commands_of_the_readme_end_with_an_error_where_the_build_fails(run: Run):
    _, first, _ = documented()
    spoiled = "sed -i 's/COPY greet.sh/COPY missing/' examples/hello.yaml\n"
    done = run(spoiled + commands(first))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "condition met" in done.stdout
    assert done.stderr
    assert "CopyFailed" in run("kubectl get imagebuild").stdout


def test_the_build_from_git_of_the_readme(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, host_address: str, tmp_path: Path
):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    variant = re.search(r"<!-- spec -->\n```yaml\n(source:\n.*?)```", readme, re.DOTALL)
    assert variant
    spec = yaml.safe_load(variant[1])
    name = Path(spec["source"]["git"]["url"]).name
    folder = ROOT / spec["contextDir"]
    tree = {f"{spec['contextDir']}/{path.name}": path.read_bytes() for path in folder.iterdir()}
    make_repository(tmp_path / "served" / name, tree)
    image = f"{registry.name}/{namespace}/git:1"
    with serve_git(tmp_path / "served", address=host_address) as url:
        spec["source"]["git"]["url"] = f"{url}/{name}"
        builds.create({**spec, "output": {"images": [image]}})
        status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    assert registry.files(image)["/greeting"].content.startswith(b"Hello, world!\n")
