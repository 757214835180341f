"""What explain says: the operator's own decision, as comments and YAML."""

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from imagebuild_operator.api.errors import RejectedError
from imagebuild_operator.defaults.namespace import NO_DEFAULTS, NamespaceDefaults
from imagebuild_operator.settings import BuildDefaults, Limits, OperatorSettings
from kubectl_imagebuild.explanation.decision import UNKNOWN_DIGEST, Explanation, Facts, explain
from kubectl_imagebuild.explanation.facts import Findings
from kubectl_imagebuild.explanation.text import document, objects, text

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
SETTINGS = OperatorSettings(BuildDefaults("registry.example.com/builder:1"))


def build(name: str = "app", status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a spec
    metadata = {"name": name, "namespace": "team", "uid": f"uid-{name}", "resourceVersion": "1"}
    least = {
        "source": {"inline": {"files": {"Dockerfile": "FROM scratch\n"}}},
        "output": {"images": ["registry.example.com/app:1"]},
    }
    return {
        "metadata": {**metadata, "creationTimestamp": "2026-11-25T09:59:00Z"},
        "spec": {**least, **spec},
        "status": status or {},
    }


def explained(body: dict[str, Any], **facts: Any) -> Explanation:  # noqa: ANN401 - facts of each kind
    return explain(
        Facts(**{"build": body, "settings": SETTINGS, "defaults": NO_DEFAULTS, "others": (), "now": NOW, **facts})
    )


def test_a_build_that_begins():
    found = explained(build())
    assert (found.phase, found.reason, len(found.pods), found.is_recorded) == ("Preparing", "", 1, False)
    assert found.pods[0]["metadata"]["name"] in found.message


def test_a_build_that_waits_has_its_pod_all_the_same():
    settings = OperatorSettings(SETTINGS.defaults, limits=Limits(namespace=1))
    running = build("old", status={"phase": "Building", "podName": "old-1"})
    found = explained(build(), settings=settings, others=(running,))
    assert (found.phase, found.reason, len(found.pods)) == ("Queued", "NamespaceLimit", 1)
    problem = explained(build(), defaults=NamespaceDefaults(problem="they are invalid"))
    assert (problem.phase, problem.reason) == ("Queued", "DefaultsInvalid")


def test_a_build_yet_to_be_created_is_newer_than_all_that_exist():
    group = {"group": "main", "policy": "LatestCancelRunning"}
    others = tuple(build(name, concurrency=group) for name in ("aaa", "zzz"))
    found = explained(build("mmm", concurrency=group), others=others)
    assert (found.phase, found.supersedes) == ("Preparing", ("aaa", "zzz"))


def test_a_build_that_fails_at_once():
    invalid = explained(build(output={"images": []}))
    assert (invalid.phase, invalid.reason, invalid.pods) == ("Failed", "InvalidSpec", ())
    name = explained(build()).pods[0]["metadata"]["name"]
    refused = explained(build(), refusals={name: RejectedError(403, "a policy denied the request")})
    assert (refused.phase, refused.reason, refused.is_failed) == ("Failed", "PodRejected", True)


def test_a_suspended_and_a_cancelled_build_show_the_pod_that_they_would_have():
    assert explained(build(suspend=True)).reason == "Suspended"
    cancelled = explained(build(cancel=True))
    assert (cancelled.phase, len(cancelled.pods)) == ("Cancelled", 1)


def test_a_build_that_has_begun_has_its_recorded_state_and_its_recorded_defaults():
    applied = {"spec": {"podTemplate": {"spec": {"nodeSelector": {"pool": "old"}}}}}
    status = {"phase": "Building", "message": "Runs.", "podName": "app-1", "appliedDefaults": applied}
    found = explained(build(status=status), defaults=NamespaceDefaults(values={"timeoutSeconds": 9}))
    assert (found.phase, found.message, found.is_recorded) == ("Building", "Runs.", True)
    assert found.pods[0]["spec"]["nodeSelector"] == {"pool": "old"}
    assert found.pods[0]["spec"]["activeDeadlineSeconds"] == 3600


def test_a_multi_platform_image_has_a_pod_for_each_platform_and_for_the_index():
    output = {"images": ["registry.example.com/app:1"], "platforms": ["linux/amd64", "linux/arm64"]}
    pods = explained(build(output=output)).pods
    assert [pod["metadata"]["labels"].get("imagebuild.dev/platform") for pod in pods] == [
        "linux-amd64",
        "linux-arm64",
        None,
    ]
    assert UNKNOWN_DIGEST in str(pods[2])


@pytest.mark.parametrize(("is_new", "count"), [(True, 1), (False, 0)])
def test_the_text(is_new: bool, count: int):  # noqa: FBT001 - a value of the table
    found = Findings(build(), explained(build()), ("Secret push does not exist.",))
    shown = text(found, is_new=is_new)
    assert shown.startswith("# ImageBuild team/app gets phase Preparing.\n# Pod app-")
    assert "# Secret push does not exist.\n" in shown
    assert shown.count("# The uid") == count
    assert "&id" not in shown
    (pod,) = yaml.safe_load_all(shown)
    assert document(found)["pods"] == [pod]
    assert objects(found) == f"pod/{pod['metadata']['name']}\n"
