"""The programs of setup-envtest take the place of those that the functional cluster builds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.ports import free_port

TESTS = Path(__file__).parents[1]


def run(command: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "cluster", command, "--functional"]
    return subprocess.run(line, cwd=TESTS, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a functional cluster besides the one of the tests."""
    own = {
        "IMAGEBUILD_CLUSTER_STATE": str(tmp_path / "envtest-cluster"),
        "KUBEBUILDER_ASSETS": str(tmp_path / "assets"),
    }
    return {**os.environ, **own, "IMAGEBUILD_FUNCTIONAL_PORTS": str(7000 + free_port() % 1000)}


def test_an_api_server_of_setup_envtest_is_used(cluster: dict[str, str], environment: dict[str, str]):
    assets = Path(environment["KUBEBUILDER_ASSETS"])
    assets.mkdir()
    for name in ("etcd", "kube-apiserver", "kubectl"):
        (assets / name).symlink_to((Path(cluster["BIN"]) / name).resolve())
    started = run("up", environment)
    try:
        assert started.returncode == 0, started.stderr
        told = dict(line.split("=", 1) for line in run("info", environment).stdout.splitlines())
        for name in ("etcd", "kube-apiserver", "kubectl"):
            assert (Path(told["BIN"]) / name).readlink() == assets / name
        kubectl = [f"{told['BIN']}/kubectl", f"--kubeconfig={told['KUBECONFIG']}", "get", "--raw", "/readyz"]
        assert subprocess.run(kubectl, capture_output=True, text=True, check=True).stdout == "ok"
    finally:
        assert run("down", environment).returncode == 0


def test_an_incomplete_folder_is_named(environment: dict[str, str]):
    done = run("up", environment)
    assert done.returncode == 1
    assert "which has no etcd and no kube-apiserver and no kubectl; set it to" in done.stderr
