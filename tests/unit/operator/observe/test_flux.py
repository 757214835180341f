"""Artifacts in the status of Flux's sources, as its source-controller writes them."""

from typing import Any

import pytest
from imagebuild_operator.observe.flux import Artifact, artifact_of

COMMIT, DIGEST, OTHER = "1" * 40, "a" * 64, "b" * 64
SERVED = "http://source-controller.flux-system.svc.cluster.local./gitrepository/team/web/1.tar.gz"
URL = SERVED.replace("local.", "local")
READY = {"type": "Ready", "status": "True", "message": "stored artifact for revision 'main@sha1:1'"}


def source(
    revision: str = f"main@sha1:{COMMIT}", ready: dict[str, Any] | None = None, **artifact: str
) -> dict[str, Any]:
    found = {"url": SERVED, "digest": f"sha256:{DIGEST}", "revision": revision, **artifact}
    return {"status": {"artifact": found, "conditions": [ready or READY]}}


@pytest.mark.parametrize(
    ("revision", "commit", "branch"),
    [
        (f"main@sha1:{COMMIT}", COMMIT, "main"),
        (f"feature/x@1@sha1:{COMMIT}", COMMIT, "feature/x@1"),
        (f"sha1:{COMMIT}", COMMIT, ""),
        (f"latest@sha256:{OTHER}", OTHER, "latest"),
        # A Bucket's is a digest; that of an ExternalArtifact is its controller's.
        (f"sha256:{OTHER}", OTHER, ""),
        ("v1.2.3", DIGEST, ""),
        ("", DIGEST, ""),
    ],
)
def test_the_commit_and_the_branch_are_in_the_revision(revision: str, commit: str, branch: str):
    assert artifact_of(source(revision)) == (Artifact(URL, DIGEST, commit, branch), "")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (None, "it does not exist"),
        ({}, "it has no artifact yet"),
        (
            {"status": {"conditions": [{"type": "Ready", "status": "Unknown", "message": "x"}]}},
            "it has no artifact yet",
        ),
        (
            {"status": {"conditions": [{"type": "Ready", "status": "False", "message": "no\n\x1b[31m such branch"}]}},
            "it is not ready: no [31m such branch",
        ),
        (source(digest="sha512:" + "a" * 128), "it has no artifact yet"),
        (source(url="file:///etc/passwd"), "it has no artifact yet"),
        (source(url="http://user:password@host/a"), "it has no artifact yet"),
    ],
)
def test_without_an_artifact_it_is_said_why(body: dict[str, Any] | None, problem: str):
    assert artifact_of(body) == (None, problem)


def test_what_was_fetched_before_a_failure_is_still_there():
    failed = {"type": "Ready", "status": "False", "message": "unable to clone"}
    found, problem = artifact_of(source(ready=failed))
    assert found
    assert problem == "it is not ready: unable to clone"
