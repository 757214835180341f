"""Cancel a build: its spec asks for it, or a newer build supersedes it."""

from imagebuild_operator.api.build import ImageBuild, Phase
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.phase import KUBELET_GRACE
from imagebuild_operator.decide.plan import Plan, deletion
from imagebuild_operator.decide.queue import Turn
from imagebuild_operator.decide.record import record, recorded_reason
from imagebuild_operator.decide.situation import Situation
from imagebuild_operator.status.document import attempt_record
from imagebuild_operator.status.verdict import Verdict


def cause(build: ImageBuild, turn: Turn | None) -> Turn | None:
    """Why a build is to be cancelled; None if it is not.

    Once recorded, it stays superseded: the newer build may have ended since.
    """
    if build.is_cancelled:
        return Turn(Reason.CANCELLED, "The build was cancelled.")
    if turn is not None and turn.reason in {Reason.CANCELLED, Reason.SUPERSEDED}:
        return turn
    if recorded_reason(build) is Reason.SUPERSEDED:
        return Turn(Reason.SUPERSEDED, Reason.SUPERSEDED.row.meaning)
    return None


def cancel(situation: Situation, why: Turn) -> Plan:
    """Stop the pod, with its grace period, then record the end. A build that has pushed its image stays a success."""
    build, pod, now = situation.build, situation.pod, situation.now
    reason = why.reason or Reason.CANCELLED
    if pod is not None and pod.began is not None and not pod.is_over:
        stopping = Verdict(build.phase, f"{why.message} Its pod is being stopped.", reason)
        if pod.deletion is None:
            return record(situation, stopping, delete=(deletion(pod),))
        left = (pod.deletion - now).total_seconds() + KUBELET_GRACE
        if left > 0:
            return record(situation, stopping, requeue_after=left)
    advice = reason.row.advice
    code = pod.failed.exit_code if pod and pod.failed else None
    verdict = Verdict(Phase.CANCELLED, f"{why.message} {advice}", reason, advice, code)
    has_pod = pod is not None or build.recorded_pod is not None
    attempts = (*build.attempts, attempt_record(build, verdict, pod, now)) if has_pod else None
    delete = (deletion(pod),) if pod and pod.is_alive else ()
    return record(situation, verdict, delete=delete, attempts=attempts)
