"""What is compared: an ImageBuild, and what else makes a pod of a declared object."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from functional.kube import spec

Json = dict[str, Any]
_CONTAINER: Final = {"name": "main", "image": "registry.example.com/image:1", "command": ["true"]}


@dataclass(frozen=True)
class Kind:
    """A kind of object for which somebody makes a pod.

    Attributes:
        name: What tables call it.
        group: Group and version, empty for the core.
        plural: In URLs.
        body: The least object of that name that a person would write.
        finished: Whether an object says that all is done.
    """

    name: str
    group: str
    plural: str
    body: Callable[[str], Json]
    finished: Callable[[Json], bool]

    def path(self, namespace: str) -> str:
        """The collection of a namespace."""
        base = f"/apis/{self.group}" if self.group else "/api/v1"
        return f"{base}/namespaces/{namespace}/{self.plural}"


def _has(condition: str) -> Callable[[Json], bool]:
    def check(body: Json) -> bool:
        conditions = body.get("status", {}).get("conditions") or ()
        return any(each["type"] == condition and each["status"] == "True" for each in conditions)

    return check


def _object(group: str, kind: str, spec_of: Callable[[], Json]) -> Callable[[str], Json]:
    return lambda name: {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec_of()}


POD: Final = Kind(
    "pod created directly",
    "",
    "pods",
    _object("v1", "Pod", lambda: {"restartPolicy": "Never", "containers": [_CONTAINER]}),
    lambda body: body.get("status", {}).get("phase") == "Succeeded",
)
JOB: Final = Kind(
    "Job",
    "batch/v1",
    "jobs",
    _object(
        "batch/v1",
        "Job",
        lambda: {"template": {"spec": {"restartPolicy": "Never", "containers": [_CONTAINER]}}},
    ),
    _has("Complete"),
)
TASK_RUN: Final = Kind(
    "Tekton TaskRun",
    "tekton.dev/v1",
    "taskruns",
    _object("tekton.dev/v1", "TaskRun", lambda: {"timeout": "1h0m0s", "taskSpec": {"steps": [_CONTAINER]}}),
    _has("Succeeded"),
)
IMAGE_BUILD: Final = Kind(
    "ImageBuild",
    "imagebuild.dev/v1alpha1",
    "imagebuilds",
    _object("imagebuild.dev/v1alpha1", "ImageBuild", spec),
    _has("Finished"),
)
