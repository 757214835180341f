"""Names that the API, the pods and the chart agree on."""

from typing import Final

GROUP: Final = "imagebuild.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "ImageBuild"
PLURAL: Final = "imagebuilds"
DEFAULTS_KIND: Final = "ImageBuildDefaults"
DEFAULTS_PLURAL: Final = "imagebuilddefaults"
CLUSTER_DEFAULTS_KIND: Final = "ClusterImageBuildDefaults"
CLUSTER_DEFAULTS_PLURAL: Final = "clusterimagebuilddefaults"
#: The only name that an ImageBuildDefaults or ClusterImageBuildDefaults can have.
DEFAULTS_NAME: Final = "default"

OPERATOR: Final = "imagebuild-operator"

#: Label of a build pod: the uid of the ImageBuild that owns it. A name would
#: not do: names go to 253 characters, label values to 63.
BUILD_UID_LABEL: Final = f"{GROUP}/build-uid"
#: Label of a pod that builds for one of several platforms: the platform, with - for /.
PLATFORM_LABEL: Final = f"{GROUP}/platform"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
#: What the watch of pods asks the API server for.
POD_SELECTOR: Final = f"{MANAGED_BY_LABEL}={OPERATOR},{BUILD_UID_LABEL}"

#: Annotation of an ImageBuild: the `traceparent` of whoever made it.
TRACEPARENT_ANNOTATION: Final = f"{GROUP}/traceparent"

#: Label that hands a pod to a queue of Kueue: https://kueue.sigs.k8s.io/docs/tasks/run/plain_pods/
QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"

#: The containers of a build pod.
CHECK: Final = "check"
BUILD: Final = "build"
PUSH: Final = "push"
#: The only container of the pod that pushes the index of several platforms.
INDEX: Final = "index"
