"""The plan: what to do about a build."""

from dataclasses import dataclass
from typing import Any

from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.pod.manifest import Manifest
from imagebuild_operator.status.events import Event


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Create a pod, unless it exists already."""

    manifest: Manifest

    @property
    def name(self) -> str:
        """The name of the pod."""
        name: str = self.manifest["metadata"]["name"]
        return name


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Delete the pod of this uid, and no other of its name."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about a build, in this order: create pods, write the status, record Events, delete pods.

    The write comes before the deletion, so that a crash between the two loses nothing.
    """

    create: tuple[CreatePod, ...] = ()
    status: dict[str, Any] | None = None
    events: tuple[Event, ...] = ()
    delete: tuple[DeletePod, ...] = ()
    #: Seconds after which to requeue the build if nothing happens before.
    requeue_after: float | None = None


def deletion(pod: PodFacts) -> DeletePod:
    """The deletion of a pod."""
    return DeletePod(pod.name, pod.uid)
