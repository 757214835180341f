"""Resources of the containers that run no command of the Dockerfile."""

from typing import Any, Final

#: What comes from a registry, a layout or a sender is bounded; should a bound be missing, the node is not at risk.
PUSH_RESOURCES: Final = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
DISK: Final = "ephemeral-storage"


def push_resources(disk: object) -> dict[str, Any]:
    """Resources of a container that writes only its log.

    The kubelet compares the highest ephemeral-storage limit of a pod's containers with everything the pod has written.
    A limit here that the build container lacks would thus limit the image layout.

    Args:
        disk: The build container's limit of ephemeral storage; None for none.
    """
    if disk is None:
        return {kind: dict(amounts) for kind, amounts in PUSH_RESOURCES.items()}
    # Without its own request, the limit would be reserved again.
    return {"requests": {**PUSH_RESOURCES["requests"], DISK: "0"}, "limits": {**PUSH_RESOURCES["limits"], DISK: disk}}
