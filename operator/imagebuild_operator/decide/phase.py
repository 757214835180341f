"""The phase of a build, read from its pod, with the reason and the message."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from imagebuild_vocabulary.names import BUILD, CHECK, INDEX, PUSH, SCAN, UPLOAD
from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.build import BuildSpec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.advice import advice, waiting_advice
from imagebuild_operator.observe.pod import ContainerFacts, PodFacts
from imagebuild_operator.observe.progress import parse_progress
from imagebuild_operator.observe.report import Result, parse_result
from imagebuild_operator.pod.upload import upload_request
from imagebuild_operator.status.outcome import Outcome

#: Why the operator deletes a pod.
OUR_OWN: Final = frozenset({Reason.CANCELLED, Reason.SUPERSEDED, Reason.DEADLINE_EXCEEDED})
#: Why a pod is being deleted. Once recorded, it is the reason with which the build ends, whatever the containers report
#: while they are stopped.
STOPPING: Final = frozenset({*OUR_OWN, Reason.EVICTED, Reason.NODE_LOST, Reason.POD_DELETED})

#: Seconds that the kubelet has to end a pod at its own deadline before the operator deletes it: the grace period and
#: some more. A pod that the kubelet ends leaves a report of what the build was doing.
KUBELET_GRACE: Final = 60.0

#: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
DISRUPTIONS: Final[Mapping[str, Reason]] = {
    "PreemptionByScheduler": Reason.EVICTED,
    "EvictionByEvictionAPI": Reason.EVICTED,
    "TerminationByKubelet": Reason.EVICTED,
    "DeletionByTaintManager": Reason.NODE_LOST,
    "DeletionByPodGC": Reason.NODE_LOST,
}

#: Begins Kueue's reasons, such as WorkloadEvictedDueToPreempted.
EVICTED_BY_KUEUE: Final = "WorkloadEvicted"

#: `status.reason` of a pod that the kubelet or the node controller ended.
POD_REASONS: Final[Mapping[str, Reason]] = {
    "DeadlineExceeded": Reason.DEADLINE_EXCEEDED,
    "Evicted": Reason.EVICTED,
    "Preempting": Reason.EVICTED,
    "NodeLost": Reason.NODE_LOST,
    "NodeShutdown": Reason.NODE_LOST,
    "Shutdown": Reason.NODE_LOST,
    "Terminated": Reason.NODE_LOST,
}

#: `waiting.reason` of a container whose image the node can't pull.
PULL_FAILURES: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
#: The kubelet's prefix of the error between two pulls. Without it, the message stays the same.
_BACK_OFF: Final = re.compile(r'Back-off pulling image "[^"]*": (?:[A-Z]\w+: )?')

#: The kubelet's messages about a Secret or ConfigMap that is missing or lacks the key, for a variable and for a volume.
_MISSING: Final = re.compile(
    r'(?:secret|configmap) "[^"]*" not found'
    r"|couldn't find key \S+ in (?:Secret|ConfigMap) "
    r"|references non-existent (?:secret|config) key",
)

#: Begins the message about a pod that does not start.
NOT_STARTED: Final = "The build pod can't start yet: "
#: What the kubelet, containerd and runc say of a pod whose user namespace, volumes or profiles a node does not have.
_ENGINE_REFUSED: Final = re.compile(
    r"user namespaces|hostUsers|MOUNT_ATTR_IDMAP|idmap|seccomp profile|apparmor", re.IGNORECASE
)

#: Exit code of a container that was ended by SIGKILL.
KILLED: Final = 137

#: Messages of the kubelet and of runc about a variable whose value is not text.
_NOT_TEXT: Final = re.compile(r"string field contains invalid UTF-8|environment variable value can't contain null")
NOT_TEXT: Final = "A Secret or ConfigMap of the build has a value that is not text. Store the value base64-encoded"

#: `terminated.reason` of a container that never ran; its message is from the node.
NEVER_RAN: Final = frozenset({"StartError", "ContainerCannotRun"})
#: `terminated.reason` of a container that the kubelet has lost, as after a restart of its node.
LOST: Final = "ContainerStatusUnknown"


def pod_outcome(
    pod: PodFacts,
    spec: BuildSpec,
    recorded: Reason | None = None,
    warning: str | None = None,
    log: str | None = None,
    attempt: int = 1,
) -> Outcome:
    """The outcome of a build with this pod.

    Args:
        pod: Its pod.
        spec: Its spec; the advice depends on it.
        recorded: The reason recorded last.
        warning: The kubelet's latest Warning about a pod whose containers do not start.
        log: The end of the build's log, if it has just been read.
        attempt: The number of the attempt.
    """
    if pod.push.has_succeeded:
        return _succeeded(pod, spec)
    if pod.is_over:
        return _failed(pod, pod.failed or ContainerFacts(), spec, recorded)
    return replace(_running(pod, spec, recorded, warning, attempt), progress=parse_progress(log) if log else None)


def is_engine_refused(outcome: Outcome) -> bool:
    """Whether a pod does not start because of what BuildKit needs of the node."""
    return outcome.reason is Reason.POD_NOT_STARTED and _ENGINE_REFUSED.search(outcome.cause) is not None


def stopping_outcome(phase: Phase, reason: Reason) -> Outcome:
    """The outcome of a build whose pod the operator stops."""
    return Outcome(phase, f"{reason.row.meaning} The build pod is being stopped.", reason)


def gone_outcome(spec: BuildSpec, recorded: Reason | None) -> Outcome:
    """The outcome of a build whose pod no longer exists."""
    reason = recorded if recorded in STOPPING else Reason.POD_DELETED
    return failed_outcome(reason, reason.row.meaning, spec)


def failed_outcome(
    reason: Reason,
    message: str,
    spec: BuildSpec | None,
    *,
    exit_code: int | None = None,
    result: Result | None = None,
) -> Outcome:
    """A failure, with what to do about it added to the message."""
    result = result or Result()
    hint = advice(reason, spec, result, message)
    text = message if hint in message else f"{message.rstrip('. ')}. {hint}"
    return Outcome(Phase.FAILED, text, reason, hint, exit_code, result)


def waiting_outcome(
    phase: Phase, message: str, reason: Reason, spec: BuildSpec | None = None, *, position: int | None = None
) -> Outcome:
    """The outcome of a build that waits, with what to do meanwhile added to the message."""
    hint = waiting_advice(reason, spec, message)
    return Outcome(phase, f"{message.rstrip('. ')}. {hint}".rstrip(), reason, hint or None, position=position)


def _succeeded(pod: PodFacts, spec: BuildSpec) -> Outcome:
    result = parse_result(pod.push.message)
    if result.digest is None:
        return failed_outcome(
            Reason.INTERNAL, "The push container succeeded but reported no digest", spec, result=result
        )
    references = ", ".join(image.reference for image in result.images) or spec.images[0]
    pushed = f"Pushed {references} as {result.digest}."
    # A RUN of Kaniko could claim that nothing was built, so it is believed only where it was asked for.
    if spec.skip_if_unchanged and parse_result(pod.build.message).is_unchanged:
        same = f"{references} has the image of the same inputs, {result.digest}; nothing was built."
        return Outcome(Phase.SUCCEEDED, same, Reason.UNCHANGED, result=result)
    message = pushed if spec.push else f"Built {references} as {result.digest}; not pushed."
    return Outcome(Phase.SUCCEEDED, message, result=result)


def _failed(pod: PodFacts, container: ContainerFacts, spec: BuildSpec, recorded: Reason | None) -> Outcome:
    result = parse_result(container.message)
    reason = _failure_reason(pod, container, result, recorded)
    is_its_own = reason is result.reason or (result.reason is not None and reason is Reason.INTERNAL)
    message = result.message if result.message and is_its_own else _failure_message(pod, container, reason)
    return failed_outcome(reason, message, spec, exit_code=container.exit_code, result=result)


def _failure_reason(pod: PodFacts, container: ContainerFacts, result: Result, recorded: Reason | None) -> Reason:
    """Kubernetes' reason takes precedence over the container's: a container that is being stopped reports only that."""
    if recorded in STOPPING:
        return recorded
    if pod.reason == "Evicted" and pod.disruption is None and _exceeds_own_limit(pod.message):
        return Reason.DISK_FULL
    if pod.reason is not None and pod.reason in POD_REASONS:
        return POD_REASONS[pod.reason]
    if disruption := _disruption_reason(pod):
        return disruption
    # containerd also says so of a container whose cgroup (version 1) is removed; the container's own counter is exact.
    if container.reason == "OOMKilled" and result.oom_kills != 0:
        return Reason.OUT_OF_MEMORY
    if pod.is_deleting and result.reason in {None, Reason.CANCELLED}:
        return Reason.POD_DELETED
    if container.reason == LOST:
        return Reason.NODE_LOST
    if container.reason in NEVER_RAN or (pod.reason is not None and container.exit_code is None):
        # The second: the kubelet rejected the whole pod, for lack of CPU for example (OutOfcpu).
        return Reason.POD_NOT_STARTED
    # The shim reports Cancelled for a SIGTERM of unknown cause; only its spec cancels a build.
    return Reason.INTERNAL if result.reason in {None, Reason.CANCELLED} else result.reason


def _disruption_reason(pod: PodFacts) -> Reason | None:
    """Why the pod was taken away; None if it was not, or if no condition says why."""
    said = pod.disruption or ""
    return Reason.EVICTED if said.startswith(EVICTED_BY_KUEUE) else DISRUPTIONS.get(said)


def _exceeds_own_limit(said: str) -> bool:
    """Whether the kubelet evicted a pod because it used more disk than its own limit, judged by the eviction message.

    That is no disruption: it would happen on any node.
    """
    return "exceed" in said and "limit" in said


def _failure_message(pod: PodFacts, container: ContainerFacts, reason: Reason) -> str:
    words = [reason.row.meaning.rstrip(".")]
    said = pod.message or pod.disruption_message
    if not said and container.reason in {*NEVER_RAN, LOST}:
        said = NOT_TEXT if _NOT_TEXT.search(container.message) else container.message
    if said:
        words.append(said.rstrip(". "))
    elif reason is Reason.INTERNAL and container.exit_code is not None:
        names = (
            (pod.push, INDEX if pod.is_index else PUSH),
            (pod.scan, SCAN),
            (pod.build, BUILD),
            (pod.upload, UPLOAD),
            (pod.check, CHECK),
        )
        name = next(name for facts, name in names if facts is container)
        how = f"ended with exit code {container.exit_code} ({container.reason})"
        if container.exit_code == KILLED:
            how = f"was killed (exit code {KILLED}), and the kubelet does not report that it ran out of memory"
        words.append(f"container {name} {how}")
    return ": ".join(words)


def _running(pod: PodFacts, spec: BuildSpec, recorded: Reason | None, warning: str | None, attempt: int) -> Outcome:
    phase, container = _current(pod)
    if pod.is_deleting:
        if recorded in OUR_OWN:
            return stopping_outcome(phase, recorded)
        reason = _disruption_reason(pod) or (recorded if recorded in STOPPING else Reason.POD_DELETED)
        return Outcome(phase, f"The build pod is being deleted. {pod.disruption_message}".strip(), reason)
    if container.is_running:
        if container is not pod.upload:
            return _well(pod, phase)
        return Outcome(phase, upload_request(spec.source, pod.namespace, pod.name, attempt), Reason.AWAITING_UPLOAD)
    if pod.is_gated:
        return waiting_outcome(Phase.QUEUED, _gate_message(pod, spec), Reason.GATED)
    if pod.unschedulable:
        message = f"No node can take the build pod yet: {pod.unschedulable}"
        return waiting_outcome(phase, message, Reason.UNSCHEDULABLE, spec)
    return _waiting(pod, phase, container, warning)


def _gate_message(pod: PodFacts, spec: BuildSpec) -> str:
    if spec.queue_name is None:
        return f"Pod {pod.name} is held by a scheduling gate"
    return f"Kueue holds pod {pod.name} in LocalQueue {spec.queue_name}"


def _current(pod: PodFacts) -> tuple[Phase, ContainerFacts]:
    """The phase, and the container that runs or starts next."""
    if pod.build.has_succeeded or pod.is_index:
        is_scanning = pod.scan.is_running or pod.scan.is_held
        return Phase.PUSHING, pod.scan if is_scanning else pod.push
    if pod.build.started is None:
        for container in (pod.check, pod.upload):
            if container.is_running or container.is_held:
                return Phase.PREPARING, container
    return (Phase.BUILDING if pod.build.is_running else Phase.PREPARING), pod.build


def _waiting(pod: PodFacts, phase: Phase, container: ContainerFacts, warning: str | None) -> Outcome:
    said = container.waiting_message
    match container.waiting_reason:
        case "CreateContainerConfigError" if missing := _missing(said):
            return waiting_outcome(phase, f"Waiting: {said}", missing)
        case reason if reason in PULL_FAILURES:
            said = _BACK_OFF.sub("", said)
            what = "An image for the scan" if container is pod.scan else "The builder image"
            message = f"{what} can't be pulled: {said}"
            return waiting_outcome(phase, message, Reason.BUILDER_IMAGE_PULL_FAILED)
        case _ if container.is_held and _NOT_TEXT.search(said):
            hint = "The build then continues automatically."
            return Outcome(phase, f"{NOT_TEXT}. {hint}", Reason.POD_NOT_STARTED, hint)
        case reason if container.is_held:
            message = f"The node can't start the container: {said or reason}"
            return waiting_outcome(phase, message, Reason.POD_NOT_STARTED)
        case _:
            pass
    if warning:
        reason = _missing(warning) or Reason.POD_NOT_STARTED
        return waiting_outcome(phase, f"{NOT_STARTED}{warning}", reason)
    return _well(pod, phase)


def _well(pod: PodFacts, phase: Phase) -> Outcome:
    """Nothing is wrong. The message stays the same for a whole phase, since each change of it is a write."""
    match phase:
        case Phase.PREPARING:
            return Outcome(phase, f"Pod {pod.name} is being prepared: scheduling, builder image, registry check.")
        case Phase.BUILDING if pod.node:
            return Outcome(phase, f"Pod {pod.name} is building on node {pod.node}.")
        case _:
            return Outcome(phase, f"Pod {pod.name} is {phase.lower()}.")


def _missing(said: str) -> Reason | None:
    """The reason for an object that the kubelet can't find; None if the message is about something else."""
    found = _MISSING.search(said)
    if found is None:
        return None
    return Reason.SECRET_NOT_FOUND if "secret" in found[0].lower() else Reason.CONFIG_MAP_NOT_FOUND
