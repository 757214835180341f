"""Cancel a build: its spec asks for it, or a newer build supersedes it."""

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.phase import KUBELET_GRACE
from imagebuild_operator.decide.plan import Plan, deletion
from imagebuild_operator.decide.queue import Admission
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.record import record, recorded_reason
from imagebuild_operator.status.document import attempt_record
from imagebuild_operator.status.outcome import Outcome


def cause(build: ImageBuild, admission: Admission | None) -> Admission | None:
    """Why a build is to be cancelled; None if it is not.

    Once recorded, it stays superseded: the newer build may have ended since.
    """
    if build.is_cancelled:
        return Admission(Reason.CANCELLED, "The build was cancelled.")
    if admission is not None and admission.reason in {Reason.CANCELLED, Reason.SUPERSEDED}:
        return admission
    if recorded_reason(build) is Reason.SUPERSEDED:
        return Admission(Reason.SUPERSEDED, Reason.SUPERSEDED.row.meaning)
    return None


def cancel(inputs: ReconcileInput, why: Admission) -> Plan:
    """Stop the pod, with its grace period, then record the end. A build that has pushed its image stays a success."""
    build, pod, now = inputs.build, inputs.pod, inputs.now
    reason = why.reason or Reason.CANCELLED
    if pod is not None and pod.began is not None and not pod.is_over:
        stopping = Outcome(build.phase, f"{why.message} Its pod is being stopped.", reason)
        if pod.deletion is None:
            return record(inputs, stopping, delete=(deletion(pod),))
        left = (pod.deletion - now).total_seconds() + KUBELET_GRACE
        if left > 0:
            return record(inputs, stopping, requeue_after=left)
    advice = reason.row.advice
    code = pod.failed.exit_code if pod and pod.failed else None
    outcome = Outcome(Phase.CANCELLED, f"{why.message} {advice}", reason, advice, code)
    has_pod = pod is not None or build.recorded_pod is not None
    attempts = (*build.attempts, attempt_record(build, outcome, pod, now)) if has_pod else None
    delete = (deletion(pod),) if pod and pod.is_alive else ()
    return record(inputs, outcome, delete=delete, attempts=attempts)
