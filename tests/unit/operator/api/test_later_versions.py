"""What a later version has written, after a rollback: nothing stops, and nothing is built otherwise than was asked."""

from typing import Any

import pytest
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.decide.build import decide_build
from imagebuild_operator.decide.gate import Gate
from imagebuild_operator.decide.groups import Policy
from imagebuild_operator.decide.queue import NO_LIMITS
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_vocabulary.phases import Phase
from support.builds import SETTINGS, SPEC, a_build, a_pod, after, running


@pytest.mark.shows("F40")
def test_an_unknown_phase_is_not_finished_and_stops_nothing():
    build = a_build(status={"phase": "Scanning", "podName": "app-1", "startTime": "2026-11-24T08:00:00Z"})
    assert (build.phase, build.is_finished) == (Phase.PENDING, False)
    assert decide_build(ReconcileInput(build, [a_pod(name="app-1", build=running())], SETTINGS, after(1))).status
    ended = a_build(status={"phase": "Unchanged", "completionTime": "2026-11-24T08:00:00Z"})
    assert ended.is_finished
    platforms = [{"platform": "linux/amd64", "phase": "Scanning"}, {"platform": "linux/arm64", "phase": "Building"}]
    both = a_build(
        {"output": {**SPEC["output"], "platforms": ["linux/amd64", "linux/arm64"]}}, {"platforms": platforms}
    )
    assert decide_build(ReconcileInput(both, [], SETTINGS, after(1))).create
    assert Phase("Scanning") == "Scanning"
    assert not Phase("Scanning").is_final


@pytest.mark.shows("F40")
@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"concurrency": {"group": "g", "policy": "Newest"}}, "spec.concurrency.policy"),
        ({"output": {**SPEC["output"], "platformNodes": "Emulated"}}, "spec.output.platformNodes"),
        ({"output": {**SPEC["output"], "attestations": {"sbom": "SWID"}}}, "spec.output.attestations.sbom"),
    ],
)
def test_an_unknown_choice_is_refused_by_its_name(fields: dict[str, Any], path: str):
    build = a_build(fields)
    with pytest.raises(InvalidSpecError, match=path.replace(".", r"\.")):
        parse_spec(build.spec)
    # Until its turn comes, it keeps no other build from its own.
    assert Gate(NO_LIMITS).decide([(build, False)], after(1)).requeue_after != 0
    assert Policy("Newest") is Policy.PARALLEL
