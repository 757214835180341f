"""What the containers that run no command of the Dockerfile have in common."""

from typing import Any, Final

from imagebuild_operator.settings import BuildDefaults

#: Their directory for Docker config and CA bundles, in memory; nothing else is writable there.
RUN_PATH: Final = "/kaniko/.run"
#: Any user except root; the layout is readable by all.
PUSH_UID: Final = 65532
UNPRIVILEGED: Final = {
    "runAsUser": PUSH_UID,
    "runAsGroup": PUSH_UID,
    "runAsNonRoot": True,
    "privileged": False,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
RESULTS: Final = {
    "terminationMessagePath": "/dev/termination-log",
    # If the shim was killed before it could report, the end of its log says what it was doing.
    "terminationMessagePolicy": "FallbackToLogsOnError",
}
RUN_VOLUME: Final = {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}
#: In the place of the pod's own /dev/shm, which is the same directory in all containers.
OWN_SHM: Final = {"name": "run", "mountPath": "/dev/shm", "subPath": "shm"}  # noqa: S108 - a mount, not a file
#: Files as `check` has kept them. The pod's own are the same, writable files in all containers, so a RUN step could
#: make `push` ask a DNS server of the Dockerfile's author.
KEPT_FILES: Final = tuple(
    {"name": "run", "mountPath": f"/etc/{name}", "subPath": name, "readOnly": True}
    for name in ("resolv.conf", "hostname")
)


def image_fields(defaults: BuildDefaults) -> dict[str, Any]:
    """The image of every container."""
    return {"image": defaults.builder_image, "imagePullPolicy": defaults.builder_pull_policy}
