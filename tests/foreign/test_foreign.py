"""A user of another cluster exports KUBECONFIG and REGISTRY: README.md, docs/explanation/test-cluster.md.

The other cluster is a second test cluster, started for these tests. Its registry speaks plain HTTP under a name of its
own, which this machine does not know (REGISTRY_ADDRESS), and its builds cannot reach Docker Hub (HUB_MIRROR). The tests
build on each other, in this order.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from environment import ROOT, program
from install import LAYOUTS

NUMBER = "9"
#: Another name than the one that our own cluster has for its registry, and a path as in most registries of companies.
HOST = "plain.registries.svc.cluster.local:5000"
REGISTRY = f"{HOST}/team"
MARK = "<!-- tested: tests/foreign/test_foreign.py -->"


@pytest.fixture(scope="module")
def other_cluster() -> Iterator[dict[str, str]]:
    """The variables of the other cluster, as only its owner knows them."""
    environment = {**os.environ, "KUBECONFIG": "", "IMAGEBUILD_CLUSTER_NUMBER": NUMBER}

    def cluster(command: str) -> str:
        line = [sys.executable, "-m", "cluster", command]
        return subprocess.run(
            line, cwd=ROOT / "tests", env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    cluster("up")
    try:
        yield dict(line.split("=", 1) for line in cluster("info").splitlines())
    finally:
        cluster("down")


@pytest.fixture(scope="module")
def user(other_cluster: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user of that cluster, who has kubectl and helm."""
    programs = tmp_path_factory.mktemp("bin")
    for name in ("kubectl", "helm"):
        (programs / name).symlink_to(Path(other_cluster["BIN"]) / name)
    unset = {
        *other_cluster,
        "IMAGEBUILD_CLUSTER_NUMBER",
        "IMAGEBUILD_CLUSTER_STATE",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
    }
    return {
        **{name: value for name, value in os.environ.items() if name not in unset},
        "PATH": f"{programs}:{os.environ['PATH']}",
        "KUBECONFIG": other_cluster["KUBECONFIG"],
        "REGISTRY": REGISTRY,
        # This machine does not know the names of that cluster, which does not know Docker Hub.
        "REGISTRY_ADDRESS": f"{other_cluster['REGISTRY_ADDRESS']}/team",
        "HUB_MIRROR": HOST,
    }


def run(environment: Mapping[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a program at the root of the repository, and show what it printed if the test fails."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    sys.stdout.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
    return done


@pytest.fixture(scope="module")
def demo(user: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """`make demo`, run once."""
    return run(user, "make", "demo")


@pytest.mark.parametrize(
    ("change", "message", "program"),
    [
        ({"REGISTRY": ""}, "REGISTRY is not set. Set it to a registry", ["tools/demo.py"]),
        (
            {"REGISTRY": ""},
            "REGISTRY is not set. Set it to a registry",
            ["-m", "pytest", "-q", "tests/e2e/test_demo.py"],
        ),
        ({"REGISTRY": "https://registry.example.com"}, "Write it without a scheme", ["tools/demo.py"]),
        ({"REGISTRY_ADDRESS": "127.0.0.1:9"}, "No registry answers at 127.0.0.1:9", ["tools/demo.py"]),
        ({"KUBECONFIG": "/nowhere"}, "KUBECONFIG is '/nowhere', which is no file", ["tools/demo.py"]),
    ],
    ids=["none", "none-for-tests", "scheme", "closed", "kubeconfig"],
)
def test_what_is_missing_is_named_in_one_line(
    user: dict[str, str], change: dict[str, str], message: str, program: list[str]
):
    done = run({**user, **change}, sys.executable, *program)
    assert done.returncode == 1
    said = (done.stdout + done.stderr).strip().splitlines()
    assert len([line for line in said if message in line]) == 1
    assert "Traceback" not in "".join(said)
    assert "KeyError" not in "".join(said)


def test_make_demo_builds_and_runs_an_image_there(demo: "subprocess.CompletedProcess[str]"):
    assert demo.returncode == 0
    assert "nothing is started" in demo.stderr
    assert "Hello, world!" in demo.stdout
    assert f"{REGISTRY}/demo/hello" in demo.stdout
    assert "cluster-down" not in demo.stdout


def test_end_to_end_tests_pass_there_or_say_what_they_need(user: dict[str, str]):
    tests = ["test_first_build.py", "test_credentials.py", "test_sources.py", "test_explained.py"]
    done = run(
        user, sys.executable, "-m", "pytest", "-q", *(f"tests/e2e/{name}" for name in tests),
        "-k", "readme or goes_on or looks_for_it or bucket",
    )  # fmt: skip
    assert done.returncode == 0
    assert "3 passed" in done.stdout
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert sum("HOST_ADDRESS is not set" in line for line in skipped) == 2
    assert sum("PRIVATE_REGISTRY is not set" in line for line in skipped) == 1


def test_the_last_line_of_the_demo_removes_all_of_it(user: dict[str, str], demo: "subprocess.CompletedProcess[str]"):
    what, _, command = demo.stdout.splitlines()[-1].partition(": ")
    assert what == "Remove it all"
    assert run(user, "bash", "-ec", command).returncode == 0
    assert json.loads(run(user, "helm", "list", "--all-namespaces", "--output=json").stdout) == []


def test_the_readme_installs_the_chart_and_the_demo_leaves_that_release_alone(user: dict[str, str]):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(rf"{re.escape(MARK)}\n```console\n(.*?)```", readme, re.DOTALL)
    lines = re.sub(r"\\\n", "", block).replace("registry.example.com", REGISTRY).splitlines()
    commands = [shlex.split(line.removeprefix("$ ")) for line in lines]
    # `make images` and `docker push` are tests/images'; the same images take another way here.
    assert [command[:2] for command in commands] == [["make", "images"], *[["docker", "push"]] * 3, ["helm", "install"]]
    for name, (_, _, image) in zip(("operator", "builder", "builder-buildkit"), commands[1:4], strict=True):
        assert name in image
        layout = run(user, sys.executable, *LAYOUTS[name]).stdout.strip()
        here = image.replace(REGISTRY, user["REGISTRY_ADDRESS"])
        assert run(user, str(program("crane", user)), "push", "--insecure", layout, here).returncode == 0
    assert run(user, *commands[-1], "--wait", "--timeout=3m", "--set", "replicaCount=2").returncode == 0

    def release() -> tuple[str, str]:
        about = ["imagebuild", "--namespace=imagebuild-system", "--output=json"]
        return run(user, "helm", "history", *about).stdout, run(user, "helm", "get", "values", *about).stdout

    before = release()
    done = run(user, sys.executable, "tools/demo.py")
    assert done.returncode == 1
    assert "This cluster has imagebuild in namespace imagebuild-system; nothing was changed." in done.stderr
    assert release() == before
