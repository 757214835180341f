"""The beginning and the end of an attempt at a build."""

from dataclasses import replace
from datetime import datetime, timedelta

from imagebuild_operator.api.build import Attempts, BuildSpec, ImageBuild, Phase
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.time import format_time, parse_time
from imagebuild_operator.decide.phase import failed_verdict
from imagebuild_operator.decide.plan import CreatePod, DeletePod, Plan
from imagebuild_operator.decide.queue import BEGIN, Turn
from imagebuild_operator.decide.record import record, recorded_reason
from imagebuild_operator.decide.refusal import WAITS
from imagebuild_operator.decide.retry import is_tried_again, retry_delay
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.pod.index import index_pod
from imagebuild_operator.pod.manifest import build_pod
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.status.document import attempt_record
from imagebuild_operator.status.verdict import Verdict


def begin(
    build: ImageBuild, spec: BuildSpec, settings: OperatorSettings, now: datetime, turn: Turn | None = BEGIN
) -> Plan:
    """Create the pod of the next attempt, once it is its time, and for the first its turn.

    Raises:
        InvalidSpecError: the spec can't be put into a pod.
    """
    if build.started is None and turn != BEGIN:
        return wait_for_turn(build, turn, settings, now)
    seconds = spec.timeout_seconds
    if build.started is not None:
        seconds -= int((now - build.started).total_seconds())
    if seconds <= 0:
        reason = recorded_reason(build) or Reason.DEADLINE_EXCEEDED
        message = f"No pod could be created for it in time. {reason.row.meaning}"
        return record(build, failed_verdict(reason, message, spec), None, settings, now)
    wait = _wait(build, build.attempts, settings, now)
    if wait > 0:
        return Plan(look_again=wait)
    make = index_pod if spec.has_index and build.platform is None else build_pod
    return Plan(create=(CreatePod(make(build, spec, settings.defaults, seconds)),))


def wait_for_turn(build: ImageBuild, turn: Turn | None, settings: OperatorSettings, now: datetime) -> Plan:
    """Record that it is not a build's turn, and why; nothing where that is not decided yet."""
    if turn is None:
        return Plan()
    if turn.reason in WAITS and recorded_reason(build) in WAITS:
        # What the API server said of its own pod says more.
        return Plan()
    verdict = Verdict(Phase.QUEUED, turn.message, turn.reason, position=turn.position)
    return record(build, verdict, None, settings, now)


def _wait(build: ImageBuild, attempts: Attempts, settings: OperatorSettings, now: datetime) -> float:
    """Seconds until the attempt after these may begin."""
    ended = parse_time(attempts[-1].get("completionTime")) if attempts else None
    if ended is None:
        return 0.0
    return max(0.0, retry_delay(build.uid, len(attempts), settings.retry_delay) - (now - ended).total_seconds())


def end(
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
        return record(build, verdict, pod, settings, now, delete=delete, attempts=attempts)
    wait = _wait(build, attempts, settings, now)
    again = now + timedelta(seconds=wait)
    start = build.started or (pod.created if pod else now)
    if again >= start + timedelta(seconds=spec.timeout_seconds):
        last = replace(verdict, message=f"{verdict.message} The timeout leaves no time for another attempt.")
        return record(build, last, pod, settings, now, delete=delete, attempts=attempts)
    message = (
        f"Attempt {build.attempt} failed: {verdict.cause} Attempt {build.attempt + 1} begins {format_time(again)}."
    )
    waiting = replace(verdict, phase=Phase.PENDING, message=message)
    return record(build, waiting, pod, settings, now, look_again=wait, delete=delete, attempts=attempts)
