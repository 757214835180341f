"""The table of reasons why a job failed, with their exit codes."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The reasons that a result names."""

    INVALID_SPEC = "InvalidSpec"
    SOURCE_NOT_FOUND = "SourceNotFound"
    SOURCE_UNAUTHORIZED = "SourceUnauthorized"
    SOURCE_CHECKSUM_MISMATCH = "SourceChecksumMismatch"
    SOURCE_TOO_LARGE = "SourceTooLarge"
    SOURCE_INVALID = "SourceInvalid"
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    UPLOAD_TIMEOUT = "UploadTimeout"
    DOCKERFILE_NOT_FOUND = "DockerfileNotFound"
    DOCKERFILE_INVALID = "DockerfileInvalid"
    DOCKERFILE_UNSUPPORTED = "DockerfileUnsupported"
    RUN_COMMAND_FAILED = "RunCommandFailed"
    COPY_FAILED = "CopyFailed"
    TARGET_NOT_FOUND = "TargetNotFound"
    BASE_IMAGE_NOT_FOUND = "BaseImageNotFound"
    BASE_IMAGE_UNAUTHORIZED = "BaseImageUnauthorized"
    REGISTRY_UNAUTHORIZED = "RegistryUnauthorized"
    PUSH_REJECTED = "PushRejected"
    REGISTRY_TLS = "RegistryTLS"
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"
    RATE_LIMITED = "RateLimited"
    DISK_FULL = "DiskFull"
    OUT_OF_MEMORY = "OutOfMemory"
    ENGINE_UNAVAILABLE = "EngineUnavailable"
    SIGNING_FAILED = "SigningFailed"
    VULNERABILITIES_FOUND = "VulnerabilitiesFound"
    SCAN_FAILED = "ScanFailed"
    NOT_REPRODUCIBLE = "NotReproducible"
    INTERNAL = "Internal"
    CANCELLED = "Cancelled"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        exit_code: exit code of the container, unless the failure has its own: that of a RUN, or a signal's 128+n.
        cause: what happened, for the documentation.
        hint: what to do next, unless the failure itself has a better hint.
    """

    exit_code: int
    cause: str
    hint: str


TABLE: dict[Reason, Row] = {
    Reason.INVALID_SPEC: Row(
        2,
        "A variable is missing, malformed, or contradicts another, or the container does not allow the job.",
        "Correct what the message names. Nothing was fetched or built.",
    ),
    Reason.SOURCE_NOT_FOUND: Row(
        64,
        "The URL, directory, branch or subdirectory of the build context does not exist.",
        "Check SOURCE_GET_URL and CONTEXT_SUB_PATH.",
    ),
    Reason.SOURCE_UNAUTHORIZED: Row(
        65,
        "The server of the build context denied access (401 or 403).",
        "Set SOURCE_USERNAME and SOURCE_PASSWORD, or use a URL that is still valid.",
    ),
    Reason.SOURCE_CHECKSUM_MISMATCH: Row(
        66,
        "The SHA-256 of the fetched archive differs from SOURCE_SHA256.",
        "Update SOURCE_SHA256 if the archive was changed on purpose.",
    ),
    Reason.SOURCE_TOO_LARGE: Row(
        67,
        "The build context has more bytes or entries than allowed.",
        "Remove from it what the build does not need, or raise SOURCE_MAX_BYTES or SOURCE_MAX_ENTRIES.",
    ),
    Reason.SOURCE_INVALID: Row(
        68,
        "The build context is not a readable archive, is damaged, or contains an unsafe entry.",
        "Create the archive again with tar or zip, from inside the context's directory.",
    ),
    Reason.SOURCE_UNAVAILABLE: Row(
        69,
        "The server of the build context did not answer, or answered with a server error.",
        "Retry; check that the builder can reach the server.",
    ),
    Reason.UPLOAD_TIMEOUT: Row(
        85,
        "No complete upload of the build context arrived within UPLOAD_DEADLINE_SECONDS.",
        "Send the context sooner, or raise UPLOAD_DEADLINE_SECONDS.",
    ),
    Reason.DOCKERFILE_NOT_FOUND: Row(
        70,
        "The build context has no such Dockerfile.",
        "Set DOCKERFILE_PATH, relative to the build context (to CONTEXT_SUB_PATH, if set).",
    ),
    Reason.DOCKERFILE_INVALID: Row(
        71,
        "The Dockerfile can't be parsed.",
        "Correct the line that the message names.",
    ),
    Reason.DOCKERFILE_UNSUPPORTED: Row(
        72,
        "The Dockerfile uses syntax that this executor would silently ignore.",
        "Rewrite the instruction without it, or use a builder image whose executor supports it.",
    ),
    Reason.COPY_FAILED: Row(
        73,
        "The source of a COPY or ADD does not exist, or can't be written to its destination.",
        "Check the path, .dockerignore, and that the file is in the build context.",
    ),
    Reason.TARGET_NOT_FOUND: Row(
        74,
        "The Dockerfile has no stage with the name in TARGET.",
        "Set TARGET to the name of a stage, or leave it empty for the last stage.",
    ),
    Reason.BASE_IMAGE_NOT_FOUND: Row(
        75,
        "An image named in FROM or COPY --from does not exist in its registry.",
        "Check its name and tag, and REGISTRY_MIRRORS and REGISTRY_MAP.",
    ),
    Reason.BASE_IMAGE_UNAUTHORIZED: Row(
        76,
        "The registry of an image named in FROM or COPY --from denied access.",
        "Add credentials for that registry to DOCKER_CONFIG_JSON; on Docker Hub, also check the name.",
    ),
    Reason.REGISTRY_UNAUTHORIZED: Row(
        77,
        "The registry denied the push: its credentials are missing, not valid, or not sufficient.",
        "Add credentials that can push to that repository to DOCKER_CONFIG_JSON.",
    ),
    Reason.PUSH_REJECTED: Row(
        78,
        "The registry accepted the credentials but rejected the image.",
        "Check the repository's name, its quota, and whether its tags can be overwritten.",
    ),
    Reason.REGISTRY_TLS: Row(
        79,
        "The registry's certificate is not trusted, or the registry uses plain HTTP.",
        "Set REGISTRY_CA or SKIP_TLS_VERIFY_REGISTRIES (certificate), or INSECURE_REGISTRIES (plain HTTP).",
    ),
    Reason.REGISTRY_UNAVAILABLE: Row(
        80,
        "The registry did not answer, or answered with a server error.",
        "Retry; check the registry's name and the network.",
    ),
    Reason.RATE_LIMITED: Row(
        81,
        "A registry answered: too many requests.",
        "Wait, add pull credentials to DOCKER_CONFIG_JSON, or set REGISTRY_MIRRORS.",
    ),
    Reason.DISK_FULL: Row(
        82,
        "The builder's disk is full.",
        "Give the builder more ephemeral storage, or make the image smaller.",
    ),
    Reason.OUT_OF_MEMORY: Row(
        83,
        "The kernel killed the executor or a RUN step because it ran out of memory.",
        "Give the builder more memory.",
    ),
    Reason.ENGINE_UNAVAILABLE: Row(
        86,
        "BuildKit can't run in this container: the node, or the container's settings, do not let it.",
        "Change what the message names, or use the engine Kaniko.",
    ),
    Reason.SIGNING_FAILED: Row(
        87,
        "What signs could not be reached, or refused to sign. The image was pushed, without its signature.",
        "Look at the log of the service that the message names.",
    ),
    Reason.VULNERABILITIES_FOUND: Row(
        88,
        "The image has vulnerabilities that keep it from being pushed.",
        "Update the packages or the base image, or add exceptions to SCAN_IGNORE or SCAN_OPENVEX.",
    ),
    Reason.SCAN_FAILED: Row(
        89,
        "The image could not be scanned for vulnerabilities, so it was not pushed.",
        "Look at the scanner's log; check its image and its database.",
    ),
    Reason.NOT_REPRODUCIBLE: Row(
        90,
        "Two builds of the image have not made the same, so it was not pushed.",
        "Make the files that the message names the same in each build: fix versions, sort what is listed, leave times "
        "and random values out.",
    ),
    Reason.INTERNAL: Row(
        84,
        "The shim or the executor failed unexpectedly.",
        "Report it, with the log.",
    ),
    Reason.RUN_COMMAND_FAILED: Row(
        1,
        "A RUN instruction failed.",
        "Look at the last lines of the log.",
    ),
    Reason.CANCELLED: Row(
        143,
        "A signal stopped the builder.",
        "Start the build again if this was not intended.",
    ),
}
