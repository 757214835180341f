from typing import Any

import pytest
from imagebuild_operator.observe.pod import observe
from support.builds import a_pod, after, ended, running, waiting


def test_a_pod_without_a_status_is_pending():
    facts = observe({"metadata": {"name": "p", "uid": "u", "creationTimestamp": "2026-11-24T08:00:00Z"}})
    assert (facts.phase, facts.owner_uid, facts.build.started) == ("Pending", None, None)


def test_a_pod_that_kueue_takes_away_is_disrupted():
    metadata = {"name": "p", "uid": "u", "creationTimestamp": "2026-11-24T08:00:00Z"}
    condition = {
        "type": "TerminationTarget",
        "status": "True",
        "reason": "WorkloadEvictedDueToPreempted",
        "message": "Preempted",
    }
    facts = observe({"metadata": metadata, "status": {"conditions": [condition]}})
    assert (facts.disruption, facts.disruption_message) == ("WorkloadEvictedDueToPreempted", "Preempted")


def test_a_pod_is_fresh_until_something_happens_to_it():
    assert a_pod().is_fresh
    assert a_pod(node="node1", scheduled=after(1), build=waiting("PodInitializing")).is_fresh


@pytest.mark.parametrize(
    "facts",
    [
        {"check": running()},
        {"upload": running()},
        {"build": running()},
        {"is_index": True, "push": running()},
        {"check": waiting("ImagePullBackOff")},
        {"build": ended(1), "phase": "Failed"},
        {"phase": "Failed", "reason": "Evicted"},
        {"deletion": after(30)},
        {"unschedulable": "0/1 nodes are available."},
        {"is_gated": True},
    ],
    ids=str,
)
def test_a_pod_to_which_something_has_happened_is_not_fresh(facts: dict[str, Any]):
    assert not a_pod(**facts).is_fresh
