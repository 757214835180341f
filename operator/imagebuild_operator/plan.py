"""Decide what to do about a build: observe → decide → apply, the middle part. Pure: time is an argument."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from imagebuild_operator.errors import ClusterError, InvalidSpecError, RejectedError
from imagebuild_operator.judge import Verdict, failed_verdict, gone, judge
from imagebuild_operator.model import BuildSpec, ImageBuild, Phase
from imagebuild_operator.observe import PodFacts
from imagebuild_operator.parse import parse_spec
from imagebuild_operator.pod import Manifest, build_pod
from imagebuild_operator.reasons import Reason
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.status import changes, next_status

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
    delete: DeletePod | None = None
    #: Seconds after which to look again although nothing has happened.
    look_again: float | None = None


def decide(
    build: ImageBuild,
    pod: PodFacts | None,
    settings: OperatorSettings,
    now: datetime,
    warning: str | None = None,
) -> Plan:
    """Decide about one build.

    Args:
        build: The build.
        pod: Its pod, or None where the API server has none.
        settings: The operator's settings.
        now: The current time.
        warning: The kubelet's latest Warning about a pod that does not start.
    """
    if build.is_finished:
        return Plan(delete=_deletion(pod) if pod and not pod.is_over else None)
    try:
        spec = parse_spec(build.spec)
        if pod is None and build.pod_name is None:
            return Plan(create=CreatePod(build_pod(build, spec, settings.defaults)))
    except InvalidSpecError as error:
        return _record(build, failed_verdict(Reason.INVALID_SPEC, str(error), None), pod, settings, now)
    recorded = _recorded_reason(build)
    if pod is None:
        return _record(build, gone(spec, recorded), None, settings, now)
    verdict = judge(pod, spec, recorded, warning)
    if verdict.phase.is_final:
        return _record(build, verdict, pod, settings, now)
    return _watch_over(build, spec, pod, verdict, settings, now)


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
        return _record(build, lost, pod, settings, now)
    deadline, reason = _deadline(spec, pod, verdict, settings)
    left = (deadline - now).total_seconds()
    if left > 0:
        has_begun = pod.build.started is not None
        look_again = left if has_begun or pod.scheduled is None else min(left, START_PATIENCE)
        return _record(build, verdict, pod, settings, now, look_again=look_again)
    if pod.build.started is None:
        # It never began, so there is no report to wait for.
        message = f"Gave up after {(now - pod.created).total_seconds():.0f} s. {verdict.message}"
        return _record(build, failed_verdict(reason, message, spec), pod, settings, now, delete=_deletion(pod))
    stopping = Verdict(verdict.phase, f"{reason.row.meaning} The build pod is being stopped.", reason)
    return _record(build, stopping, pod, settings, now, delete=_deletion(pod))


def _deadline(spec: BuildSpec, pod: PodFacts, verdict: Verdict, settings: OperatorSettings) -> tuple[datetime, Reason]:
    """When a pod is stopped, and the reason that the build then fails for."""
    grace = KUBELET_GRACE if pod.build.started else 0.0
    deadline = pod.created + timedelta(seconds=spec.timeout_seconds + grace)
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
    delete: DeletePod | None = None,
) -> Plan:
    status = changes(build, next_status(build, verdict, pod, settings.defaults.builder_image, now))
    return Plan(status=status or None, event=_event(build, verdict), delete=delete, look_again=look_again)


def _event(build: ImageBuild, verdict: Verdict) -> Event | None:
    """One Event for each change of phase or reason."""
    before = (build.status.get("phase"), build.status.get("reason"))
    after = (str(verdict.phase), str(verdict.reason) if verdict.reason else None)
    if before == after:
        return None
    is_well = verdict.reason is None
    return Event("Normal" if is_well else "Warning", str(verdict.reason or verdict.phase), verdict.message)


def _deletion(pod: PodFacts) -> DeletePod | None:
    return None if pod.is_deleting else DeletePod(pod.name, pod.uid)


def _recorded_reason(build: ImageBuild) -> Reason | None:
    reason = build.status.get("reason")
    return Reason(reason) if reason in set(Reason) else None
