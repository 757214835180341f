"""The container that waits for an uploaded context, and the command that sends it."""

from typing import Any, Final

from imagebuild_vocabulary.names import UPLOAD, WAITS_FOR_CONTEXT

from imagebuild_operator.api.sources import Source, UploadSource
from imagebuild_operator.pod.env import plain
from imagebuild_operator.pod.source import SOURCE_PATH
from imagebuild_operator.pod.unprivileged import RESULTS, UNPRIVILEGED

#: The builder image's program, which also receives the upload.
SHIM: Final = "/kaniko/.Shim/bin/kaniko-shim"


def upload_request(source: Source, namespace: str, pod: str, attempt: int = 1) -> str:
    """The message of a build that waits for its context, with the command that sends a directory DIR.

    A build that takes only one archive gets the command that sends a file.

    Args:
        source: The source of the context.
        namespace: The namespace of the build.
        pod: The name of its pod.
        attempt: The number of its attempt; each has its own pod, so that the context is needed again.
    """
    again = f" again, for attempt {attempt}" if attempt > 1 else ""
    receiver = f"kubectl exec -i -n {namespace} {pod} -c {UPLOAD} -- {SHIM} send"
    if isinstance(source, UploadSource) and source.sha256:
        return f"{WAITS_FOR_CONTEXT} Send the archive with SHA-256 {source.sha256}{again}: {receiver} <ARCHIVE"
    command = f"tar -cz -C DIR . | {receiver}"
    return f"{WAITS_FOR_CONTEXT} Send the directory DIR{again}: {command}"


def upload_containers(source: Source, image: dict[str, Any], resources: dict[str, Any]) -> list[dict[str, Any]]:
    """The container that waits for the context, if that is uploaded. It has no credentials.

    Args:
        source: The source of the context.
        image: The fields of the builder image.
        resources: Its resources.
    """
    if not isinstance(source, UploadSource):
        return []
    return [
        {
            "name": UPLOAD,
            **image,
            "args": ["receive"],
            "env": [
                *plain("UPLOAD_DEADLINE_SECONDS", str(source.timeout_seconds)),
                *plain("UPLOAD_MAX_BYTES", str(source.max_bytes)),
                *plain("UPLOAD_SHA256", source.sha256),
            ],
            "resources": resources,
            "securityContext": dict(UNPRIVILEGED),
            "volumeMounts": [{"name": "source", "mountPath": SOURCE_PATH}],
            **RESULTS,
        }
    ]
