"""Decide what to do about a build: observe → decide → apply, the middle part. Pure: time is an argument."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf
from types import MappingProxyType
from typing import Final

from imagebuild_operator.api.build import BuildSpec, ImageBuild, Phase
from imagebuild_operator.api.errors import ClusterError, InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.attempts import begin, end
from imagebuild_operator.decide.cancel import cancel, cause
from imagebuild_operator.decide.phase import KUBELET_GRACE, failed_verdict, gone_verdict, pod_verdict, stopping_verdict
from imagebuild_operator.decide.plan import Plan, deletion
from imagebuild_operator.decide.queue import BEGIN, Turn
from imagebuild_operator.decide.record import record, recorded_reason
from imagebuild_operator.decide.refusal import meaning, retry
from imagebuild_operator.decide.retention import is_leftover
from imagebuild_operator.defaults.namespace import check_bounds
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.observe.progress import UNREAD, Log, next_read
from imagebuild_operator.pod.manifest import pod_name
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.status.verdict import Verdict

#: Seconds after which a pod that does not start is asked why; then whenever it has waited for twice as long, and
#: every minute at least.
START_PATIENCE: Final = 5.0
LONGEST_PATIENCE: Final = 60.0
#: Seconds until a log that was due is asked for again, where too many others were being read.
BUSY: Final = 1.0

#: What the API server answered where it did not take a pod, by the pod's name.
Refusals = Mapping[str, ClusterError]
#: The kubelet's latest Warning about a pod that does not start, by the pod's name.
Warnings = Mapping[str, str]
#: What is known of the log of a pod that runs, by the pod's name.
Logs = Mapping[str, Log]


def decide(
    build: ImageBuild,
    pods: Sequence[PodFacts],
    settings: OperatorSettings,
    now: datetime,
    turn: Turn | None = BEGIN,
    warnings: Warnings = MappingProxyType({}),
    refusals: Refusals = MappingProxyType({}),
    logs: Logs = MappingProxyType({}),
) -> Plan:
    """Decide about one build.

    Args:
        build: The build.
        pods: Its pods, those of earlier attempts too.
        settings: The operator's settings.
        now: The current time.
        turn: Whether a build without a pod may begin; None where that is not decided yet.
        warnings: What the kubelet says of pods that do not start.
        refusals: What the API server said of pods that it did not take.
        logs: What is known of the logs of pods that run.
    """
    leftovers = [pod for pod in pods if is_leftover(pod, settings.keep_pods)]
    if build.is_finished:
        return Plan(delete=tuple(deletion(pod) for pod in leftovers))
    pod = current_pod(build, pods)
    name = pod.name if pod else ""
    plan = _decide(build, pod, settings, now, turn, warnings.get(name), logs.get(name, UNREAD))
    refusal = next((refusals[create.name] for create in plan.create if create.name in refusals), None)
    if refusal is not None:
        plan = _decide_refused(build, refusal, settings, now)
    # An operator that died between recording the end of an attempt and deleting its pod has left the pod there.
    attempts = (plan.status or {}).get("attempts") or build.attempts
    over = {attempt.get("podName") for attempt in attempts}
    delete = (*plan.delete, *(deletion(pod) for pod in leftovers if pod.name in over))
    return replace(plan, delete=tuple(dict.fromkeys(delete)))


def current_pod(build: ImageBuild, pods: Sequence[PodFacts]) -> PodFacts | None:
    """The pod of the attempt that runs or comes next."""
    name = build.recorded_pod or pod_name(build, build.attempt)
    return next((pod for pod in pods if pod.name == name), None)


def needs_explanation(pod: PodFacts, now: datetime) -> bool:
    """Whether a pod has a node but begins no container, and says nothing of why: the kubelet's Events may."""
    return (
        pod.scheduled is not None
        and not pod.is_over
        and not pod.is_deleting
        and pod.first.started is None
        and not pod.first.is_held
        and (now - pod.scheduled).total_seconds() >= START_PATIENCE
    )


def _decide(
    build: ImageBuild,
    pod: PodFacts | None,
    settings: OperatorSettings,
    now: datetime,
    turn: Turn | None,
    warning: str | None,
    log: Log,
) -> Plan:
    why = cause(build, turn)
    if why is not None and not (pod and pod.push.has_succeeded):
        return cancel(build, pod, why, settings, now)
    try:
        spec = parse_spec(build.spec)
        if pod is None and build.recorded_pod is None:
            check_bounds(spec, build.bounds)
            return begin(build, spec, settings, now, turn)
    except InvalidSpecError as error:
        return record(build, failed_verdict(Reason.INVALID_SPEC, str(error), None), pod, settings, now)
    recorded = recorded_reason(build) if build.recorded_pod else None
    if pod is None:
        return end(build, spec, gone_verdict(spec, recorded), None, settings, now)
    verdict = pod_verdict(pod, spec, recorded, warning, log.text)
    if verdict.phase.is_final:
        return end(build, spec, verdict, pod, settings, now)
    plan = _watch_over(build, spec, pod, verdict, settings, now)
    due = next_read(pod, log.read) if settings.progress else None
    if due is None or plan.look_again is None:
        return plan
    return replace(plan, look_again=min(plan.look_again, max(BUSY, (due - now).total_seconds())))


def _decide_refused(build: ImageBuild, error: ClusterError, settings: OperatorSettings, now: datetime) -> Plan:
    """Decide about a build whose pod the API server did not take."""
    reason = meaning(error)
    if reason is Reason.POD_REJECTED:
        verdict = failed_verdict(reason, f"The build pod was refused: {error.message}", parse_spec(build.spec))
        return record(build, verdict, None, settings, now)
    verdict = Verdict(Phase.PENDING, f"The build pod can't be created yet: {error.message}", reason)
    return record(build, verdict, None, settings, now, look_again=retry(build, reason, now))


def _watch_over(
    build: ImageBuild,
    spec: BuildSpec,
    pod: PodFacts,
    verdict: Verdict,
    settings: OperatorSettings,
    now: datetime,
) -> Plan:
    """Stop a pod that has outstayed its time; otherwise look again when it would have."""
    if pod.deletion is not None:
        left = (pod.deletion - now).total_seconds() + KUBELET_GRACE
        if left > 0:
            return record(build, verdict, pod, settings, now, look_again=left)
        lost = failed_verdict(
            verdict.reason or Reason.NODE_LOST, "The build pod was deleted but its node keeps it", spec
        )
        return end(build, spec, lost, pod, settings, now)
    if pod.is_gated:
        return record(build, verdict, pod, settings, now)
    # One that a scheduling gate has just let go begins now, however long it was held.
    start = build.started or (now if recorded_reason(build) is Reason.GATED else pod.created)
    deadline, reason = _deadline(start, spec, pod, verdict, settings)
    left = (deadline - now).total_seconds()
    if left > 0:
        return record(build, verdict, pod, settings, now, look_again=min(left, _patience(pod, now)))
    delete = (deletion(pod),)
    if pod.began is None:
        # It never began, so there is no report to wait for.
        message = f"Gave up after {(now - pod.created).total_seconds():.0f} s. {verdict.message}"
        return end(build, spec, failed_verdict(reason, message, spec), pod, settings, now, delete=delete)
    return record(build, stopping_verdict(verdict.phase, reason), pod, settings, now, delete=delete)


def _patience(pod: PodFacts, now: datetime) -> float:
    """Seconds until a pod is asked why it does not start; for ever where there is nothing to ask."""
    if pod.scheduled is None or pod.first.started is not None or pod.first.is_held:
        return inf
    passed = (now - pod.scheduled).total_seconds()
    return min(max(passed, START_PATIENCE), LONGEST_PATIENCE)


def _deadline(
    start: datetime, spec: BuildSpec, pod: PodFacts, verdict: Verdict, settings: OperatorSettings
) -> tuple[datetime, Reason]:
    """When a pod is stopped, and the reason that the attempt then fails for."""
    grace = KUBELET_GRACE if pod.began else 0.0
    deadline = start + timedelta(seconds=spec.timeout_seconds + grace)
    if pod.began is not None:
        return deadline, Reason.DEADLINE_EXCEEDED
    if verdict.reason is Reason.BUILDER_IMAGE_PULL_FAILED and pod.scheduled is not None:
        deadline = min(deadline, pod.scheduled + timedelta(seconds=settings.image_pull_grace))
    return deadline, verdict.reason or Reason.DEADLINE_EXCEEDED
