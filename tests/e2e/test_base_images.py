"""Base images from a volume that a CronJob fills: the one of docs/how-to/cache.md."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from e2e.test_bare_pod import builder_image
from e2e.test_builds import build
from functional.kube import Builds, Kubectl
from kaniko_shim.engines.kaniko.executor.abilities import Abilities
from kubernetes import client
from support.pages import block_with
from support.registry import Registry
from support.volumes import make_volume
from support.watching import wait_for_finish, wait_for_pod

JOB = "base-images-now"


@pytest.fixture
def volume(node_folder: Path, api: client.ApiClient, namespace: str) -> Iterator[Path]:
    """The folder of a volume that the documented claim binds to."""
    folder = node_folder / "volume"
    folder.mkdir()
    # A volume of a real cluster takes the pod's fsGroup; one of a host path does not.
    folder.chmod(0o777)
    make_volume(api, namespace, (namespace, "base-images"), folder, "ReadWriteMany", "20Gi")
    yield folder
    client.CoreV1Api(api).delete_persistent_volume(namespace)


def documented(kubectl: Kubectl, image: str, registry: Registry) -> str:
    """The claim and the CronJob of the page, for an image of the test's registry."""
    claim, job = yaml.safe_load_all(block_with("how-to/cache.md", "yaml", "kind: CronJob"))
    claim["spec"]["storageClassName"] = ""
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    container["image"] = builder_image(kubectl)
    assert [entry["name"] for entry in container["env"]] == ["CACHE_BASE_IMAGES"]
    container["env"] = [
        {"name": "CACHE_BASE_IMAGES", "value": image},
        {"name": "INSECURE_REGISTRIES", "value": registry.host},
    ]
    return str(yaml.safe_dump_all([claim, job]))


def test_builds_take_their_base_image_from_the_volume(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    registry: Registry,
    kubectl: Kubectl,
    volume: Path,
    executor: Abilities,
):
    base = f"{registry.name}/{namespace}/base:1"
    builds.create(build({"Dockerfile": "FROM busybox\nRUN echo base > /base\n"}, base), name="base")
    assert wait_for_finish(api, namespace, "base")["phase"] == "Succeeded"

    kubectl("-n", namespace, "apply", "-f", "-", stdin=documented(kubectl, base, registry))
    kubectl("-n", namespace, "create", "job", "--from=cronjob/base-images", JOB)
    pod = wait_for_pod(
        api,
        namespace,
        lambda pod: pod["metadata"]["name"].startswith(JOB) and pod["status"]["phase"] in {"Succeeded", "Failed"},
        timeout=120,
    )
    assert pod["status"]["phase"] == "Succeeded", kubectl("-n", namespace, "logs", pod["metadata"]["name"])
    digest = registry.digest(base)
    assert [entry.name for entry in volume.iterdir()] == [digest]

    image = f"{registry.name}/{namespace}/app:1"
    example = yaml.safe_load(block_with("how-to/cache.md", "yaml", "  baseImages:\n"))
    spec = build({"Dockerfile": f"FROM {base}\nRUN cat /base > /seen\n"}, image, cache=example["cache"])
    builds.create(spec, name="app")
    status = wait_for_finish(api, namespace, "app")
    assert status["phase"] == "Succeeded", status
    assert registry.files(image)["/seen"].content == b"base\n"

    # The pod of a failure stays, and with it the executor's own words.
    spec = build({"Dockerfile": f"FROM {base}\nRUN exit 3\n"}, f"{image}-broken", cache=example["cache"])
    builds.create(spec, name="broken")
    status = wait_for_finish(api, namespace, "broken")
    assert (status["phase"], status["reason"]) == ("Failed", "RunCommandFailed")
    log = kubectl("-n", namespace, "logs", status["podName"], "-c", "build")
    # An older executor reads no layouts, and pulls from the registry.
    assert (f"Found {digest} in local cache" in log) != executor.is_old
