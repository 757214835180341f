"""The manifest of the pod that pushes the index of a multi-platform image.

It runs when the image of each platform is in the registry, under its digest only. It has the push credentials, and runs
no command of the Dockerfile.
"""

from typing import Any, Final

from imagebuild_vocabulary.names import INDEX

from imagebuild_operator.api.build import BuildSpec, ImageBuild
from imagebuild_operator.defaults.merge import merge_registries
from imagebuild_operator.pod.attestation import attestation_variables, with_token
from imagebuild_operator.pod.manifest import Manifest, pod_manifest, pod_shell, proxy_variables, traced
from imagebuild_operator.pod.resources import push_resources
from imagebuild_operator.pod.unprivileged import RESULTS, RUN_PATH, RUN_VOLUME, UNPRIVILEGED, image_fields
from imagebuild_operator.pod.variables import index_variables
from imagebuild_operator.settings import BuildDefaults

#: Limit of ephemeral storage; the container writes only its log.
LOG_DISK: Final = "256Mi"


def index_pod(build: ImageBuild, spec: BuildSpec, defaults: BuildDefaults, seconds: int) -> Manifest:
    """The manifest of the pod for the next attempt at the index.

    Args:
        build: The build, all of whose platforms are recorded as built.
        spec: Its spec.
        defaults: Settings of the operator for all build pods.
        seconds: Time limit of the pod.
    """
    registries = merge_registries(spec.registries, defaults.registries, lambda registry: registry)
    digests: dict[str, str] = {entry["platform"]: entry["digest"] for entry in build.status["platforms"]}
    container: dict[str, Any] = {
        "name": INDEX,
        **image_fields(defaults),
        "args": [INDEX],
        "env": [
            *index_variables(spec, registries, digests),
            *attestation_variables(build, spec, defaults, sbom=False),
            *proxy_variables(spec, defaults),
        ],
        "resources": push_resources(LOG_DISK),
        "securityContext": dict(UNPRIVILEGED),
        "volumeMounts": [{"name": "run", "mountPath": RUN_PATH}],
        **RESULTS,
    }
    shell = pod_shell(spec, defaults, seconds)
    pod_spec = with_token({**shell, "containers": [container], "volumes": [dict(RUN_VOLUME)]}, spec)
    # Without the queue label: the pod is small, and the build was admitted long ago.
    return pod_manifest(build, spec, INDEX, traced(build, defaults, pod_spec), {})
