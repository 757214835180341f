"""Decide what to do about a build: observe → decide → apply, the middle part. Pure: time is an argument."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from imagebuild_operator.errors import ClusterError, InvalidSpecError, RejectedError
from imagebuild_operator.judge import Verdict, failed_verdict, gone, judge
from imagebuild_operator.model import BuildSpec, ImageBuild, Phase
from imagebuild_operator.moments import format_time, parse_time
from imagebuild_operator.observe import PodFacts
from imagebuild_operator.parse import parse_spec
from imagebuild_operator.pod import Manifest, build_pod, pod_name
from imagebuild_operator.reasons import Reason
from imagebuild_operator.retention import is_leftover
from imagebuild_operator.retry import Attempts, is_tried_again, retry_delay
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.status import attempt_record, changes, next_status

#: Seconds that the kubelet is given to end a pod at its own deadline, before the operator deletes it: the pod's
#: grace period and some; the kubelet's way leaves a report of what the build was doing.
KUBELET_GRACE: Final = 60.0
#: Seconds between two tries to create a pod that the namespace has no room for.
QUOTA_RETRY: Final = 10.0
#: Seconds after which a pod that does not start is asked why.
START_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Create the build pod; that it exists already is as good."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Delete one pod: this uid and no other of its name."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes Event to tell people of a change."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about a build, in this order: create, record, tell, delete.

    The record comes before the deletion, so that a crash between the two forgets nothing.
    """

    create: CreatePod | None = None
    status: dict[str, Any] | None = None
    event: Event | None = None
    delete: tuple[DeletePod, ...] = ()
    #: Seconds after which to look again although nothing has happened.
    look_again: float | None = None


def decide(
    build: ImageBuild,
    pods: Sequence[PodFacts],
    settings: OperatorSettings,
    now: datetime,
    warning: str | None = None,
) -> Plan:
    """Decide about one build.

    Args:
        build: The build.
        pods: Its pods, those of earlier attempts too.
        settings: The operator's settings.
        now: The current time.
        warning: The kubelet's latest Warning about a pod that does not start.
    """
    leftovers = [pod for pod in pods if is_leftover(pod, settings.keep_pods)]
    if build.is_finished:
        return Plan(delete=tuple(_deletion(pod) for pod in leftovers))
    plan = _decide(build, current_pod(build, pods), settings, now, warning)
    # An operator that died between recording the end of an attempt and deleting its pod has left the pod there.
    attempts = (plan.status or {}).get("attempts") or build.attempts
    over = {attempt.get("podName") for attempt in attempts}
    delete = (*plan.delete, *(_deletion(pod) for pod in leftovers if pod.name in over))
    return replace(plan, delete=tuple(dict.fromkeys(delete)))


def current_pod(build: ImageBuild, pods: Sequence[PodFacts]) -> PodFacts | None:
    """The pod of the attempt that runs or comes next."""
    name = build.recorded_pod or pod_name(build, build.attempt)
    return next((pod for pod in pods if pod.name == name), None)


def decide_refused(build: ImageBuild, error: ClusterError, settings: OperatorSettings, now: datetime) -> Plan:
    """Decide about a build whose pod the API server did not take."""
    if "exceeded quota" in error.message:
        verdict = Verdict(Phase.PENDING, f"The namespace has no room yet: {error.message}", Reason.QUOTA_EXCEEDED)
        return _record(build, verdict, None, settings, now, look_again=QUOTA_RETRY)
    spec = parse_spec(build.spec)
    if isinstance(error, RejectedError) and 'cannot create resource "pods"' not in error.message:
        verdict = failed_verdict(Reason.POD_REJECTED, f"The build pod was refused: {error.message}", spec)
        return _record(build, verdict, None, settings, now)
    verdict = Verdict(Phase.PENDING, f"The build pod can't be created yet: {error.message}", Reason.INTERNAL)
    return _record(build, verdict, None, settings, now, look_again=QUOTA_RETRY)


def needs_explanation(pod: PodFacts, now: datetime) -> bool:
    """Whether a pod has a node but begins no container, and says nothing of why: the kubelet's Events may."""
    return (
        pod.scheduled is not None
        and not pod.is_over
        and not pod.is_deleting
        and pod.build.started is None
        and pod.build.waiting_reason in {None, "PodInitializing", "ContainerCreating"}
        and (now - pod.scheduled).total_seconds() >= START_PATIENCE
    )


def _decide(
    build: ImageBuild, pod: PodFacts | None, settings: OperatorSettings, now: datetime, warning: str | None
) -> Plan:
    if build.is_cancelled and not (pod and pod.push.has_succeeded):
        return _cancel(build, pod, settings, now)
    try:
        spec = parse_spec(build.spec)
        if pod is None and build.recorded_pod is None:
            return _begin(build, spec, settings, now)
    except InvalidSpecError as error:
        return _record(build, failed_verdict(Reason.INVALID_SPEC, str(error), None), pod, settings, now)
    recorded = _recorded_reason(build) if build.recorded_pod else None
    if pod is None:
        return _ended(build, spec, gone(spec, recorded), None, settings, now)
    verdict = judge(pod, spec, recorded, warning)
    if verdict.phase.is_final:
        return _ended(build, spec, verdict, pod, settings, now)
    return _watch_over(build, spec, pod, verdict, settings, now)


def _cancel(build: ImageBuild, pod: PodFacts | None, settings: OperatorSettings, now: datetime) -> Plan:
    """Stop the pod, which is given its grace, then record the end. An image that was pushed before stays a success."""
    reason = Reason.CANCELLED
    if pod is not None and pod.build.started is not None and not pod.is_over:
        stopping = Verdict(build.phase, "The build is being cancelled: its pod is stopped.", reason)
        if pod.deletion is None:
            return _record(build, stopping, pod, settings, now, delete=(_deletion(pod),))
        left = (pod.deletion - now).total_seconds() + KUBELET_GRACE
        if left > 0:
            return _record(build, stopping, pod, settings, now, look_again=left)
    advice = reason.row.advice
    code = next((c.exit_code for c in (pod.push, pod.build) if c.has_failed), None) if pod else None
    verdict = Verdict(Phase.CANCELLED, f"The build was cancelled. {advice}", reason, advice, code)
    has_pod = pod is not None or build.recorded_pod is not None
    attempts = (*build.attempts, attempt_record(build, verdict, pod, now)) if has_pod else None
    delete = (_deletion(pod),) if pod and pod.is_alive else ()
    return _record(build, verdict, pod, settings, now, delete=delete, attempts=attempts)


def _begin(build: ImageBuild, spec: BuildSpec, settings: OperatorSettings, now: datetime) -> Plan:
    """Create the pod of the next attempt, once it is its time.

    Raises:
        InvalidSpecError: the spec can't be put into a pod.
    """
    seconds = spec.timeout_seconds
    if build.started is not None:
        seconds -= int((now - build.started).total_seconds())
    if seconds <= 0:
        reason = _recorded_reason(build) or Reason.DEADLINE_EXCEEDED
        message = f"No pod could be created for it in time. {reason.row.meaning}"
        return _record(build, failed_verdict(reason, message, spec), None, settings, now)
    wait = _wait(build, build.attempts, settings, now)
    if wait > 0:
        return Plan(look_again=wait)
    return Plan(create=CreatePod(build_pod(build, spec, settings.defaults, seconds)))


def _wait(build: ImageBuild, attempts: Attempts, settings: OperatorSettings, now: datetime) -> float:
    """Seconds until the attempt after these may begin."""
    ended = parse_time(attempts[-1].get("completionTime")) if attempts else None
    if ended is None:
        return 0.0
    return max(0.0, retry_delay(build.uid, len(attempts), settings.retry_delay) - (now - ended).total_seconds())


def _ended(
    build: ImageBuild,
    spec: BuildSpec,
    verdict: Verdict,
    pod: PodFacts | None,
    settings: OperatorSettings,
    now: datetime,
    *,
    delete: tuple[DeletePod, ...] = (),
) -> Plan:
    """Record the end of an attempt: as that of the build, or as one that another attempt follows."""
    attempts = (*build.attempts, attempt_record(build, verdict, pod, now))
    if verdict.reason is None or not is_tried_again(verdict.reason, spec.retry, attempts):
        return _record(build, verdict, pod, settings, now, delete=delete, attempts=attempts)
    wait = _wait(build, attempts, settings, now)
    again = now + timedelta(seconds=wait)
    start = build.started or (pod.created if pod else now)
    if again >= start + timedelta(seconds=spec.timeout_seconds):
        last = replace(verdict, message=f"{verdict.message} The timeout leaves no time for another attempt.")
        return _record(build, last, pod, settings, now, delete=delete, attempts=attempts)
    message = (
        f"Attempt {build.attempt} failed: {verdict.cause} Attempt {build.attempt + 1} begins {format_time(again)}."
    )
    waiting = replace(verdict, phase=Phase.PENDING, message=message)
    return _record(build, waiting, pod, settings, now, look_again=wait, delete=delete, attempts=attempts)


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
            return _record(build, verdict, pod, settings, now, look_again=left)
        lost = failed_verdict(
            verdict.reason or Reason.NODE_LOST, "The build pod was deleted but its node keeps it", spec
        )
        return _ended(build, spec, lost, pod, settings, now)
    start = build.started or pod.created
    deadline, reason = _deadline(start, spec, pod, verdict, settings)
    left = (deadline - now).total_seconds()
    if left > 0:
        has_begun = pod.build.started is not None
        look_again = left if has_begun or pod.scheduled is None else min(left, START_PATIENCE)
        return _record(build, verdict, pod, settings, now, look_again=look_again)
    delete = (_deletion(pod),)
    if pod.build.started is None:
        # It never began, so there is no report to wait for.
        message = f"Gave up after {(now - pod.created).total_seconds():.0f} s. {verdict.message}"
        return _ended(build, spec, failed_verdict(reason, message, spec), pod, settings, now, delete=delete)
    stopping = Verdict(verdict.phase, f"{reason.row.meaning} The build pod is being stopped.", reason)
    return _record(build, stopping, pod, settings, now, delete=delete)


def _deadline(
    start: datetime, spec: BuildSpec, pod: PodFacts, verdict: Verdict, settings: OperatorSettings
) -> tuple[datetime, Reason]:
    """When a pod is stopped, and the reason that the attempt then fails for."""
    grace = KUBELET_GRACE if pod.build.started else 0.0
    deadline = start + timedelta(seconds=spec.timeout_seconds + grace)
    if pod.build.started is not None:
        return deadline, Reason.DEADLINE_EXCEEDED
    if verdict.reason is Reason.BUILDER_IMAGE_PULL_FAILED and pod.scheduled is not None:
        deadline = min(deadline, pod.scheduled + timedelta(seconds=settings.image_pull_grace))
    return deadline, verdict.reason or Reason.DEADLINE_EXCEEDED


def _record(
    build: ImageBuild,
    verdict: Verdict,
    pod: PodFacts | None,
    settings: OperatorSettings,
    now: datetime,
    *,
    look_again: float | None = None,
    delete: tuple[DeletePod, ...] = (),
    attempts: Attempts | None = None,
) -> Plan:
    recorded = build.attempts if attempts is None else attempts
    status = changes(build, next_status(build, verdict, pod, settings.defaults.builder_image, now, recorded))
    return Plan(status=status or None, event=_event(build, verdict), delete=delete, look_again=look_again)


def _event(build: ImageBuild, verdict: Verdict) -> Event | None:
    """One Event for each change of phase or reason."""
    before = (build.status.get("phase"), build.status.get("reason"))
    after = (str(verdict.phase), str(verdict.reason) if verdict.reason else None)
    if before == after:
        return None
    is_well = verdict.reason in {None, Reason.CANCELLED}
    return Event("Normal" if is_well else "Warning", str(verdict.reason or verdict.phase), verdict.message)


def _deletion(pod: PodFacts) -> DeletePod:
    return DeletePod(pod.name, pod.uid)


def _recorded_reason(build: ImageBuild) -> Reason | None:
    reason = build.status.get("reason")
    return Reason(reason) if reason in set(Reason) else None
