"""Names of the API, of build pods, and of what is in them."""

from typing import Final

GROUP: Final = "imagebuild.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "ImageBuild"
PLURAL: Final = "imagebuilds"
PODS: Final = "pods"
DEFAULTS_KIND: Final = "ImageBuildDefaults"
DEFAULTS_PLURAL: Final = "imagebuilddefaults"
CLUSTER_DEFAULTS_KIND: Final = "ClusterImageBuildDefaults"
CLUSTER_DEFAULTS_PLURAL: Final = "clusterimagebuilddefaults"
#: The only name that an ImageBuildDefaults or ClusterImageBuildDefaults can have.
DEFAULTS_NAME: Final = "default"

TRACKED_KIND: Final = "TrackedImage"
TRACKED_PLURAL: Final = "trackedimages"

OPERATOR: Final = "imagebuild-operator"

#: Label of a build pod: the name of its ImageBuild, for kubectl logs -l imagebuild.dev/build=NAME. A name longer than
#: the 63 characters of a label value is cut, so it may not be unique.
BUILD_LABEL: Final = f"{GROUP}/build"
#: Label of a build pod: the uid of its ImageBuild.
BUILD_UID_LABEL: Final = f"{GROUP}/build-uid"
#: Label of a pod that builds one platform of a multi-platform build: the platform, with - for /.
PLATFORM_LABEL: Final = f"{GROUP}/platform"
#: Of a build pod: what it builds with, `Kaniko` or `BuildKit`.
ENGINE_LABEL: Final = f"{GROUP}/engine"
#: Of a build pod with engine Auto that is made for Kaniko: why BuildKit can't run there.
ENGINE_ANNOTATION: Final = f"{GROUP}/engine-unavailable"
#: Of an ImageBuild: the TrackedImage that it was made for, its number there, and the hash of what it was made from.
TRACKED_LABEL: Final = f"{GROUP}/tracked-image"
NUMBER_LABEL: Final = f"{GROUP}/number"
INPUTS_LABEL: Final = f"{GROUP}/inputs-hash"
#: Of the same: what it was made from, and why, as JSON.
INPUTS_ANNOTATION: Final = f"{GROUP}/inputs"
#: Of a TrackedImage: any new value starts a build.
REQUESTED_ANNOTATION: Final = f"{GROUP}/requested-at"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
#: Label selector of the watch of pods.
POD_SELECTOR: Final = f"{MANAGED_BY_LABEL}={OPERATOR},{BUILD_UID_LABEL}"

#: Annotation of an ImageBuild: the `traceparent` of its creator.
TRACEPARENT_ANNOTATION: Final = f"{GROUP}/traceparent"

#: Label that submits a pod to a Kueue queue: https://kueue.sigs.k8s.io/docs/tasks/run/plain_pods/
QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"

#: The pod that looks at the remotes of the TrackedImages of a namespace, and its container.
WATCHER: Final = "imagebuild-watcher"
WATCH: Final = "watch"

#: The containers of a build pod.
CHECK: Final = "check"
#: Only in the pod of a build whose context is uploaded.
UPLOAD: Final = "upload"
#: How the message of a build begins that waits for it; the command that sends it follows.
WAITS_FOR_CONTEXT: Final = "Waiting for the build context."
BUILD: Final = "build"
#: Only in the pod of a build whose image is scanned for vulnerabilities.
SCAN: Final = "scan"
PUSH: Final = "push"
#: The only container of the pod that pushes the index of a multi-platform image.
INDEX: Final = "index"
#: Those in which there is a log of a build; others are sidecars that the cluster adds.
CONTAINERS: Final = (CHECK, BUILD, SCAN, PUSH, INDEX)

#: The audience of the tokens by which the signer of the cluster knows the pods that push, and where those have them.
SIGNER_AUDIENCE: Final = "imagebuild-signer"
SIGNER_TOKEN: Final = "/var/run/secrets/imagebuild-signer/token"  # noqa: S105 - a file

#: The audience of the tokens that Fulcio certifies keys for, and where the container that pushes has its own.
KEYLESS_AUDIENCE: Final = "sigstore"
KEYLESS_TOKEN: Final = "/var/run/secrets/sigstore/token"  # noqa: S105 - a file

#: Starts the reception of an upload in its container.
SEND: Final = ("/kaniko/.Shim/bin/kaniko-shim", "send")
