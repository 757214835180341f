"""Why a job ended: the one table of reasons and exit codes."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The enumerated causes that a result names."""

    INVALID_SPEC = "InvalidSpec"
    SOURCE_NOT_FOUND = "SourceNotFound"
    SOURCE_UNAUTHORIZED = "SourceUnauthorized"
    SOURCE_CHECKSUM_MISMATCH = "SourceChecksumMismatch"
    SOURCE_TOO_LARGE = "SourceTooLarge"
    SOURCE_INVALID = "SourceInvalid"
    SOURCE_UNAVAILABLE = "SourceUnavailable"
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
    INTERNAL = "Internal"
    CANCELLED = "Cancelled"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        exit_code: what the container exits with; a failing RUN's own code and a
            signal's 128+n take precedence over it.
        cause: what happened, for the documentation.
        hint: what to do about it, when the failure itself says nothing better.
    """

    exit_code: int
    cause: str
    hint: str


TABLE: dict[Reason, Row] = {
    Reason.INVALID_SPEC: Row(
        2,
        "A variable is missing, malformed or contradicts another one.",
        "Correct the named variables; nothing was fetched or built.",
    ),
    Reason.SOURCE_NOT_FOUND: Row(
        64,
        "The context's URL, directory, branch or sub-directory does not exist.",
        "Check SOURCE_GET_URL and CONTEXT_SUB_PATH.",
    ),
    Reason.SOURCE_UNAUTHORIZED: Row(
        65,
        "The server of the context refused access (401 or 403).",
        "Give SOURCE_USERNAME and SOURCE_PASSWORD, or a URL that is still valid.",
    ),
    Reason.SOURCE_CHECKSUM_MISMATCH: Row(
        66,
        "The fetched archive is not the one that SOURCE_SHA256 names.",
        "Update SOURCE_SHA256 if the archive was changed on purpose.",
    ),
    Reason.SOURCE_TOO_LARGE: Row(
        67,
        "The context holds more bytes or entries than allowed.",
        "Leave out what the build does not need, or raise SOURCE_MAX_BYTES or SOURCE_MAX_ENTRIES.",
    ),
    Reason.SOURCE_INVALID: Row(
        68,
        "The context is no archive that can be read, is damaged, or holds an unsafe entry.",
        "Make the archive anew with tar or zip from inside the context's directory.",
    ),
    Reason.SOURCE_UNAVAILABLE: Row(
        69,
        "The server of the context did not answer, or answered with an error of its own.",
        "Try again; check that the builder can reach the server.",
    ),
    Reason.DOCKERFILE_NOT_FOUND: Row(
        70,
        "The context has no such Dockerfile.",
        "Set DOCKERFILE_PATH, relative to the context (and to CONTEXT_SUB_PATH if set).",
    ),
    Reason.DOCKERFILE_INVALID: Row(
        71,
        "The Dockerfile can't be parsed.",
        "Correct the named line.",
    ),
    Reason.DOCKERFILE_UNSUPPORTED: Row(
        72,
        "The Dockerfile uses syntax that this executor would silently ignore.",
        "Write the instruction without it, or use a builder image whose executor knows it.",
    ),
    Reason.COPY_FAILED: Row(
        73,
        "The source of a COPY or ADD is not there, or can't be put in its place.",
        "Check the path, .dockerignore, and that the file is part of the context.",
    ),
    Reason.TARGET_NOT_FOUND: Row(
        74,
        "TARGET names no stage of the Dockerfile.",
        "Set TARGET to the name of a stage, or leave it empty for the last one.",
    ),
    Reason.BASE_IMAGE_NOT_FOUND: Row(
        75,
        "An image that FROM or COPY --from names does not exist in its registry.",
        "Check its name, its tag and REGISTRY_MIRRORS or REGISTRY_MAP.",
    ),
    Reason.BASE_IMAGE_UNAUTHORIZED: Row(
        76,
        "The registry refused to hand out an image that FROM or COPY --from names.",
        "Add credentials for that registry to DOCKER_CONFIG_JSON; on Docker Hub also check the name.",
    ),
    Reason.REGISTRY_UNAUTHORIZED: Row(
        77,
        "The registry refused the push for want of (valid) credentials.",
        "Add credentials that may push to that repository to DOCKER_CONFIG_JSON.",
    ),
    Reason.PUSH_REJECTED: Row(
        78,
        "The registry understood the push and refused it.",
        "Check the repository's name, its quota and whether its tags may be overwritten.",
    ),
    Reason.REGISTRY_TLS: Row(
        79,
        "The registry's certificate is not trusted, or it speaks plain HTTP.",
        "Set REGISTRY_CA or SKIP_TLS_VERIFY_REGISTRIES (untrusted certificate) or INSECURE_REGISTRIES (plain HTTP).",
    ),
    Reason.REGISTRY_UNAVAILABLE: Row(
        80,
        "The registry can't be reached, or answered with an error of its own.",
        "Try again; check the registry's name and the network.",
    ),
    Reason.RATE_LIMITED: Row(
        81,
        "A registry answered: too many requests.",
        "Wait, log in to the registry, or set REGISTRY_MIRRORS.",
    ),
    Reason.DISK_FULL: Row(
        82,
        "No space was left on the builder's disk.",
        "Give the builder more ephemeral storage, or make the image smaller.",
    ),
    Reason.OUT_OF_MEMORY: Row(
        83,
        "The executor was killed for want of memory.",
        "Give the builder more memory.",
    ),
    Reason.INTERNAL: Row(
        84,
        "Something that should not happen.",
        "Report it with the log.",
    ),
    Reason.RUN_COMMAND_FAILED: Row(
        1,
        "A command of the Dockerfile's RUN failed.",
        "Look at the last lines of the log.",
    ),
    Reason.CANCELLED: Row(
        143,
        "The builder was told to stop.",
        "Start the build again if that was not meant.",
    ),
}
