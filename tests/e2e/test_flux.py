"""A TrackedImage whose source Flux fetches: its source-controller, a Git server and the build are all real."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.test_tracked import Tracked, condition
from functional.kube import Kubectl
from kubernetes import client
from support.flux import flux_installed
from support.git_server import git, make_repository, serve_git
from support.registry import Registry

#: On a new machine it waits for the compiler.
pytestmark = pytest.mark.timeout(1800)
DOCKERFILE = b"FROM busybox\nCOPY text /\n"


@pytest.fixture(scope="module", autouse=True)
def flux(registry: Registry, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Flux's source-controller."""
    with flux_installed(registry, kubectl, tmp_path_factory.mktemp("flux")):
        yield


def test_what_flux_fetches_is_built(
    registry: Registry, api: client.ApiClient, kubectl: Kubectl, namespace: str, host_address: str, tmp_path: Path
):
    tracked = Tracked(client.CustomObjectsApi(api), namespace, registry)
    repository = tmp_path / "git" / "repository.git"
    first = make_repository(repository, {"app/Dockerfile": DOCKERFILE, "app/text": b"one", "notes": b"one"})
    image = {
        "repositories": [f"{registry.name}/{namespace}/web"],
        "tags": ["{branch}-{number}-{shortCommit}"],
        "movingTags": ["latest"],
    }
    triggers = {"source": {"interval": "10s", "fluxRef": {"kind": "GitRepository", "name": "web"}}}
    tracked.create({"contextDir": "app"}, image=image, triggers=triggers)
    status = tracked.wait(lambda status: condition(status, "Watching").get("status") == "False")
    assert condition(status, "Watching")["message"] == "GitRepository web: it does not exist"
    assert condition(status, "Reconciling")["reason"] == "SourceUnknown"
    with serve_git(tmp_path / "git", address=host_address) as url:
        source: dict[str, Any] = {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {
                "url": f"{url}/repository.git",
                "interval": "5s",
                "ref": {"branch": "main"},
                "ignore": "/notes",
            },
        }
        kubectl("apply", "--filename=-", stdin=json.dumps(source))
        status = tracked.wait_for_build(1)
        assert (status["inputs"]["commit"], status["latestBuild"]["reasons"]) == (first, ["Initial"])
        assert status["latestTag"] == f"main-1-{first[:8]}"
        assert condition(status, "Watching")["status"] == "True"

        # What Flux leaves out starts no build; what it does not does, as the commit that it is.
        (repository / "notes").write_bytes(b"two")
        git(repository, "commit", "--quiet", "--all", "--message=notes")
        (repository / "app" / "text").write_bytes(b"two")
        notes = git(repository, "rev-parse", "HEAD")
        artifact = (
            "get",
            "gitrepository",
            "web",
            f"--namespace={namespace}",
            "--output=jsonpath={.status.artifact.revision}",
        )
        tracked.wait(lambda _: kubectl(*artifact) == f"main@sha1:{notes}")
        git(repository, "commit", "--quiet", "--all", "--message=text")
        second = git(repository, "rev-parse", "HEAD")
        status = tracked.wait_for_build(2)
        assert (status["inputs"]["commit"], status["latestBuild"]["reasons"]) == (second, ["Source"])
        names = registry.files(f"{registry.name}/{namespace}/web:latest")
        assert names["/text"].content == b"two"
        kubectl("delete", "gitrepository", "web", f"--namespace={namespace}", "--timeout=30s")
    # The source is gone, and the image is not.
    status = tracked.wait(lambda status: condition(status, "Watching").get("status") == "False")
    assert condition(status, "Ready")["status"] == "True"
    tracked.patch({"metadata": {"annotations": {"imagebuild.dev/requested-at": "now"}}})
    status = tracked.wait(lambda status: condition(status, "Reconciling").get("reason") == "SourceUnknown")
    assert tracked.builds() == ["web-1", "web-2"]
