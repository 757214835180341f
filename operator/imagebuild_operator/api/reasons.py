"""The one table of reasons: why a build waits or has failed, and what to do about it.

A reason is the CamelCase word in `status.reason`, in the conditions and in Events. The builder image reports a
subset of them in its result; the rest is seen by the operator in the pod.
"""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Who can mend it: the author of the build, or whoever runs the cluster and the registries."""

    USER = "user"
    INFRASTRUCTURE = "infrastructure"


class Retry(StrEnum):
    """Whether a build whose attempt ended for a reason is tried again."""

    #: It would end the same way, or the build has waited until its deadline.
    NEVER = "never"
    #: Up to `spec.retry.limit` times.
    LIMITED = "within retry.limit"
    #: As `LIMITED`, but only where `spec.retry.memoryFactor` says how much more memory to give.
    MORE_MEMORY = "within retry.limit, with retry.memoryFactor"
    #: The cluster took the pod away: no fault of the build's, so that it does not use up the limit.
    DISRUPTION = "up to 10 times, beside retry.limit"


@dataclass(frozen=True, slots=True)
class Row:
    """One reason's row: whose it is, what it means, what to do next, and whether the operator tries again itself."""

    cause: Cause
    meaning: str
    advice: str
    retry: Retry = Retry.NEVER


class Reason(StrEnum):
    """Every reason a build can wait or fail for."""

    INVALID_SPEC = "InvalidSpec"
    SOURCE_NOT_FOUND = "SourceNotFound"
    SOURCE_UNAUTHORIZED = "SourceUnauthorized"
    SOURCE_CHECKSUM_MISMATCH = "SourceChecksumMismatch"
    SOURCE_TOO_LARGE = "SourceTooLarge"
    SOURCE_INVALID = "SourceInvalid"
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
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a reason, not a secret
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    SERVICE_ACCOUNT_NOT_FOUND = "ServiceAccountNotFound"
    POD_REJECTED = "PodRejected"

    SOURCE_UNAVAILABLE = "SourceUnavailable"
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"
    RATE_LIMITED = "RateLimited"
    SUSPENDED = "Suspended"
    GROUP_BUSY = "GroupBusy"
    CLUSTER_LIMIT = "ClusterLimit"
    NAMESPACE_LIMIT = "NamespaceLimit"
    QUOTA_EXCEEDED = "QuotaExceeded"
    GATED = "Gated"
    POD_NOT_CREATED = "PodNotCreated"
    UNSCHEDULABLE = "Unschedulable"
    POD_NOT_STARTED = "PodNotStarted"
    BUILDER_IMAGE_PULL_FAILED = "BuilderImagePullFailed"
    EVICTED = "Evicted"
    NODE_LOST = "NodeLost"
    POD_DELETED = "PodDeleted"
    DISK_FULL = "DiskFull"
    OUT_OF_MEMORY = "OutOfMemory"
    INTERNAL = "Internal"

    @property
    def row(self) -> Row:
        """This reason's row in the table."""
        return TABLE[self]


def _user(meaning: str, advice: str) -> Row:
    return Row(Cause.USER, meaning, advice)


def _infrastructure(meaning: str, advice: str, retry: Retry = Retry.LIMITED) -> Row:
    return Row(Cause.INFRASTRUCTURE, meaning, advice, retry)


TABLE: dict[Reason, Row] = {
    Reason.INVALID_SPEC: _user(
        "A field of the spec, or a variable made from it, has a value that can't work.",
        "Correct the field that the message names and create a new ImageBuild.",
    ),
    Reason.SOURCE_NOT_FOUND: _user(
        "The build context, its revision or its sub-directory does not exist.",
        "Check the address, the revision and contextDir.",
    ),
    Reason.SOURCE_UNAUTHORIZED: _user(
        "The server of the build context refused access.",
        "Name a Secret of type kubernetes.io/basic-auth in the source's secretRef, or correct the one named.",
    ),
    Reason.SOURCE_CHECKSUM_MISMATCH: _user(
        "The fetched archive is not the one that sha256 names.",
        "Check that the archive was not replaced, then correct sha256.",
    ),
    Reason.SOURCE_TOO_LARGE: _user(
        "The build context has more bytes or entries than allowed.",
        "Leave out of the context what the Dockerfile does not copy.",
    ),
    Reason.SOURCE_INVALID: _user(
        "The build context is not a readable archive, or holds an entry that would leave its directory.",
        "Make the archive anew with tar or zip, from inside the context's directory.",
    ),
    Reason.SOURCE_CHANGED: _user(
        "The branch or tag moved while the platforms were being built, so that they are not of the same source.",
        "Name a commit in source.git.revision, or create the build again.",
    ),
    Reason.DOCKERFILE_NOT_FOUND: _user(
        "There is no Dockerfile at the path given.",
        "Set dockerfile.path, relative to the context, or give the text in dockerfile.inline.",
    ),
    Reason.DOCKERFILE_INVALID: _user("The Dockerfile can't be parsed.", "Correct the line that the message names."),
    Reason.DOCKERFILE_UNSUPPORTED: _user(
        "The Dockerfile uses a feature that the executor would leave out without a word.",
        "Write the instruction that the message names in a form that the executor knows.",
    ),
    Reason.RUN_COMMAND_FAILED: _user(
        "A RUN instruction ended with a non-zero exit code.",
        "Read failure.logTail; the command is in failure.instruction.",
    ),
    Reason.COPY_FAILED: _user(
        "A COPY or ADD instruction found no source.",
        "Check the path against the context, contextDir and .dockerignore.",
    ),
    Reason.TARGET_NOT_FOUND: _user(
        "The Dockerfile has no stage of that name.", "Set target to a stage that the Dockerfile names."
    ),
    Reason.BASE_IMAGE_NOT_FOUND: _user(
        "An image named in FROM or COPY --from does not exist.", "Check its name and tag, and the mirrors."
    ),
    Reason.BASE_IMAGE_UNAUTHORIZED: _user(
        "The registry of a base image refused access.",
        "Name a Secret of type kubernetes.io/dockerconfigjson in spec.pullSecretRefs.",
    ),
    Reason.REGISTRY_UNAUTHORIZED: _user(
        "The registry of an output refused access.",
        "Name a Secret of type kubernetes.io/dockerconfigjson in spec.output.pushSecretRef.",
    ),
    Reason.PUSH_REJECTED: _user(
        "The registry took the credentials but not the image.",
        "Read the registry's answer in the message: immutable tags, quotas and missing projects are common.",
    ),
    Reason.REGISTRY_TLS: _user(
        "The certificate of a registry can't be verified, or the registry speaks plain HTTP.",
        "Set skipTLSVerify (certificate) or insecure (plain HTTP) for that host in spec.registries.",
    ),
    Reason.CANCELLED: _user("The build was stopped before it ended.", "Create a new ImageBuild to try again."),
    Reason.SUPERSEDED: _user(
        "A newer build of its concurrency group, with policy Latest or LatestCancelRunning, superseded the build.",
        "Look at the newer build.",
    ),
    Reason.DEADLINE_EXCEEDED: _user(
        "The build took longer than timeoutSeconds.",
        "Read failure.logTail for what it was doing, then raise timeoutSeconds or make the build shorter.",
    ),
    Reason.SECRET_NOT_FOUND: _user(
        "A Secret, or a key of it, that the build names does not exist. The build waits for it.",
        "Create the Secret in the namespace of the build; it goes on by itself.",
    ),
    Reason.CONFIG_MAP_NOT_FOUND: _user(
        "A ConfigMap, or a key of it, that the build names does not exist. The build waits for it.",
        "Create the ConfigMap in the namespace of the build; it goes on by itself.",
    ),
    Reason.SERVICE_ACCOUNT_NOT_FOUND: _user(
        "The ServiceAccount that the build pod would run as does not exist. The build waits for it.",
        "Create it in the namespace of the build, or correct podTemplate.spec.serviceAccountName of a new ImageBuild.",
    ),
    Reason.POD_REJECTED: _user(
        "The API server refused the build pod: an admission policy or PodSecurity forbids it.",
        "Build pods need PodSecurity level baseline; read the policy's message.",
    ),
    Reason.SUSPENDED: _user(
        "The build has been told not to begin yet. It waits.", "Set spec.suspend to false; it goes on by itself."
    ),
    Reason.GROUP_BUSY: _user(
        "Another build of its concurrency group is running, or is older and waiting; its policy makes it wait.",
        "Wait; it goes on by itself.",
    ),
    Reason.CLUSTER_LIMIT: _infrastructure(
        "The cluster runs as many builds as the operator's settings allow. The build waits for its turn.",
        "Wait, or raise admission.maxRunning of the operator's chart.",
        Retry.NEVER,
    ),
    Reason.NAMESPACE_LIMIT: _infrastructure(
        "The namespace runs as many builds as the operator's settings allow. The build waits for its turn.",
        "Wait for other builds of the namespace, or have its limit raised in its ImageBuildDefaults or in the chart.",
        Retry.NEVER,
    ),
    Reason.SOURCE_UNAVAILABLE: _infrastructure(
        "The server of the build context did not answer, or failed.", "Create the build again later."
    ),
    Reason.REGISTRY_UNAVAILABLE: _infrastructure(
        "A registry did not answer, or failed.",
        "Check that the cluster reaches the registry, then create the build again.",
    ),
    Reason.RATE_LIMITED: _infrastructure(
        "A registry limits how often images may be pulled.",
        "Add pull credentials, or a mirror in spec.registries.",
    ),
    Reason.QUOTA_EXCEEDED: _infrastructure(
        "A ResourceQuota of the namespace has no room for the build pod. The build waits.",
        "Wait for other builds to end, or raise the quota.",
        Retry.NEVER,
    ),
    Reason.POD_NOT_CREATED: _infrastructure(
        "The API server can't take the build pod, for a cause that is not the build's: an admission webhook does not "
        "answer, the namespace is being deleted, or the operator lacks the right. The build waits.",
        "Mend what the message names; it goes on by itself.",
        Retry.NEVER,
    ),
    Reason.GATED: _infrastructure(
        "A scheduling gate holds the build pod, such as Kueue's while its queue has no room. The build waits.",
        "Look at the queue that spec.queueName names.",
        Retry.NEVER,
    ),
    Reason.UNSCHEDULABLE: _infrastructure(
        "No node has room for the build pod, or none fits its constraints. The build waits.",
        "Lower podTemplate.spec.resources, or correct nodeSelector, affinity and tolerations.",
        Retry.NEVER,
    ),
    Reason.BUILDER_IMAGE_PULL_FAILED: _infrastructure(
        "The node can't pull the builder image.",
        "Check builder.image and builder.imagePullSecrets of the operator's chart.",
    ),
    Reason.POD_NOT_STARTED: _infrastructure(
        "The node can't start the build pod: its container runtime, its network or a volume fails, or it has no room.",
        "Read the node's words in the message, and look at the node and the volume that it names.",
    ),
    Reason.EVICTED: _infrastructure(
        "The node evicted the build pod, or another pod preempted it.",
        "Give the build what it uses in podTemplate.spec.resources, ephemeral-storage included.",
        Retry.DISRUPTION,
    ),
    Reason.NODE_LOST: _infrastructure(
        "The node of the build pod was lost.", "Create the build again.", Retry.DISRUPTION
    ),
    Reason.POD_DELETED: _infrastructure(
        "The build pod was deleted while it ran.", "Create the build again.", Retry.DISRUPTION
    ),
    Reason.DISK_FULL: _infrastructure(
        "The build used up the disk of its node, or more than its own limit of ephemeral-storage.",
        "Raise the ephemeral-storage limit in podTemplate.spec.resources.",
    ),
    Reason.OUT_OF_MEMORY: _infrastructure(
        "The build used up the memory it had.",
        "Raise the memory limit in podTemplate.spec.resources, or set retry.memoryFactor.",
        Retry.MORE_MEMORY,
    ),
    Reason.INTERNAL: _infrastructure(
        "Something that should not happen did.",
        "Read failure.logTail and the operator's log; please report it.",
    ),
}

#: By the word that a status has for it.
REASONS: dict[object, Reason] = {str(reason): reason for reason in Reason}
#: What a container may say of itself. The others are Kubernetes' and the operator's words: a RUN that forges a report
#: must not pass for a pod that the cluster took away, which is built again beside the limit.
REPORTED: frozenset[Reason] = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.SOURCE_NOT_FOUND,
        Reason.SOURCE_UNAUTHORIZED,
        Reason.SOURCE_CHECKSUM_MISMATCH,
        Reason.SOURCE_TOO_LARGE,
        Reason.SOURCE_INVALID,
        Reason.SOURCE_UNAVAILABLE,
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
        Reason.OUT_OF_MEMORY,
        Reason.INTERNAL,
        Reason.CANCELLED,
    }
)
