"""Decide what to do about one attempt at a build. Pure: time is an argument."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import inf
from typing import Final

from imagebuild_operator.api.build import BuildSpec, Engine
from imagebuild_operator.api.errors import ClusterError, InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.cancel import cancel, cause
from imagebuild_operator.decide.lifecycle import begin, end
from imagebuild_operator.decide.phase import (
    KUBELET_GRACE,
    NOT_STARTED,
    failed_outcome,
    gone_outcome,
    is_engine_refused,
    pod_outcome,
    stopping_outcome,
)
from imagebuild_operator.decide.plan import Plan, deletion
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.record import record, recorded_reason
from imagebuild_operator.decide.refusal import explanation, meaning, retry
from imagebuild_operator.decide.retention import is_leftover
from imagebuild_operator.decide.waiting import given_up, patience
from imagebuild_operator.defaults.bounds import check_bounds
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.observe.progress import next_read
from imagebuild_operator.pod.engine import would_try_buildkit
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.status.conditions import observed
from imagebuild_operator.status.outcome import Outcome

#: Seconds after which the Events about a pod that does not start are first read; then whenever it has waited twice as
#: long, and at least every minute.
FIRST_WARNING: Final = 5.0
LONGEST_INTERVAL: Final = 60.0
#: Begins the message about a pod for BuildKit that the API server refused.
REFUSED: Final = "The pod for BuildKit was refused: "
#: How the API server names a volume that it does not take: one of an image, before Kubernetes 1.35.
_VOLUMES: Final = "spec.volumes["
#: Seconds until a log that was due is requested again, if too many others were being read.
BUSY: Final = 1.0


def decide(inputs: ReconcileInput) -> Plan:
    """Decide about one build, or one platform of a build."""
    build, refusals = inputs.build, inputs.refusals
    leftovers = [pod for pod in inputs.pods if is_leftover(pod, inputs.settings.keep_pods)]
    if build.is_finished:
        status = None if build.platform else observed(build) or None
        return Plan(status=status, delete=tuple(deletion(pod) for pod in leftovers))
    plan = _decide(inputs)
    refusal = next((refusals[create.name] for create in plan.create if create.name in refusals), None)
    if refusal is not None:
        plan = _decide_refused(inputs, refusal)
    # An operator that died between recording the end of an attempt and deleting its pod has left the pod there.
    attempts = (plan.status or {}).get("attempts") or build.attempts
    over = {attempt.get("podName") for attempt in attempts}
    delete = (*plan.delete, *(deletion(pod) for pod in leftovers if pod.name in over))
    return replace(plan, delete=tuple(dict.fromkeys(delete)))


def needs_explanation(pod: PodFacts, now: datetime) -> bool:
    """Whether a pod has a node but starts no container and gives no reason, so that the kubelet's Events have to."""
    return (
        pod.scheduled is not None
        and not pod.is_over
        and not pod.is_deleting
        and pod.first.started is None
        and not pod.first.is_held
        and (now - pod.scheduled).total_seconds() >= FIRST_WARNING
    )


def _decide(inputs: ReconcileInput) -> Plan:
    build, pod = inputs.build, inputs.pod
    why = cause(build, inputs.admission)
    if why is not None and not (pod and pod.push.has_succeeded):
        return cancel(inputs, why)
    try:
        spec = parse_spec(build.spec)
        if pod is None and build.recorded_pod is None:
            check_bounds(build.own_spec, spec, build.bounds)
            return begin(inputs, spec)
    except InvalidSpecError as error:
        return record(inputs, failed_outcome(Reason.INVALID_SPEC, str(error), None))
    recorded = recorded_reason(build) if build.recorded_pod else None
    if pod is None:
        return end(inputs, spec, gone_outcome(spec, recorded))
    outcome = pod_outcome(pod, spec, recorded, inputs.warning, inputs.log.text, build.attempt)
    if pod.engine == Engine.BUILDKIT and is_engine_refused(outcome):
        problem = f"The node does not let BuildKit run: {outcome.cause.removeprefix(NOT_STARTED)}"
        return end(inputs, spec, failed_outcome(Reason.ENGINE_UNAVAILABLE, problem, spec), delete=(deletion(pod),))
    if outcome.phase.is_final:
        return end(inputs, spec, outcome)
    plan = _stop_if_overdue(inputs, spec, pod, outcome)
    due = next_read(pod, inputs.log.read) if inputs.settings.progress else None
    if due is None or plan.requeue_after is None:
        return plan
    wait = max(BUSY, (due - inputs.now).total_seconds())
    return replace(plan, requeue_after=min(plan.requeue_after, wait))


def _decide_refused(inputs: ReconcileInput, error: ClusterError) -> Plan:
    """Decide about a build whose pod the API server refused to create."""
    build = inputs.build
    reason = meaning(error)
    if reason is Reason.POD_REJECTED:
        spec, defaults = parse_spec(build.spec), inputs.settings.defaults
        if would_try_buildkit(spec, defaults, build.attempts):
            problem = f"{REFUSED}{error.message}"
            return end(inputs, spec, failed_outcome(Reason.ENGINE_UNAVAILABLE, problem, spec))
        said = f"The build pod was refused: {error.message}"
        if spec.vulnerabilities is not None and _VOLUMES in error.message:
            said = f"{said}. limits.vulnerabilities of the defaults needs image volumes: Kubernetes 1.35 or later"
        outcome = failed_outcome(reason, said, spec)
        return record(inputs, outcome)
    left = patience(inputs)
    if left is not None and left <= 0:
        return record(inputs, given_up(inputs, error.message))
    outcome = explanation(error, reason, build)
    return record(inputs, outcome, requeue_after=retry(build, reason, inputs.now))


def _stop_if_overdue(inputs: ReconcileInput, spec: BuildSpec, pod: PodFacts, outcome: Outcome) -> Plan:
    """Stop a pod that is past its deadline; otherwise requeue the build for that moment."""
    build, now = inputs.build, inputs.now
    if pod.deletion is not None:
        left = (pod.deletion - now).total_seconds() + KUBELET_GRACE
        if left > 0:
            return record(inputs, outcome, requeue_after=left)
        lost = failed_outcome(
            outcome.reason or Reason.NODE_LOST,
            "The build pod was deleted, but its node has not confirmed that it stopped",
            spec,
        )
        return end(inputs, spec, lost)
    if pod.is_gated:
        return record(inputs, outcome)
    # The time of a pod that a scheduling gate has just released starts now, however long it was held.
    start = build.started or (now if recorded_reason(build) is Reason.GATED else pod.created)
    deadline, reason = _deadline(start, spec, pod, outcome, inputs.settings)
    left = (deadline - now).total_seconds()
    if left > 0:
        return record(inputs, outcome, requeue_after=min(left, _warning_interval(pod, now)))
    delete = (deletion(pod),)
    if pod.began is None:
        # It never started, so there is no report to wait for.
        message = f"Gave up after {(now - pod.created).total_seconds():.0f} s. {outcome.cause}"
        return end(inputs, spec, failed_outcome(reason, message, spec), delete=delete)
    return record(inputs, stopping_outcome(outcome.phase, reason), delete=delete)


def _warning_interval(pod: PodFacts, now: datetime) -> float:
    """Seconds until the Warnings about a pod that does not start are read again; infinite if it has started."""
    if pod.scheduled is None or pod.first.started is not None or pod.first.is_held:
        return inf
    passed = (now - pod.scheduled).total_seconds()
    return min(max(passed, FIRST_WARNING), LONGEST_INTERVAL)


def _deadline(
    start: datetime, spec: BuildSpec, pod: PodFacts, outcome: Outcome, settings: OperatorSettings
) -> tuple[datetime, Reason]:
    """When a pod is stopped, and the reason with which the attempt then fails."""
    grace = KUBELET_GRACE if pod.began else 0.0
    deadline = start + timedelta(seconds=spec.timeout_seconds + grace)
    if pod.began is not None:
        return deadline, Reason.DEADLINE_EXCEEDED
    if outcome.reason is Reason.BUILDER_IMAGE_PULL_FAILED and pod.scheduled is not None:
        deadline = min(deadline, pod.scheduled + timedelta(seconds=settings.image_pull_grace))
    if outcome.reason is Reason.AWAITING_UPLOAD:
        return deadline, Reason.UPLOAD_TIMEOUT
    return deadline, outcome.reason or Reason.DEADLINE_EXCEEDED
