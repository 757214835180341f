"""Every reason that a build can wait or fail for.

A reason is the CamelCase word in `status.reason`, in conditions and in Events. The builder image reports some of them
in its termination message; the operator finds the others in the pod.
"""

from enum import StrEnum

from imagebuild_operator.api.reason_rows import ROWS, Row


class Reason(StrEnum):
    """Every reason that a build can wait, fail, or end without an image of its own for."""

    INVALID_SPEC = "InvalidSpec"
    SOURCE_NOT_FOUND = "SourceNotFound"
    SOURCE_UNAUTHORIZED = "SourceUnauthorized"
    SOURCE_CHECKSUM_MISMATCH = "SourceChecksumMismatch"
    SOURCE_TOO_LARGE = "SourceTooLarge"
    SOURCE_INVALID = "SourceInvalid"
    AWAITING_UPLOAD = "AwaitingUpload"
    UPLOAD_TIMEOUT = "UploadTimeout"
    SOURCE_CHANGED = "SourceChanged"
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
    CANCELLED = "Cancelled"
    SUPERSEDED = "Superseded"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    WAIT_TIMEOUT = "WaitTimeout"
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a reason, not a secret
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    SERVICE_ACCOUNT_NOT_FOUND = "ServiceAccountNotFound"
    POD_REJECTED = "PodRejected"

    SOURCE_UNAVAILABLE = "SourceUnavailable"
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"
    RATE_LIMITED = "RateLimited"
    UNCHANGED = "Unchanged"
    SUSPENDED = "Suspended"
    GROUP_BUSY = "GroupBusy"
    DEFAULTS_INVALID = "DefaultsInvalid"
    CLUSTER_LIMIT = "ClusterLimit"
    NAMESPACE_LIMIT = "NamespaceLimit"
    QUOTA_EXCEEDED = "QuotaExceeded"
    DEFAULTS_UNREADABLE = "DefaultsUnreadable"
    GATED = "Gated"
    POD_NOT_CREATED = "PodNotCreated"
    UNSCHEDULABLE = "Unschedulable"
    POD_NOT_STARTED = "PodNotStarted"
    BUILDER_IMAGE_PULL_FAILED = "BuilderImagePullFailed"
    EVICTED = "Evicted"
    NODE_LOST = "NodeLost"
    POD_DELETED = "PodDeleted"
    ENGINE_UNAVAILABLE = "EngineUnavailable"
    SIGNING_FAILED = "SigningFailed"
    VULNERABILITIES_FOUND = "VulnerabilitiesFound"
    SCAN_FAILED = "ScanFailed"
    NOT_REPRODUCIBLE = "NotReproducible"
    DISK_FULL = "DiskFull"
    OUT_OF_MEMORY = "OutOfMemory"
    INTERNAL = "Internal"

    @property
    def row(self) -> Row:
        """This reason's row in the table."""
        return ROWS[self]


#: By the string in a status.
REASONS: dict[object, Reason] = {str(reason): reason for reason in Reason}
#: What the termination message of a container may name. The other reasons come from Kubernetes and the operator alone:
#: a RUN that forges a report must not pass for a disruption, which is retried in addition to the limit.
REPORTED: frozenset[Reason] = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.SOURCE_NOT_FOUND,
        Reason.SOURCE_UNAUTHORIZED,
        Reason.SOURCE_CHECKSUM_MISMATCH,
        Reason.SOURCE_TOO_LARGE,
        Reason.SOURCE_INVALID,
        Reason.SOURCE_UNAVAILABLE,
        Reason.UPLOAD_TIMEOUT,
        Reason.DOCKERFILE_NOT_FOUND,
        Reason.DOCKERFILE_INVALID,
        Reason.DOCKERFILE_UNSUPPORTED,
        Reason.RUN_COMMAND_FAILED,
        Reason.COPY_FAILED,
        Reason.TARGET_NOT_FOUND,
        Reason.BASE_IMAGE_NOT_FOUND,
        Reason.BASE_IMAGE_UNAUTHORIZED,
        Reason.REGISTRY_UNAUTHORIZED,
        Reason.PUSH_REJECTED,
        Reason.REGISTRY_TLS,
        Reason.REGISTRY_UNAVAILABLE,
        Reason.RATE_LIMITED,
        Reason.DISK_FULL,
        Reason.ENGINE_UNAVAILABLE,
        Reason.SIGNING_FAILED,
        Reason.VULNERABILITIES_FOUND,
        Reason.SCAN_FAILED,
        Reason.NOT_REPRODUCIBLE,
        Reason.OUT_OF_MEMORY,
        Reason.INTERNAL,
        Reason.CANCELLED,
    }
)
