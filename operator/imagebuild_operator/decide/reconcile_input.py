"""Everything that a decision about one build depends on, as one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.decide.push_proof import PushProofs
from imagebuild_operator.decide.queue import BEGIN, Admission
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.observe.progress import UNREAD, Log
from imagebuild_operator.pod.manifest import pod_name
from imagebuild_operator.settings import OperatorSettings


@dataclass(frozen=True, slots=True)
class ReconcileInput:
    """A build and what is known around it.

    Attributes:
        build: The build, or one of its platforms.
        pods: Its pods, those of earlier attempts too.
        settings: The operator's settings.
        now: The current time.
        admission: Whether a build without a pod may begin; None where that is not decided yet.
        warnings: The kubelet's latest Warning about each pod that does not start, by the pod's name.
        refusals: The API server's error about each pod that it refused to create, by the pod's name.
        logs: What is known of the log of each running pod, by the pod's name.
        pushes: What earlier pushes have proven.
        engine_problem: Why BuildKit could not run a while ago where the build runs; empty if it could, or is unknown.
    """

    build: ImageBuild
    pods: Sequence[PodFacts]
    settings: OperatorSettings
    now: datetime
    admission: Admission | None = BEGIN
    warnings: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, ClusterError] = field(default_factory=dict)
    logs: Mapping[str, Log] = field(default_factory=dict)
    pushes: PushProofs = ()
    engine_problem: str = ""

    @property
    def pod(self) -> PodFacts | None:
        """The pod of the attempt that runs or comes next."""
        return current_pod(self.build, self.pods)

    @property
    def warning(self) -> str | None:
        """The kubelet's latest Warning about that pod."""
        pod = self.pod
        return self.warnings.get(pod.name) if pod else None

    @property
    def log(self) -> Log:
        """What is known of the log of that pod."""
        pod = self.pod
        return self.logs.get(pod.name, UNREAD) if pod else UNREAD


def current_pod(build: ImageBuild, pods: Sequence[PodFacts]) -> PodFacts | None:
    """The pod of the attempt that runs or comes next."""
    name = build.recorded_pod or pod_name(build, build.attempt)
    # Another of the same name has been made in the place of the recorded one by somebody else.
    uids = {build.recorded_uid} if build.recorded_uid else {pod.uid for pod in pods}
    return next((pod for pod in pods if pod.name == name and pod.uid in uids), None)
