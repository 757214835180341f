"""A build that waits for the upload of its context."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.phase import pod_outcome
from imagebuild_operator.observe.pod import ContainerFacts, PodFacts
from imagebuild_vocabulary.phases import Phase

NOW = datetime(2026, 11, 25, tzinfo=UTC)
SPEC = parse_spec({"source": {"upload": {}}, "output": {"images": ["registry.example.com/app:1"]}})
RUNNING = ContainerFacts(started=NOW)
ENDED = ContainerFacts(started=NOW, finished=NOW, exit_code=0)
POD = PodFacts(name="app-1", uid="1", owner_uid="2", created=NOW, namespace="team", upload=RUNNING)
COMMAND = "tar -cz -C DIR . | kubectl exec -i -n team app-1 -c upload -- /kaniko/.Shim/bin/kaniko-shim send"


@pytest.mark.parametrize("check", [ContainerFacts(), ENDED])
def test_the_message_is_the_command_that_sends(check: ContainerFacts):
    outcome = pod_outcome(replace(POD, check=check), SPEC)
    assert (outcome.phase, outcome.reason) == (Phase.PREPARING, Reason.AWAITING_UPLOAD)
    assert outcome.message == f"Waiting for the build context. Send the directory DIR: {COMMAND}"


def test_a_retry_needs_the_context_again():
    message = pod_outcome(POD, SPEC, attempt=2).message
    assert message == f"Waiting for the build context. Send the directory DIR again, for attempt 2: {COMMAND}"


def test_a_build_with_a_digest_asks_for_its_archive():
    upload = {"upload": {"sha256": "ab" * 32}}
    spec = parse_spec({"source": upload, "output": {"images": ["registry.example.com/app:1"]}})
    assert pod_outcome(POD, spec, attempt=2).message == (
        f"Waiting for the build context. Send the archive with SHA-256 {'ab' * 32} again, for attempt 2: "
        "kubectl exec -i -n team app-1 -c upload -- /kaniko/.Shim/bin/kaniko-shim send <ARCHIVE"
    )


def test_a_pod_that_is_deleted_waits_no_more():
    outcome = pod_outcome(replace(POD, deletion=NOW), SPEC)
    assert outcome.reason is Reason.POD_DELETED
