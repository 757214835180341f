"""The manifest of the pod that pushes the index of several platforms, when all of them are built.

The image of each platform is in the registry by then, under its digest alone. The pod runs no command of the user's;
it has the credentials for pushing, and nothing else of the build.
"""

from typing import Any, Final

from imagebuild_operator.api.build import BuildSpec, ImageBuild
from imagebuild_operator.api.names import INDEX
from imagebuild_operator.defaults.merge import merge_registries
from imagebuild_operator.pod.attestation import attesting_variables
from imagebuild_operator.pod.manifest import (
    RESULTS,
    RUN_PATH,
    RUN_VOLUME,
    UNPRIVILEGED,
    Manifest,
    image_fields,
    pod_manifest,
    pod_shell,
    proxy_variables,
    traced,
)
from imagebuild_operator.pod.resources import push_resources
from imagebuild_operator.pod.variables import index_variables
from imagebuild_operator.settings import BuildDefaults

#: The container writes its log, and nothing else to the disk.
LOG_DISK: Final = "256Mi"


def index_pod(build: ImageBuild, spec: BuildSpec, defaults: BuildDefaults, seconds: int) -> Manifest:
    """The whole manifest of the pod for the next attempt at the index.

    Args:
        build: The build, all of whose platforms are recorded as built.
        spec: Its spec.
        defaults: What the operator adds to every pod.
        seconds: How long the pod may run.
    """
    registries = merge_registries(spec.registries, defaults.registries, lambda registry: registry)
    digests: dict[str, str] = {entry["platform"]: entry["digest"] for entry in build.status["platforms"]}
    container: dict[str, Any] = {
        "name": INDEX,
        **image_fields(defaults),
        "args": [INDEX],
        "env": [
            *index_variables(spec, registries, digests),
            *attesting_variables(build, spec, defaults.builder_image, sbom=False),
            *proxy_variables(spec, defaults),
        ],
        "resources": push_resources(LOG_DISK),
        "securityContext": dict(UNPRIVILEGED),
        "volumeMounts": [{"name": "run", "mountPath": RUN_PATH}],
        **RESULTS,
    }
    pod_spec = {**pod_shell(spec, defaults, seconds), "containers": [container], "volumes": [dict(RUN_VOLUME)]}
    # Without the label of a queue: it is small, and the build's turn has come long ago.
    return pod_manifest(build, spec, INDEX, traced(build, defaults, pod_spec), {})
