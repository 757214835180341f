"""A release of this tree's images, installed from a registry as users install it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from environment import with_programs
from functional.kube import Builds, Kubectl
from install import NAMESPACE, RELEASE
from kubernetes import client
from release.tree import PROJECT
from support.registry import Registry
from support.release import Published, crane, publish, version
from support.watching import wait_for_finish

#: With it, a build is not for the release that all tests use (tests/values.yaml).
LABEL = "tests.imagebuild.dev/release"


@pytest.fixture
def values(cluster: dict[str, str]) -> dict[str, Any]:
    """Those of the release that all tests use."""
    shown = helm(cluster, "get", "values", RELEASE, f"--namespace={NAMESPACE}", "--output=yaml")
    return dict(yaml.safe_load(shown))


@pytest.fixture
def published(registry: Registry, values: dict[str, Any], tmp_path: Path) -> Published:
    """The images that are installed, with the names and signatures of a release."""
    project = f"{registry.address}/{PROJECT}"
    builder = values["builder"]
    images = {
        "operator": values["image"],
        "builder": builder["image"],
        "builder-buildkit": builder["buildkit"]["image"],
    }
    for name, image in images.items():
        source = f"{registry.address}/{image['repository']}@{image['digest']}"
        crane("copy", "--insecure", source, f"{project}/imagebuild-{name}:{version()}")
    metadata = tmp_path / "images.json"
    metadata.write_text(
        json.dumps({name: {"containerimage.digest": image["digest"]} for name, image in images.items()})
    )
    return publish(registry.address, metadata, tmp_path)


@pytest.fixture
def installed_release(
    cluster: dict[str, str], published: Published, registry: Registry, values: dict[str, Any], namespace: str
) -> Iterator[str]:
    """Its name. It builds only what has its label, which the one of all tests leaves alone."""
    ours = {
        "global": {"imageRegistry": registry.name},
        "builder": {"registries": values["builder"]["registries"]},
        "watchNamespaces": [namespace],
        "buildSelector": f"{LABEL}=released",
        "crds": {"enabled": False},
    }
    chart = f"oci://{published.project}/charts/imagebuild-operator"
    options = ["--plain-http", f"--version={version()}", f"--namespace={namespace}", "--values=-", "--wait"]
    helm(cluster, "install", "released", chart, *options, "--timeout=120s", stdin=yaml.safe_dump(ours))
    yield "released"
    helm(cluster, "uninstall", "released", f"--namespace={namespace}", "--wait")


def helm(cluster: dict[str, str], *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["helm", *arguments], env=with_programs(cluster), input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_released_chart_installs_and_builds_with_the_images_that_it_pins(
    installed_release: str,
    published: Published,
    registry: Registry,
    builds: Builds,
    api: client.ApiClient,
    kubectl: Kubectl,
    namespace: str,
):
    operator = client.CoreV1Api(api).list_namespaced_pod(
        namespace, label_selector=f"app.kubernetes.io/instance={installed_release}"
    )
    project = f"{registry.name}/{PROJECT}"
    images = {container.image for pod in operator.items if pod.spec for container in pod.spec.containers}
    assert images == {f"{project}/imagebuild-operator@{published.digests['operator']}"}

    dockerfile = "FROM scratch\nCOPY Dockerfile /\n"
    for name, spec, builder in (("released", {}, "builder-buildkit"), ("other", {"engine": "Kaniko"}, "builder")):
        image = f"{registry.name}/{namespace}/{name}:1"
        fields = {"source": {"inline": {"files": {"Dockerfile": dockerfile}}}, "output": {"images": [image]}}
        builds.create({**fields, **spec}, name, labels={LABEL: "released"})
        status = wait_for_finish(api, namespace, name)
        assert status["phase"] == "Succeeded", status
        assert registry.files(image)["/Dockerfile"].content.decode() == dockerfile
        pod, containers = status["podName"], "{.spec.initContainers[*].image} {.spec.containers[*].image}"
        used = kubectl("get", "pod", pod, "-n", namespace, "-o", f"jsonpath={containers}")
        assert set(used.split()) == {f"{project}/imagebuild-{builder}@{published.digests[builder]}"}
