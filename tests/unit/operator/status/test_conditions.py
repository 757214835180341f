"""The conditions of a build, and the generation that its status describes."""

from typing import Any

import pytest
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.builds import UNFINISHED
from imagebuild_operator.decide.build import decide_build
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.status.conditions import conditions
from imagebuild_operator.status.outcome import Outcome
from imagebuild_operator.telemetry.counts import observations
from imagebuild_vocabulary.phases import Phase
from support.builds import SETTINGS, a_build, a_pod, after, body, ended

AT = "2026-11-24T08:01:00Z"
CONDITION = {"type": "Finished", "status": "True", "reason": "Succeeded", "message": "M", "lastTransitionTime": AT}
DONE: dict[str, Any] = {
    "observedGeneration": 1,
    "phase": "Succeeded",
    "completionTime": AT,
    "conditions": [{**CONDITION, "observedGeneration": 1}],
}
KEY = BuildKey("team", "app")


@pytest.mark.parametrize("phase", Phase)
def test_a_build_is_ready_reconciling_or_stalled_and_never_two_of_them(phase: Phase):
    made = conditions(a_build(), Outcome(phase, "M", Reason.INTERNAL), after(1))
    values = {condition["type"]: condition["status"] for condition in made}
    of_kstatus = [values[kind] for kind in ("Ready", "Reconciling", "Stalled")]
    assert sorted(of_kstatus) == ["False", "False", "True"]
    assert values["Finished"] == str(phase.is_final)
    assert of_kstatus[1] == str(not phase.is_final)


def test_a_new_generation_of_a_finished_build_is_observed_and_nothing_else_is_written():
    build = a_build(status=DONE, generation=3)
    plan = decide_build(ReconcileInput(build, [], SETTINGS, after(9)))
    assert plan.status == {
        "observedGeneration": 3,
        "conditions": [{**CONDITION, "observedGeneration": 3}],
    }
    assert (plan.events, plan.delete, plan.create) == ((), (), ())
    assert observations(build, plan.status) == ()
    assert decide_build(ReconcileInput(a_build(status=DONE), [], SETTINGS, after(9))).status is None


def test_a_new_generation_is_observed_while_a_pod_is_left():
    pod = a_pod(phase="Succeeded", build=ended(0), push=ended(0))
    plan = decide_build(ReconcileInput(a_build(status=DONE, generation=2), [pod], SETTINGS, after(9)))
    assert (plan.status or {})["observedGeneration"] == 2
    assert [deleted.name for deleted in plan.delete] == [pod.name]


def test_the_cache_keeps_a_finished_build_until_its_generation_is_observed():
    store = Store()
    assert store.put_build(body(status=DONE)) == []
    assert store.put_build(body(status=DONE, generation=2, resourceVersion="6")) == [KEY]
    assert store.build(KEY)
    observed = {**DONE, "observedGeneration": 2}
    assert store.put_build(body(status=observed, generation=2, resourceVersion="7")) == []
    assert store.build(KEY) is None


def test_the_selector_of_unfinished_builds_excludes_every_final_phase_and_no_other():
    excluded = {term.removeprefix("status.phase!=") for term in UNFINISHED.split(",")}
    assert excluded == {str(phase) for phase in Phase if phase.is_final}


@pytest.mark.parametrize("phase", Phase)
def test_a_build_waits_until_its_log_can_be_followed_or_it_has_ended(phase: Phase):
    made = conditions(a_build(), Outcome(phase, "M"), after(1))
    waiting = next((c["status"], c["reason"]) for c in made if c["type"] == "Waiting")
    assert waiting == (str(phase in {Phase.PENDING, Phase.QUEUED, Phase.PREPARING}), str(phase))


@pytest.mark.parametrize("phase", Phase)
def test_the_message_is_said_by_succeeded_and_by_what_kstatus_reads(phase: Phase):
    made = conditions(a_build(), Outcome(phase, "M"), after(1))
    of_kstatus = {Phase.SUCCEEDED: [], Phase.FAILED: ["Stalled"], Phase.CANCELLED: ["Stalled"]}.get(
        phase, ["Reconciling"]
    )
    assert [c["type"] for c in made if c["message"]] == ["Succeeded", *of_kstatus]
