"""What the operator does with a build, decided by its own rules. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import ClusterError, InvalidSpecError
from imagebuild_operator.api.parse import parse_build, parse_spec
from imagebuild_operator.api.time import format_time
from imagebuild_operator.decide.build import decide_build
from imagebuild_operator.decide.gate import Gate
from imagebuild_operator.decide.queue import BEGIN, Admission
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.defaults.effective import with_defaults
from imagebuild_operator.defaults.namespace import NamespaceDefaults
from imagebuild_operator.observe.pod import observe
from imagebuild_operator.pod.index import index_pod
from imagebuild_operator.settings import OperatorSettings

#: In the pod of the index, for the digests that the pods of the platforms report.
UNKNOWN_DIGEST: Final = "sha256:" + "0" * 64

SECOND: Final = timedelta(seconds=1)

Body = Mapping[str, Any]
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision depends on.

    Attributes:
        build: The ImageBuild as the API server holds it, or would hold it.
        settings: Settings of the operator.
        defaults: The defaults in force in its namespace.
        others: The other builds of the cluster that have not ended, as far as the user may see them.
        cluster_limit: Limit of builds per namespace in the ClusterImageBuildDefaults.
        now: The current time.
        refusals: The API server's answers to pods that it would refuse, by the pod's name.
    """

    build: Body
    settings: OperatorSettings
    defaults: NamespaceDefaults
    others: Sequence[Body]
    now: datetime
    cluster_limit: int | None = None
    refusals: Mapping[str, ClusterError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the operator does with a build.

    Attributes:
        phase: The phase that the build has or gets.
        reason: The reason of its status; empty for none.
        message: The message of its status.
        pods: The pods of the first attempt, the order in which they are created.
        supersedes: Names of the builds that it supersedes.
        is_recorded: Whether phase, reason and message are those of its status, because it has started or ended.
    """

    phase: str
    reason: str
    message: str
    pods: tuple[Manifest, ...] = ()
    supersedes: tuple[str, ...] = ()
    is_recorded: bool = False

    @property
    def is_failed(self) -> bool:
        """Whether the build has failed, or would fail at once."""
        return self.phase == "Failed"


def explain(facts: Facts) -> Explanation:
    """Decide as the operator does."""
    bare = parse_build(facts.build)
    build = with_defaults(bare, facts.defaults)
    pods = first_pods(build, facts.settings, facts.now)
    if bare.is_finished or bare.has_begun:
        return Explanation(*_outcome(bare.status), pods, is_recorded=True)
    admission, supersedes = _admission(build, facts)
    return Explanation(*_outcome(_next_status(build, admission, facts)), pods, supersedes)


def first_pods(build: ImageBuild, settings: OperatorSettings, now: datetime) -> tuple[Manifest, ...]:
    """The pods of the first attempt at a build; none if its spec cannot be built.

    Args:
        build: The build, with its effective spec.
        settings: Settings of the operator.
        now: The current time.
    """
    spec = {name: value for name, value in build.spec.items() if name not in {"cancel", "suspend"}}
    fresh = replace(build, spec=spec, status={})
    plan = decide_build(ReconcileInput(fresh, (), settings, now, BEGIN))
    pods = [create.manifest for create in plan.create]
    try:
        parsed = parse_spec(spec)
    except InvalidSpecError:
        return ()
    if parsed.has_index and pods:
        entries = [{"platform": str(each), "digest": UNKNOWN_DIGEST} for each in parsed.platforms]
        built = replace(fresh, status={"platforms": entries})
        pods.append(index_pod(built, parsed, settings.defaults, parsed.timeout_seconds))
    return tuple(pods)


def as_created(manifest: Manifest, now: datetime) -> Manifest:
    """A pod as the API server returns it when it has just been created."""
    created = {"uid": f"uid-of-{manifest['metadata']['name']}", "creationTimestamp": format_time(now)}
    metadata = {**manifest["metadata"], **created, "resourceVersion": "1"}
    return {**manifest, "metadata": metadata, "status": {"phase": "Pending"}}


def _admission(build: ImageBuild, facts: Facts) -> tuple[Admission, tuple[str, ...]]:
    """Whether a build begins, and which builds of its concurrency group it supersedes.

    What only the running operator knows does not count: builds that it holds back after a pod was refused.
    """
    builds = [parse_build(body) for body in facts.others]
    others = [each for each in builds if each.uid != build.uid]
    if len(others) == len(builds):
        # It is yet to be created, after all that exist; times of creation count in seconds.
        build = replace(build, created=max([build.created, *(each.created + SECOND for each in others)]))
    found = {"": facts.cluster_limit, build.namespace: facts.defaults.max_running}
    defaults = {name: number for name, number in found.items() if number is not None}
    problems = {build.namespace: facts.defaults.problem}
    gate = Gate(facts.settings.limits, defaults, lambda namespace: problems.get(namespace, ""))
    return admission_of(build, others, gate, facts.now)


def admission_of(
    build: ImageBuild, others: Sequence[ImageBuild], gate: Gate, now: datetime
) -> tuple[Admission, tuple[str, ...]]:
    """What a gate that has seen nothing decides about a build, and the names of those that the build supersedes.

    Args:
        build: The build, which has not started.
        others: The other builds.
        gate: The operator's.
        now: The current time.
    """
    gate.decide([(each, each.has_begun) for each in (*others, build) if not each.is_finished], now)
    supersedes = tuple(each.name for each in others if gate.superseded.get(each.uid) == build.name)
    # The decision about one that is cancelled does not depend on the others.
    return gate.admission(build) or BEGIN, supersedes


def _next_status(build: ImageBuild, admission: Admission, facts: Facts) -> Body:
    """The status that the operator writes first: after the pods are created, if the build begins."""
    inputs = ReconcileInput(build, (), facts.settings, facts.now, admission)
    plan = decide_build(inputs)
    if plan.create:
        refused = {name: error for name, error in facts.refusals.items() if name in {each.name for each in plan.create}}
        made = [observe(as_created(create.manifest, facts.now)) for create in plan.create if create.name not in refused]
        plan = decide_build(replace(inputs, pods=made, refusals=refused))
    return {**build.status, **(plan.status or {})}


def _outcome(status: Body) -> tuple[str, str, str]:
    return status.get("phase") or "", status.get("reason") or "", status.get("message") or ""
