"""Facts about a build pod: the parts of its status that decide the phase of its build."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from imagebuild_vocabulary.names import (
    BUILD,
    CHECK,
    ENGINE_ANNOTATION,
    ENGINE_LABEL,
    INDEX,
    KIND,
    PLATFORM_LABEL,
    PUSH,
    SCAN,
    UPLOAD,
)

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.redact import head, tail
from imagebuild_operator.api.time import parse_time

OURS: Final = frozenset({BUILD, CHECK, INDEX, PUSH, SCAN, UPLOAD})
#: Conditions of a pod that is taken away: by Kubernetes, by Kueue.
DISRUPTED: Final = ("DisruptionTarget", "TerminationTarget")
#: Reasons of the condition PodScheduled while no node is found.
UNSCHEDULABLE: Final = frozenset({"Unschedulable", "SchedulerError"})
#: Characters that are read of a reason, of a message, and of a termination message. The kubelet keeps at most 12 KiB of
#: termination messages per pod; the limit holds for a compromised node too.
MAX_REASON: Final = 256
MAX_MESSAGE: Final = 4096
MAX_TERMINATION_MESSAGE: Final = 12 * 1024


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """One container: waiting, running, or terminated."""

    waiting_reason: str | None = None
    waiting_message: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    exit_code: int | None = None
    reason: str | None = None
    message: str = ""

    @property
    def is_running(self) -> bool:
        """Whether it has started and not terminated."""
        return self.started is not None and self.exit_code is None

    @property
    def is_held(self) -> bool:
        """Whether it is its turn, and something keeps it from starting."""
        return self.waiting_reason not in {None, "PodInitializing", "ContainerCreating"}

    @property
    def has_succeeded(self) -> bool:
        """Whether it has terminated with exit code 0."""
        return self.exit_code == 0

    @property
    def has_failed(self) -> bool:
        """Whether it has terminated with another exit code."""
        return self.exit_code is not None and self.exit_code != 0


@dataclass(frozen=True, slots=True)
class PodFacts:
    """One build pod."""

    name: str
    uid: str
    owner_uid: str | None
    created: datetime
    namespace: str = ""
    #: The label of its platform in a multi-platform build.
    platform: str | None = None
    #: What it builds with.
    engine: str | None = None
    #: Why it is not BuildKit, as far as that was known before.
    engine_problem: str = ""
    #: Whether it pushes the index of a multi-platform image; its only container is then reported as `push`.
    is_index: bool = False
    #: Its resourceVersion; the greater one is newer.
    version: int = 0
    node: str | None = None
    #: The image of its containers: by digest once the node has reported it, else as the pod names it.
    image: str = ""
    phase: str = "Pending"
    reason: str | None = None
    message: str = ""
    #: When its deletion should be complete; None if it is not being deleted.
    deletion: datetime | None = None
    scheduled: datetime | None = None
    #: The scheduler's message while no node is found.
    unschedulable: str | None = None
    #: Whether it has a scheduling gate.
    is_gated: bool = False
    #: The reason of the condition in DISRUPTED, and its message.
    disruption: str | None = None
    disruption_message: str = ""
    #: Not every pod has one; a missing one counts as not started.
    check: ContainerFacts = field(default_factory=ContainerFacts)
    upload: ContainerFacts = field(default_factory=ContainerFacts)
    build: ContainerFacts = field(default_factory=ContainerFacts)
    scan: ContainerFacts = field(default_factory=ContainerFacts)
    push: ContainerFacts = field(default_factory=ContainerFacts)

    @property
    def is_deleting(self) -> bool:
        """Whether it is being deleted."""
        return self.deletion is not None

    @property
    def is_alive(self) -> bool:
        """Whether a container of ours runs or will run in it, and it is not being deleted."""
        return not self.is_over and not self.is_deleting

    @property
    def is_over(self) -> bool:
        """Whether all containers of ours have ended. The pod's phase follows later, or never (injected sidecars)."""
        return self.phase in {"Succeeded", "Failed"} or self.push.exit_code is not None or self.failed is not None

    @property
    def failed(self) -> ContainerFacts | None:
        """The container that has failed."""
        return next((c for c in (self.push, self.scan, self.build, self.upload, self.check) if c.has_failed), None)

    @property
    def began(self) -> datetime | None:
        """When its main container started: `build`, or that of the index; None before."""
        return (self.push if self.is_index else self.build).started

    @property
    def first(self) -> ContainerFacts:
        """The first of its containers to start."""
        if self.is_index:
            return self.push
        known = (each for each in (self.check, self.upload) if each.started is not None or each.is_held)
        return next(known, self.build)

    @property
    def is_fresh(self) -> bool:
        """Whether none of its containers has started yet, and nothing is known to keep them from it."""
        is_kept = self.first.is_held or self.unschedulable is not None or self.is_gated
        return self.is_alive and self.first.started is None and not is_kept


def observe(pod: Body) -> PodFacts:
    """Read the body of a pod."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled", {})
    is_scheduled = scheduled.get("status") == "True"
    true = (conditions[kind] for kind in DISRUPTED if conditions.get(kind, {}).get("status") == "True")
    disruption: Body = next(true, {})
    spec = pod.get("spec") or {}
    is_index = any(container["name"] == INDEX for container in spec.get("containers") or ())
    return PodFacts(
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
        uid=metadata["uid"],
        owner_uid=owner(pod)[1],
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        version=int(metadata.get("resourceVersion") or 0),
        platform=(metadata.get("labels") or {}).get(PLATFORM_LABEL),
        engine=(metadata.get("labels") or {}).get(ENGINE_LABEL),
        engine_problem=head((metadata.get("annotations") or {}).get(ENGINE_ANNOTATION) or "", MAX_MESSAGE),
        is_index=is_index,
        node=spec.get("nodeName"),
        image=_image(spec, status),
        phase=status.get("phase", "Pending"),
        reason=_reason(status),
        message=_message(status),
        deletion=parse_time(metadata.get("deletionTimestamp")),
        scheduled=parse_time(scheduled.get("lastTransitionTime")) if is_scheduled else None,
        unschedulable=_message(scheduled) if scheduled.get("reason") in UNSCHEDULABLE else None,
        is_gated=scheduled.get("reason") == "SchedulingGated",
        disruption=_reason(disruption),
        disruption_message=_message(disruption),
        check=_container(status.get("initContainerStatuses"), CHECK),
        upload=_container(status.get("initContainerStatuses"), UPLOAD),
        build=_container(status.get("initContainerStatuses"), BUILD),
        scan=_container(status.get("initContainerStatuses"), SCAN),
        push=_container(status.get("containerStatuses"), INDEX if is_index else PUSH),
    )


def _image(spec: Body, status: Body) -> str:
    kinds = ("initContainer", "container")
    named = [each for kind in kinds for each in spec.get(f"{kind}s") or () if each["name"] in OURS]
    states = [each for kind in kinds for each in status.get(f"{kind}Statuses") or () if each["name"] in OURS]
    # Some container runtimes put a scheme before it; for an image that was loaded, it is the image's ID alone.
    pulled = ((each.get("imageID") or "").rpartition("://")[2] for each in states)
    return next((each for each in pulled if "@" in each), named[0].get("image", "") if named else "")[:MAX_MESSAGE]


def owner(pod: Body) -> tuple[str | None, str | None]:
    """The name and uid of the ImageBuild that controls a pod; a pair of None if none does."""
    for reference in pod["metadata"].get("ownerReferences") or ():
        if reference.get("controller") and reference.get("kind") == KIND:
            return reference["name"], reference["uid"]
    return None, None


def _container(statuses: list[Body] | None, name: str) -> ContainerFacts:
    state = next((status.get("state") or {} for status in statuses or () if status["name"] == name), {})
    if "terminated" in state:
        ended = state["terminated"]
        return ContainerFacts(
            started=parse_time(ended.get("startedAt")),
            finished=parse_time(ended.get("finishedAt")),
            exit_code=ended["exitCode"],
            reason=_reason(ended),
            message=tail(ended.get("message") or "", MAX_TERMINATION_MESSAGE),
        )
    if "running" in state:
        return ContainerFacts(started=parse_time(state["running"].get("startedAt")))
    waiting = state.get("waiting") or {}
    return ContainerFacts(waiting_reason=_reason(waiting), waiting_message=_message(waiting))


def _reason(said: Body) -> str | None:
    reason: str | None = said.get("reason")
    return reason and reason[:MAX_REASON]


def _message(said: Body) -> str:
    return head(said.get("message") or "", MAX_MESSAGE)
