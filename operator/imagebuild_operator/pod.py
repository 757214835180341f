"""The manifest of a build pod.

Several containers, so that no RUN instruction can reach the credentials for pushing: `build` is an init container
with the credentials for pulling, and leaves the image as an OCI layout; `push` runs no command of the user's, checks
the layout and pushes it. Before them `check` asks the registries whether they would take the image; it is over before
any command of the user's runs.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from imagebuild_operator.context import SOURCE_PATH, context_volume
from imagebuild_operator.errors import InvalidSpecError
from imagebuild_operator.merge import merge_registries, merge_resources
from imagebuild_operator.model import BuildSpec, ImageBuild
from imagebuild_operator.names import (
    API_VERSION,
    BUILD,
    BUILD_UID_LABEL,
    CHECK,
    KIND,
    MANAGED_BY_LABEL,
    OPERATOR,
    PUSH,
    QUEUE_LABEL,
)
from imagebuild_operator.quantity import multiply
from imagebuild_operator.retry import memory_scale
from imagebuild_operator.settings import BuildDefaults
from imagebuild_operator.variables import LAYOUT_PATH, build_variables, check_variables, push_variables

Manifest = dict[str, Any]

#: Where the shims of `check` and `push` keep Docker config and authorities: memory, and all that they can write to.
RUN_PATH: Final = "/kaniko/.run"
#: Any user but root; the layout is readable by all.
PUSH_UID: Final = 65532
#: A pod's name becomes its host name, which Linux cuts at 64 bytes.
MAX_NAME_LENGTH: Final = 63

#: Meshes and autoscalers that would keep a build pod from ending, or end it early.
ANNOTATIONS: Final = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "kubectl.kubernetes.io/default-container": BUILD,
    "linkerd.io/inject": "disabled",
    "sidecar.istio.io/inject": "false",
}
UNPRIVILEGED: Final = {
    "runAsUser": PUSH_UID,
    "runAsGroup": PUSH_UID,
    "runAsNonRoot": True,
    "privileged": False,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
PUSH_RESOURCES: Final = {"requests": {"cpu": "50m", "memory": "64Mi"}}


def pod_name(build: ImageBuild, attempt: int = 1) -> str:
    """The name of a build's pod: the same for the same attempt, so that creating it twice makes one."""
    digest = hashlib.sha256(f"{build.uid}/{attempt}".encode()).hexdigest()[:8]
    stem = build.name.replace(".", "-")[: MAX_NAME_LENGTH - len(digest) - 1].rstrip("-")
    return f"{stem}-{digest}"


def build_pod(build: ImageBuild, spec: BuildSpec, defaults: BuildDefaults, seconds: int | None = None) -> Manifest:
    """The whole manifest of the pod for the next attempt at a build.

    Args:
        build: The build.
        spec: Its spec.
        defaults: What the operator adds to every pod.
        seconds: How long the pod may run: what earlier attempts have left of the timeout, by default all of it.

    Raises:
        InvalidSpecError: the spec can't be put into variables.
    """
    template = spec.pod_template
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(build, build.attempt),
            "namespace": build.namespace,
            "labels": {
                **template.labels,
                "app.kubernetes.io/name": "imagebuild",
                "app.kubernetes.io/component": "build",
                MANAGED_BY_LABEL: OPERATOR,
                BUILD_UID_LABEL: build.uid,
                **({QUEUE_LABEL: spec.queue_name} if spec.queue_name else {}),
                "sidecar.istio.io/inject": "false",
            },
            "annotations": {**ANNOTATIONS, **template.annotations},
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "name": build.name,
                    "uid": build.uid,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": _pod_spec(spec, defaults, seconds or spec.timeout_seconds, memory_scale(spec.retry, build.attempts)),
    }


def _pod_spec(spec: BuildSpec, defaults: BuildDefaults, seconds: int, scale: float) -> Manifest:
    registries = merge_registries(spec.registries, defaults.registries, lambda registry: registry)
    image = {"image": defaults.builder_image, "imagePullPolicy": defaults.builder_pull_policy}
    results = {
        "terminationMessagePath": "/dev/termination-log",
        # Where the shim was killed before it could report, the end of its log says what it was doing.
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    source = context_volume(spec.source)
    return {
        **_placement(spec.pod_template.spec, defaults),
        "restartPolicy": "Never",
        "activeDeadlineSeconds": seconds,
        "terminationGracePeriodSeconds": 30,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [
            *(
                [
                    {
                        "name": CHECK,
                        **image,
                        "args": [CHECK],
                        "env": check_variables(spec, registries),
                        "resources": dict(PUSH_RESOURCES),
                        "securityContext": dict(UNPRIVILEGED),
                        "volumeMounts": [{"name": "run", "mountPath": RUN_PATH}],
                        **results,
                    }
                ]
                if spec.push and defaults.check_push
                else []
            ),
            {
                "name": BUILD,
                **image,
                "args": [BUILD],
                "env": build_variables(spec, registries),
                "resources": _with_memory(merge_resources(spec.pod_template.resources, defaults.resources), scale),
                "securityContext": {
                    "runAsUser": 0,
                    "runAsNonRoot": False,
                    "privileged": False,
                    "allowPrivilegeEscalation": defaults.allow_privilege_escalation,
                    "capabilities": {"drop": ["ALL"], "add": list(defaults.capabilities)},
                },
                "volumeMounts": [
                    {"name": "layout", "mountPath": LAYOUT_PATH},
                    *([{"name": "source", "mountPath": SOURCE_PATH, "readOnly": True}] if source else []),
                ],
                **results,
            },
        ],
        "containers": [
            {
                "name": PUSH,
                **image,
                "args": [PUSH],
                "env": push_variables(spec, registries),
                "resources": dict(PUSH_RESOURCES),
                "securityContext": dict(UNPRIVILEGED),
                "volumeMounts": [
                    {"name": "layout", "mountPath": LAYOUT_PATH, "readOnly": True},
                    {"name": "run", "mountPath": RUN_PATH},
                ],
                **results,
            }
        ],
        "volumes": [
            {"name": "layout", "emptyDir": {}},
            {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}},
            *([{"name": "source", **source}] if source else []),
        ],
    }


def _with_memory(resources: Mapping[str, Any], scale: float) -> Manifest:
    """Resources with request and limit of memory multiplied.

    Raises:
        InvalidSpecError: the memory is no quantity.
    """
    if scale == 1.0:
        return dict(resources)
    try:
        return _multiplied(resources, scale)
    except ValueError as error:
        raise InvalidSpecError("spec.podTemplate.spec.resources", f"memory can't be multiplied: {error}") from error


def _multiplied(resources: Mapping[str, Any], scale: float) -> Manifest:
    return {
        kind: {
            name: multiply(quantity, scale) if name == "memory" else quantity for name, quantity in quantities.items()
        }
        for kind, quantities in resources.items()
    }


def _placement(asked: Mapping[str, Any], defaults: BuildDefaults) -> Manifest:
    """Where the pod runs: the build's own words, and the defaults for what it leaves out."""
    own = [secret["name"] for secret in asked.get("imagePullSecrets") or ()]
    merged: Manifest = {
        "nodeSelector": dict(defaults.node_selector),
        "tolerations": [dict(toleration) for toleration in defaults.tolerations],
        **asked,
        # The builder image is the operator's choice, so its Secrets are needed in any case.
        "imagePullSecrets": [{"name": name} for name in dict.fromkeys((*own, *defaults.image_pull_secrets))],
    }
    return {name: value for name, value in merged.items() if value or value is False}
