"""How a build fails: each cause has its reason, and the status says enough to act on when the pod is gone."""

from typing import Any

import pytest
from e2e.test_builds import build
from functional.kube import Builds
from kubernetes import client
from support.file_server import FileServer, tar_gz
from support.registry import Registry
from support.watching import wait_for_build, wait_for_finish

Json = dict[str, Any]


def test_a_failing_run_is_explained_when_its_pod_is_gone(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    dockerfile = "FROM busybox\n\nRUN echo fine\nRUN echo about to fail \\\n && exit 7\n"
    builds.create(build({"Dockerfile": dockerfile}, f"{registry.name}/{namespace}/fails:1"))
    failure = wait_for_finish(api, namespace, "hello")["failure"]
    assert (failure["reason"], failure["exitCode"], failure["dockerfileLine"]) == ("RunCommandFailed", 7, 4)
    assert failure["instruction"].startswith("RUN echo about to fail")
    assert "about to fail" in failure["logTail"]
    pod = wait_for_build(api, namespace, "hello", lambda _: True)["status"]["podName"]
    client.CoreV1Api(api).delete_namespaced_pod(pod, namespace, grace_period_seconds=0)
    builds.create(build({"Dockerfile": "FROM scratch\nCOPY . /\n"}, f"{registry.name}/{namespace}/next:1"), name="next")
    wait_for_finish(api, namespace, "next")
    assert builds.get()["status"]["failure"] == failure


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"dockerfile": {"path": "missing/Dockerfile"}}, "DockerfileNotFound", "missing/Dockerfile"),
        ({"contextDir": "nowhere"}, "SourceNotFound", "nowhere"),
        ({"source": {"url": "FILES/missing.tar.gz"}}, "SourceNotFound", "404"),
        ({"source": {"url": "FILES/broken.tar.gz"}}, "SourceInvalid", "archive"),
        ({"source": {"http": {"url": "FILES/fine.tar.gz", "sha256": "0" * 64}}}, "SourceChecksumMismatch", "0" * 64),
        (
            {"dockerfile": {"inline": "FROM REGISTRY/no/such-image:1\n"}},
            "BaseImageNotFound",
            "no/such-image",
        ),
        ({"dockerfile": {"inline": "FROM busybox\nCOPY missing /\n"}}, "CopyFailed", "missing"),
        ({"dockerfile": {"inline": "FROM busybox\nFLY away\n"}}, "DockerfileInvalid", "FLY"),
        ({"dockerfile": {"inline": "FROM busybox\nRUN --security=insecure true\n"}}, "DockerfileUnsupported", "line 2"),
        ({"target": "nowhere"}, "TargetNotFound", "nowhere"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)
def test_each_mistake_has_its_own_reason(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    registry: Registry,
    request: pytest.FixtureRequest,
    change: Json,
    reason: str,
    words: str,
):
    spec = {**build({"Dockerfile": "FROM busybox\nRUN true\n"}, f"{registry.name}/{namespace}/never:1"), **change}
    if "dockerfile" in change and "source" not in change:
        spec["source"] = {"inline": {"files": {"unused": ""}}}
    if "inline" in spec.get("dockerfile", {}):
        spec["dockerfile"] = {"inline": spec["dockerfile"]["inline"].replace("REGISTRY", registry.name)}
    for part in (spec["source"], spec["source"].get("http", {})):
        if "url" in part:
            files: FileServer = request.getfixturevalue("files")
            files.files["/broken.tar.gz"] = tar_gz({"Dockerfile": "FROM scratch\n" * 500})[:100]
            files.files["/fine.tar.gz"] = tar_gz({"Dockerfile": "FROM scratch\n"})
            part["url"] = part["url"].replace("FILES", files.url)
    builds.create(spec)
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Failed", status
    assert (status["reason"], status["failure"]["reason"]) == (reason, reason), status
    assert words in status["message"], status
    assert status["failure"]["hint"]


def test_a_build_past_its_timeout_is_stopped(builds: Builds, api: client.ApiClient, namespace: str, registry: Registry):
    dockerfile = "FROM busybox\nRUN echo sleeping && sleep 600\n"
    # Long enough for its RUN to begin on a machine that is busy with other suites.
    builds.create(build({"Dockerfile": dockerfile}, f"{registry.name}/{namespace}/slow:1", timeoutSeconds=30))
    status = wait_for_finish(api, namespace, "hello")
    assert status["failure"]["reason"] == "DeadlineExceeded"
    assert "sleeping" in status["failure"]["logTail"]
