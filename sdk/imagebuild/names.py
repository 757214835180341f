"""Names of the API."""

from typing import Final

GROUP: Final = "imagebuild.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "ImageBuild"
PLURAL: Final = "imagebuilds"

#: Path of the builds of a namespace.
BUILDS_PATH: Final = f"/apis/{GROUP}/{VERSION}/namespaces/{{}}/{PLURAL}"

#: The containers of build pods; others are sidecars that the cluster adds.
CONTAINERS: Final = ("check", "build", "push", "index")

#: Container that waits for the upload of a build, the command in it, and the reason of a build that waits.
UPLOAD_CONTAINER: Final = "upload"
SEND: Final = ("/kaniko/.Shim/bin/kaniko-shim", "send")
AWAITING_UPLOAD: Final = "AwaitingUpload"

#: Label of a build pod: the uid of its ImageBuild.
BUILD_UID_LABEL: Final = f"{GROUP}/build-uid"
#: Label of a pod that builds one platform of a multi-platform image: the platform, with - for /.
PLATFORM_LABEL: Final = f"{GROUP}/platform"
