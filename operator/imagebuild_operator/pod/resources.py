"""Resources of the containers that run no command of the Dockerfile."""

from typing import Any, Final

PUSH_RESOURCES: Final = {"requests": {"cpu": "50m", "memory": "64Mi"}}
DISK: Final = "ephemeral-storage"


def push_resources(disk: object) -> dict[str, Any]:
    """Resources of a container that writes only its log.

    The kubelet compares the highest ephemeral-storage limit of a pod's containers with everything the pod has written.
    A limit here that the build container lacks would thus limit the image layout.

    Args:
        disk: The build container's limit of ephemeral storage; None for none.
    """
    if disk is None:
        return dict(PUSH_RESOURCES)
    # Without its own request, the limit would be reserved again.
    return {"requests": {**PUSH_RESOURCES["requests"], DISK: "0"}, "limits": {DISK: disk}}
