"""The manifest of a build pod.

Its containers keep the push credentials out of reach of RUN steps. `check` asks the registries whether the image can be
pushed, and ends before any command of the Dockerfile runs. `build` has the pull credentials, runs the Dockerfile and
writes an OCI layout. `scan`, if the defaults ask for it, lets no image with vulnerabilities pass. `push` runs no
command of the Dockerfile; it verifies the layout and pushes it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from imagebuild_vocabulary.image_names import registry_of
from imagebuild_vocabulary.names import (
    API_VERSION,
    BUILD,
    BUILD_LABEL,
    BUILD_UID_LABEL,
    CHECK,
    ENGINE_LABEL,
    KIND,
    MANAGED_BY_LABEL,
    OPERATOR,
    PLATFORM_LABEL,
    PUSH,
    QUEUE_LABEL,
)

from imagebuild_operator.api.build import BuildSpec, Engine, ImageBuild, Platform, PlatformNodes, Registry
from imagebuild_operator.api.traceparent import parent, span_id, trace_of
from imagebuild_operator.defaults.merge import merge_registries, merge_resources
from imagebuild_operator.pod.attestation import attestation_variables, with_token
from imagebuild_operator.pod.corroborate import away_from_first, corroborating_variables, first_spec, is_first
from imagebuild_operator.pod.engine import engine_of, with_buildkit
from imagebuild_operator.pod.env import Variable, of_proxy, of_template, plain
from imagebuild_operator.pod.memory import memory_scale, with_memory
from imagebuild_operator.pod.resources import DISK, push_resources
from imagebuild_operator.pod.scan import passed_mounts, passed_variables, scan_containers, scan_volumes
from imagebuild_operator.pod.source import SOURCE_PATH, context_volume
from imagebuild_operator.pod.unprivileged import (
    KEPT_FILES,
    OWN_SHM,
    RESULTS,
    RUN_PATH,
    RUN_VOLUME,
    UNPRIVILEGED,
    image_fields,
)
from imagebuild_operator.pod.upload import upload_containers
from imagebuild_operator.pod.variables import (
    BASE_IMAGES_PATH,
    CACHES_PATH,
    LAYOUT_PATH,
    build_variables,
    check_variables,
    push_variables,
)
from imagebuild_operator.settings import BuildDefaults

Manifest = dict[str, Any]

#: A pod's name becomes its host name, which Linux limits to 64 bytes.
MAX_NAME_LENGTH: Final = 63
#: Characters of a label value; a longer name is cut.
MAX_LABEL_LENGTH: Final = 63

#: Keeps service meshes from preventing the end of a build pod, autoscalers from evicting it, and the webhooks of EKS
#: and Azure Workload Identity from giving the identity of its ServiceAccount to the Dockerfile's commands.
ANNOTATIONS: Final = {
    "azure.workload.identity/skip-containers": BUILD,
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
    "eks.amazonaws.com/skip-containers": BUILD,
    "linkerd.io/inject": "disabled",
    "sidecar.istio.io/inject": "false",
}


def pod_name(build: ImageBuild, attempt: int = 1) -> str:
    """The name of a build's pod. It is the same for the same attempt, so that creating it twice makes one pod."""
    part = f"{build.platform}/" if build.platform else ""
    digest = hashlib.sha256(f"{build.uid}/{part}{attempt}".encode()).hexdigest()[:8]
    stem = build.name.replace(".", "-")[: MAX_NAME_LENGTH - len(digest) - 1].rstrip("-")
    return f"{stem}-{digest}"


def build_label(name: str) -> str:
    """The label value for the name of a build: its first 63 characters, without a dot or hyphen at the end."""
    return name[:MAX_LABEL_LENGTH].rstrip(".-")


def build_pod(build: ImageBuild, spec: BuildSpec, defaults: BuildDefaults, seconds: int | None = None) -> Manifest:
    """The manifest of the pod for the next attempt at a build.

    Args:
        build: The build, or one of its platforms.
        spec: Its spec.
        defaults: Settings of the operator for all build pods.
        seconds: Time limit of the pod: what earlier attempts left of the timeout. Default: the whole timeout.

    Raises:
        InvalidSpecError: the spec does not fit into environment variables.
    """
    engine = engine_of(spec, defaults, build.attempts)
    if engine is Engine.BUILDKIT:
        defaults = replace(defaults, builder_image=defaults.buildkit.image)
    platform = build.platform or (spec.platforms[0] if len(spec.platforms) == 1 else None)
    labels = {
        ENGINE_LABEL: str(engine),
        **({PLATFORM_LABEL: build.platform.label} if build.platform else {}),
        **({QUEUE_LABEL: spec.queue_name} if spec.queue_name else {}),
    }
    attesting = [*attestation_variables(build, spec, defaults), *corroborating_variables(build, spec)]
    checks_push = spec.push
    if is_first(build, spec):
        spec, attesting = first_spec(spec), corroborating_variables(build, spec)
    pod_spec = {
        **pod_shell(spec, defaults, seconds or spec.timeout_seconds),
        **_containers(
            spec, defaults, memory_scale(spec.retry, build.attempts), platform, attesting, checks_push=checks_push
        ),
    }
    pod_spec = away_from_first(build, spec, with_token(pod_spec, spec))
    if engine is Engine.BUILDKIT:
        pod_spec = with_buildkit(pod_spec, spec, defaults)
    if platform is not None and spec.platform_nodes is PlatformNodes.NATIVE:
        native = {"kubernetes.io/os": platform.os, "kubernetes.io/arch": platform.architecture}
        pod_spec["nodeSelector"] = {**pod_spec.get("nodeSelector", {}), **native}
    return pod_manifest(build, spec, BUILD, traced(build, defaults, pod_spec), labels)


def pod_manifest(
    build: ImageBuild, spec: BuildSpec, component: str, pod_spec: Manifest, labels: Mapping[str, str]
) -> Manifest:
    """A pod of a build.

    Args:
        build: The build, or one of its platforms.
        spec: Its spec.
        component: The pod's component label, and its default container for kubectl.
        pod_spec: The spec of the pod.
        labels: Additional labels.
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
                "app.kubernetes.io/component": component,
                MANAGED_BY_LABEL: OPERATOR,
                BUILD_LABEL: build_label(build.name),
                BUILD_UID_LABEL: build.uid,
                **labels,
                "sidecar.istio.io/inject": "false",
            },
            "annotations": {
                **ANNOTATIONS,
                "kubectl.kubernetes.io/default-container": component,
                **template.annotations,
            },
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
        "spec": pod_spec,
    }


def traced(build: ImageBuild, defaults: BuildDefaults, pod_spec: Manifest) -> Manifest:
    """Add the trace context to each container if the operator exports traces, or the build names its caller's trace."""
    if parent(build) is None and not defaults.traced:
        return pod_spec
    path = ("platform", str(build.platform)) if build.platform else ()
    context = replace(trace_of(build), span_id=span_id(build, *path, f"{build.attempt}"))
    variable = {"name": "TRACEPARENT", "value": str(context)}
    containers: Manifest = {
        kind: [{**container, "env": [*container["env"], variable]} for container in pod_spec[kind]]
        for kind in ("initContainers", "containers")
        if kind in pod_spec
    }
    return {**pod_spec, **containers}


def pod_shell(spec: BuildSpec, defaults: BuildDefaults, seconds: int) -> Manifest:
    """The fields that the specs of all pods have in addition to their containers."""
    return {
        **_placement(spec.pod_template.spec, defaults),
        "restartPolicy": "Never",
        "activeDeadlineSeconds": seconds,
        "terminationGracePeriodSeconds": 30,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
    }


def proxy_variables(spec: BuildSpec, defaults: BuildDefaults) -> list[Variable]:
    """The proxy variables of all containers: the build's proxy, or else that of the operator's settings."""
    return of_proxy(defaults.proxy if spec.proxy is None else spec.proxy)


def _containers(
    spec: BuildSpec,
    defaults: BuildDefaults,
    scale: float,
    platform: Platform | None,
    attesting: Sequence[Variable],
    *,
    checks_push: bool,
) -> Manifest:
    registries = merge_registries(spec.registries, defaults.registries, lambda registry: registry)
    proxies = proxy_variables(spec, defaults)
    image = image_fields(defaults)
    source, caches = context_volume(spec.source), spec.cache.mounts_claim
    bases = spec.cache.base_images_claim if spec.cache.enabled else None
    resources = with_memory(merge_resources(spec.pod_template.resources, defaults.resources), scale)
    has_check = checks_push and (defaults.check_push or trusts_names(spec.images, registries))
    small = push_resources((resources.get("limits") or {}).get(DISK))
    return {
        "initContainers": [
            *(
                [
                    {
                        "name": CHECK,
                        **image,
                        "args": [CHECK],
                        "env": [*check_variables(spec, registries), *proxies],
                        "resources": small,
                        "securityContext": dict(UNPRIVILEGED),
                        "volumeMounts": [{"name": "run", "mountPath": RUN_PATH}],
                        **RESULTS,
                    }
                ]
                if has_check
                else []
            ),
            *upload_containers(spec.source, image, small),
            {
                "name": BUILD,
                **image,
                "args": [BUILD],
                "env": [
                    # Later entries win: the template cannot replace the builder's own.
                    *of_template(spec.pod_template.env),
                    *build_variables(spec, registries, platform),
                    *proxies,
                    *plain("RUN_PROXY", "true" if proxies else None),
                ],
                "resources": resources,
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
                    *([{"name": "caches", "mountPath": CACHES_PATH}] if caches else []),
                    *([{"name": "bases", "mountPath": BASE_IMAGES_PATH, "readOnly": True}] if bases else []),
                ],
                **RESULTS,
            },
            *scan_containers(spec, image, resources),
        ],
        "containers": [
            {
                "name": PUSH,
                **image,
                "args": [PUSH],
                "env": [*push_variables(spec, registries), *passed_variables(spec), *attesting, *proxies],
                "resources": small,
                "securityContext": dict(UNPRIVILEGED),
                "volumeMounts": [
                    {"name": "layout", "mountPath": LAYOUT_PATH, "readOnly": True},
                    {"name": "run", "mountPath": RUN_PATH},
                    dict(OWN_SHM),
                    *(map(dict, KEPT_FILES) if has_check else ()),
                    *passed_mounts(spec),
                ],
                **RESULTS,
            }
        ],
        "volumes": [
            {"name": "layout", "emptyDir": {}},
            dict(RUN_VOLUME),
            *([{"name": "source", **source}] if source else []),
            *scan_volumes(spec),
            *([{"name": "caches", "persistentVolumeClaim": {"claimName": caches}}] if caches else []),
            *([{"name": "bases", "persistentVolumeClaim": {"claimName": bases, "readOnly": True}}] if bases else []),
        ],
    }


def trusts_names(images: Iterable[str], registries: Iterable[Registry]) -> bool:
    """Whether a push relies on DNS: where no certificate is verified, or plain HTTP is the fallback for a local name.

    Then `check` runs in any case, since it keeps the resolver configuration from before the build.

    Args:
        images: What is pushed.
        registries: How registries are reached.
    """
    loose = (registry.host for registry in registries if registry.plain_http or registry.skip_tls_verify)
    unverified = {registry_of(f"{host}/image") for host in loose}
    hosts = {registry_of(image) for image in images}
    names = {host.partition(":")[0].rstrip(".").lower() for host in hosts}
    return not hosts.isdisjoint(unverified) or any(name.endswith((".local", ".localhost")) for name in names)


def _placement(asked: Mapping[str, Any], defaults: BuildDefaults) -> Manifest:
    """The fields about where the pod runs: the build's, completed with the operator's settings."""
    own = [secret["name"] for secret in asked.get("imagePullSecrets") or ()]
    merged: Manifest = {
        "nodeSelector": dict(defaults.node_selector),
        "tolerations": [dict(toleration) for toleration in defaults.tolerations],
        **asked,
        # The operator selects the builder image, so its Secrets are always needed.
        "imagePullSecrets": [{"name": name} for name in dict.fromkeys((*own, *defaults.image_pull_secrets))],
    }
    return {name: value for name, value in merged.items() if value or value is False}
