"""The start and the end of an attempt at a build."""

from dataclasses import replace
from datetime import timedelta

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.build import Attempts, BuildSpec, Engine, ImageBuild
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.time import format_time, parse_time
from imagebuild_operator.decide.phase import failed_outcome, waiting_outcome
from imagebuild_operator.decide.plan import CreatePod, DeletePod, Plan
from imagebuild_operator.decide.push_proof import push_proofs
from imagebuild_operator.decide.queue import BEGIN
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.record import record, recorded_reason
from imagebuild_operator.decide.refusal import WAITS
from imagebuild_operator.decide.retry import is_tried_again, retry_delay
from imagebuild_operator.decide.waiting import given_up, patience
from imagebuild_operator.pod.corroborate import is_first, witness_in
from imagebuild_operator.pod.engine import may_fall_back, with_problem, would_try_buildkit
from imagebuild_operator.pod.index import index_pod
from imagebuild_operator.pod.manifest import Manifest, build_pod
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.status.document import attempt_record
from imagebuild_operator.status.outcome import Outcome


def begin(inputs: ReconcileInput, spec: BuildSpec) -> Plan:
    """Create the pod of the next attempt when its backoff is over and, for the first attempt, when it is its turn.

    Raises:
        InvalidSpecError: the spec can't be put into a pod.
    """
    build, settings, now = inputs.build, inputs.settings, inputs.now
    if build.started is None and inputs.admission != BEGIN:
        return wait_for_admission(inputs)
    seconds = spec.timeout_seconds
    if build.started is not None:
        seconds -= int((now - build.started).total_seconds())
    if seconds <= 0:
        reason = recorded_reason(build) or Reason.DEADLINE_EXCEEDED
        message = f"No build pod could be created before the timeout. {reason.row.meaning}"
        return record(inputs, failed_outcome(reason, message, spec))
    wait = _wait(inputs, build.attempts)
    if wait > 0:
        return Plan(requeue_after=wait)
    make = index_pod if spec.has_index and build.platform is None else build_pod
    is_proven = all(proof in inputs.pushes for proof in push_proofs(build.namespace, spec))
    defaults = replace(settings.defaults, check_push=settings.defaults.check_push and not is_proven)
    if inputs.engine_problem and would_try_buildkit(spec, defaults, build.attempts):
        manifest = make(build, replace(spec, engine=Engine.KANIKO), defaults, seconds)
        return Plan(create=(CreatePod(with_problem(manifest, inputs.engine_problem)),))
    return Plan(create=(CreatePod(make(build, spec, defaults, seconds)),))


def expected_pod(build: ImageBuild, settings: OperatorSettings, engine: str | None) -> Manifest | None:
    """What the pod of the current attempt has to be, with all containers that it may have; None if there can be none.

    Args:
        build: The build, or one of its platforms.
        settings: The operator's settings.
        engine: What it builds with, by its own account: with Auto, either is possible.
    """
    try:
        spec = parse_spec(build.spec)
        if engine == Engine.KANIKO and would_try_buildkit(spec, settings.defaults, build.attempts):
            spec = replace(spec, engine=Engine.KANIKO)
        make = index_pod if spec.has_index and build.platform is None else build_pod
        return make(build, spec, replace(settings.defaults, check_push=True), spec.timeout_seconds)
    except (InvalidSpecError, KeyError):
        # KeyError: a pod for the index before the platforms have been built.
        return None


def wait_for_admission(inputs: ReconcileInput) -> Plan:
    """Record that it is not a build's turn, and why, or that it has waited too long; nothing if it is not decided."""
    admission = inputs.admission
    if admission is None or admission.reason is None:
        return Plan()
    left = patience(inputs)
    if left is not None and left <= 0:
        return record(inputs, given_up(inputs, admission.message))
    if admission.reason in WAITS and recorded_reason(inputs.build) in WAITS:
        # The API server's message about its own pod says more.
        return Plan(requeue_after=left)
    outcome = waiting_outcome(Phase.QUEUED, admission.message, admission.reason, position=admission.position)
    return record(inputs, outcome, requeue_after=left)


def _wait(inputs: ReconcileInput, attempts: Attempts) -> float:
    """Seconds until the attempt after these may begin."""
    ended = parse_time(attempts[-1].get("completionTime")) if attempts else None
    if ended is None or "digest" in attempts[-1] or attempts[-1].get("reason") == Reason.ENGINE_UNAVAILABLE:
        return 0.0
    delay = retry_delay(inputs.build.uid, len(attempts), inputs.settings.retry_delay)
    passed = (inputs.now - ended).total_seconds()
    # An operator whose clock was ahead wrote a time that is still to come: when it really was is unknown.
    return 0.0 if passed < -delay else max(0.0, delay - passed)


def end(inputs: ReconcileInput, spec: BuildSpec, outcome: Outcome, *, delete: tuple[DeletePod, ...] = ()) -> Plan:
    """Record the end of an attempt: the build ends with it, or another attempt follows."""
    build, pod, now = inputs.build, inputs.pod, inputs.now
    if outcome.phase is Phase.SUCCEEDED:
        if is_first(build, spec):
            return _end_first(inputs, outcome)
        first, pushed = (witness_in(build.attempts) or {}).get("digest"), outcome.result.digest
        # `push` compares them, too; a builder image that does not know what it is asked for does not.
        if first is not None and first != pushed:
            told = f"{pushed} was pushed, and the first build has made {first}: do not use it"
            outcome = failed_outcome(Reason.NOT_REPRODUCIBLE, told, spec)
    attempts = (*build.attempts, attempt_record(build, outcome, pod, now))
    falls_back = (
        outcome.reason is Reason.ENGINE_UNAVAILABLE
        # A RUN of Kaniko can forge the report of its container.
        and (pod is None or pod.engine == Engine.BUILDKIT)
        and may_fall_back(spec, inputs.settings.defaults, build.attempts)
    )
    if outcome.reason is None or not (falls_back or is_tried_again(outcome.reason, spec.retry, attempts)):
        return record(inputs, outcome, delete=delete, attempts=attempts)
    wait = _wait(inputs, attempts)
    again = now + timedelta(seconds=wait)
    start = build.started or (pod.created if pod else now)
    if again >= start + timedelta(seconds=spec.timeout_seconds):
        last = replace(outcome, message=f"{outcome.message} The timeout leaves no time for another attempt.")
        return record(inputs, last, delete=delete, attempts=attempts)
    message = (
        f"Attempt {build.attempt} failed: {outcome.cause} Attempt {build.attempt + 1} starts at {format_time(again)}."
    )
    waiting = replace(outcome, phase=Phase.PENDING, message=message)
    return record(inputs, waiting, requeue_after=wait, delete=delete, attempts=attempts)


def _end_first(inputs: ReconcileInput, outcome: Outcome) -> Plan:
    """Record the first of two builds of an image; the next attempt is the second."""
    build, result = inputs.build, outcome.result
    node = inputs.pod.node if inputs.pod else ""
    message = f"Node {node} has built {result.digest}. It is built again before it is pushed: output.corroborate."
    waiting = Outcome(Phase.PENDING, message)
    entry = attempt_record(build, waiting, inputs.pod, inputs.now)
    first = {**entry, "digest": result.digest, "contents": result.contents or ""}
    return record(inputs, waiting, requeue_after=0.0, attempts=(*build.attempts, first))
