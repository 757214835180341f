from dataclasses import replace

import pytest
from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import RejectedError
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.build import decide_build
from imagebuild_operator.decide.plan import Plan
from imagebuild_operator.decide.queue import BEGIN, SUSPENDED, Admission
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.settings import OperatorSettings
from support.builds import POD, SETTINGS, a_build, a_pod, after, recorded

HOUR = 3600
LIMITED = replace(SETTINGS, max_wait=HOUR)
FULL = Admission(Reason.CLUSTER_LIMIT, "Waiting: the cluster runs its limit of 2 builds.")
NO_ACCOUNT = RejectedError(
    403, 'pods "app" is forbidden: error looking up service account team/mine: serviceaccount "mine" not found'
)


def waiting(
    build: ImageBuild, seconds: float, admission: Admission | None = FULL, settings: OperatorSettings = LIMITED
) -> tuple[ImageBuild, Plan]:
    """Decide about a build that is not let in at a time; the build after it, and the plan."""
    plan = decide_build(ReconcileInput(build, [], settings, after(seconds), admission))
    return recorded(build, plan), plan


@pytest.mark.shows("F29")
def test_a_build_that_never_has_its_turn_ends():
    build, plan = waiting(a_build(), 10)
    assert (build.phase, plan.requeue_after) == ("Queued", HOUR)
    build, plan = waiting(build, 10 + HOUR - 1)
    assert (plan.status, plan.requeue_after) == (None, 1)
    build, plan = waiting(build, 10 + HOUR)
    assert (build.phase, build.status["reason"]) == ("Failed", "WaitTimeout")
    assert build.status["message"] == (
        "The build got no pod within 1h00m: the cluster runs its limit of 2 builds. "
        "Remove the cause that the message names, then build again with kubectl replace --force -f FILE."
    )
    assert [event.reason for event in plan.events] == ["WaitTimeout"]


def test_the_time_counts_from_when_it_was_first_seen_waiting():
    build, _ = waiting(a_build(), 10 * HOUR)
    assert build.phase == "Queued"
    build, _ = waiting(build, 11 * HOUR)
    assert build.phase == "Failed"


def test_one_whose_turn_is_not_decided_yet_is_left_alone():
    build, _ = waiting(a_build(), 0)
    assert waiting(build, 2 * HOUR, None)[1] == Plan()


def test_one_that_may_begin_at_last_is_given_a_pod():
    build, _ = waiting(a_build(), 0)
    plan = decide_build(ReconcileInput(build, [], LIMITED, after(2 * HOUR), BEGIN))
    assert [create.name for create in plan.create] == [POD]
    build = recorded(
        build, decide_build(ReconcileInput(build, [a_pod(created=after(2 * HOUR))], LIMITED, after(2 * HOUR)))
    )
    assert (build.phase, build.waiting_since) == ("Preparing", None)


def test_while_it_is_suspended_the_time_does_not_count():
    build, _ = waiting(a_build(), 0)
    suspended = replace(build, spec={**build.spec, "suspend": True})
    suspended, plan = waiting(suspended, 2 * HOUR, SUSPENDED)
    assert (suspended.status["reason"], suspended.waiting_since, plan.requeue_after) == ("Suspended", None, None)
    build, _ = waiting(replace(suspended, spec=build.spec), 9 * HOUR)
    assert build.phase == "Queued"
    build, _ = waiting(build, 10 * HOUR)
    assert build.phase == "Failed"


def test_while_a_scheduling_gate_holds_its_pod_the_time_does_not_count():
    build, _ = waiting(a_build(), 0)
    plan = decide_build(ReconcileInput(build, [a_pod(is_gated=True)], LIMITED, after(2 * HOUR)))
    assert (recorded(build, plan).phase, recorded(build, plan).waiting_since) == ("Queued", None)


@pytest.mark.parametrize(
    "spec", [{}, {"output": {"images": ["r/a:1"], "push": True, "platforms": ["linux/amd64", "linux/arm64"]}}]
)
def test_one_whose_pod_the_api_server_refuses_ends(spec: dict[str, object]):
    build = a_build(spec)

    def refused(seconds: float) -> Plan:
        creates = decide_build(ReconcileInput(build, [], LIMITED, after(seconds))).create
        refusals = {create.name: NO_ACCOUNT for create in creates}
        return decide_build(ReconcileInput(build, [], LIMITED, after(seconds), refusals=refusals))

    build = recorded(build, refused(0))
    assert (build.phase, build.status["reason"]) == ("Pending", "ServiceAccountNotFound")
    assert refused(HOUR - 1).status is None
    build = recorded(build, refused(HOUR))
    assert (build.phase, build.status["reason"]) == ("Failed", "WaitTimeout")
    assert 'serviceaccount "mine" not found' in build.status["message"]


def test_waiting_has_no_end_where_the_settings_say_so():
    endless = replace(SETTINGS, max_wait=0)
    build, plan = waiting(a_build(), 0, FULL, endless)
    assert plan.requeue_after is None
    assert waiting(build, 1e9, FULL, endless)[1].status is None
