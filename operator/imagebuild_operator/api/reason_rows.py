"""The table of reasons: what each means, what to do next, and whether the operator retries."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """Who can fix it: the author of the build, or the operators of the cluster and the registries."""

    USER = "user"
    INFRASTRUCTURE = "infrastructure"


class Retry(StrEnum):
    """Whether the operator retries a build whose attempt ended for a reason."""

    #: A retry would end the same way, or the build is at its deadline.
    NEVER = "never"
    #: Up to `spec.retry.limit` times.
    LIMITED = "within retry.limit"
    #: Like `LIMITED`, but only if `spec.retry.memoryPercent` says how much more memory to give.
    MORE_MEMORY = "within retry.limit, with retry.memoryPercent"
    #: At once, with Kaniko, if the engine is Auto.
    OTHER_ENGINE = "with engine Auto: once, with Kaniko, in addition to retry.limit"
    #: The cluster removed the pod. The build is not at fault, so the retry does not count towards the limit.
    DISRUPTION = "up to 10 times, in addition to retry.limit"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        cause: Who can fix it.
        meaning: What happened, as one or two sentences.
        advice: What to do next, as one sentence; ends the message of a failed build. Empty if no build fails for this
            reason.
        retry: Whether the operator retries.
        waiting: What to do while a build waits, as one sentence; ends the message of a waiting build. Empty if there is
            nothing to do, or no build waits for this reason.
    """

    cause: Cause
    meaning: str
    advice: str
    retry: Retry = Retry.NEVER
    waiting: str = ""


#: How to build again what has failed. The spec of an ImageBuild is immutable, so `kubectl apply` does not.
AGAIN: Final = "build again with kubectl replace --force -f FILE"


def _user(meaning: str, advice: str, *, waiting: str = "") -> Row:
    return Row(Cause.USER, meaning, advice, waiting=waiting)


def _infrastructure(meaning: str, advice: str, retry: Retry = Retry.LIMITED, *, waiting: str = "") -> Row:
    return Row(Cause.INFRASTRUCTURE, meaning, advice, retry, waiting)


#: By reason, in the order of the documentation. `Reason` has one member for each.
ROWS: Final[Mapping[str, Row]] = {
    "InvalidSpec": _user(
        "A field of the spec, or a variable made from it, has a value that can't work.",
        f"Correct the field that the message names and {AGAIN}.",
    ),
    "SourceNotFound": _user(
        "The build context, its revision or its subdirectory does not exist.",
        "Check the URL, the revision and contextDir.",
    ),
    "SourceUnauthorized": _user(
        "The server of the build context denied access.",
        "Name a Secret of type kubernetes.io/basic-auth in the source's secretRef, or correct the one named.",
    ),
    "SourceChecksumMismatch": _user(
        "The SHA-256 of the fetched archive differs from sha256.",
        "Check that the archive was not replaced, then correct sha256.",
    ),
    "SourceTooLarge": _user(
        "The build context has more bytes or entries than allowed.",
        "Remove from the context what the Dockerfile does not copy.",
    ),
    "SourceInvalid": _user(
        "The build context is not a readable archive, or an entry points outside the context's directory.",
        "Create the archive again with tar or zip, from inside the context's directory.",
    ),
    "AwaitingUpload": _user(
        "The build pod waits for its context (source.upload).",
        "",
    ),
    "UploadTimeout": _user(
        "No complete upload of the build context arrived in time.",
        f"{AGAIN[0].upper()}{AGAIN[1:]}, then send the context within source.upload.timeoutSeconds.",
    ),
    "SourceChanged": _user(
        "The branch or tag moved during the build, so the platforms were built from different commits.",
        "Name a commit in source.git.revision, or create the build again.",
    ),
    "DockerfileNotFound": _user(
        "There is no Dockerfile at the given path.",
        "Set dockerfile.path, relative to the context, or write the Dockerfile in dockerfile.inline.",
    ),
    "DockerfileInvalid": _user("The Dockerfile can't be parsed.", "Correct the line that the message names."),
    "DockerfileUnsupported": _user(
        "The Dockerfile uses a feature that the executor would silently ignore.",
        "Rewrite the instruction that the message names in a form that the executor supports.",
    ),
    "RunCommandFailed": _user(
        "A RUN instruction exited with a non-zero code.",
        "The end of the log (failure.logTail) has the output of the command.",
    ),
    "CopyFailed": _user(
        "A COPY or ADD instruction found no source.",
        "Check the path against the context, contextDir and .dockerignore.",
    ),
    "TargetNotFound": _user(
        "The Dockerfile has no stage with the name in target.", "Set target to the name of a stage in the Dockerfile."
    ),
    "BaseImageNotFound": _user(
        "An image named in FROM or COPY --from does not exist.", "Check its name and tag, and the mirrors."
    ),
    "BaseImageUnauthorized": _user(
        "The registry of a base image denied access.",
        "Name a Secret of type kubernetes.io/dockerconfigjson in spec.pullSecretRefs.",
    ),
    "RegistryUnauthorized": _user(
        "The registry of an output denied access.",
        "Name a Secret of type kubernetes.io/dockerconfigjson in spec.output.pushSecretRef.",
    ),
    "PushRejected": _user(
        "The registry accepted the credentials but rejected the image.",
        "Read the registry's answer in the message: immutable tags, quotas and missing projects are common.",
    ),
    "RegistryTLS": _user(
        "The certificate of a registry can't be verified, or the registry speaks plain HTTP.",
        "Set insecureSkipTLSVerify (certificate) or plainHTTP for that host in spec.registries.",
    ),
    "Cancelled": _user(
        "The build was cancelled before it finished.",
        "To build again, run kubectl replace --force -f FILE, without cancel: true.",
    ),
    "Superseded": _user(
        "A newer build of its concurrency group, with policy Latest or LatestCancelRunning, superseded the build.",
        "Look at the newer build.",
    ),
    "DeadlineExceeded": _user(
        "The build took longer than timeoutSeconds.",
        "The end of the log (failure.logTail) shows what it was doing. Raise timeoutSeconds, or make it shorter.",
    ),
    "WaitTimeout": _user(
        "The build waited for a pod longer than admission.waitSeconds of the operator's chart.",
        f"Remove the cause that the message names, then {AGAIN}.",
    ),
    "SecretNotFound": _user(
        "A Secret that the build names, or a key of it, does not exist.",
        f"Create the Secret in the build's namespace, with the key that the build uses, then {AGAIN}.",
        waiting="Create the Secret in the build's namespace, with the key that the build uses; the build continues "
        "automatically.",
    ),
    "ConfigMapNotFound": _user(
        "A ConfigMap that the build names, or a key of it, does not exist.",
        f"Create the ConfigMap in the build's namespace, with the key that the build uses, then {AGAIN}.",
        waiting="Create the ConfigMap in the build's namespace, with the key that the build uses; the build continues "
        "automatically.",
    ),
    "ServiceAccountNotFound": _user(
        "The ServiceAccount of the build pod does not exist.",
        "Create the ServiceAccount in the build's namespace, or correct podTemplate.spec.serviceAccountName, then "
        f"{AGAIN}.",
        waiting="Create the ServiceAccount in the build's namespace; the build continues automatically.",
    ),
    "PodRejected": _user(
        "The API server rejected the build pod: an admission policy or PodSecurity forbids it.",
        "Build pods need PodSecurity level baseline; read the policy's message.",
    ),
    "Unchanged": _user(
        "The build succeeded without building: the registry had an image of the same inputs (output.skipIfUnchanged).",
        "",
    ),
    "Suspended": _user(
        "The build is suspended (spec.suspend: true).",
        "",
        waiting="Set spec.suspend to false to start the build.",
    ),
    "GroupBusy": _user(
        "Another build of its concurrency group is running, or is older and waiting; its policy makes it wait.",
        "",
    ),
    "DefaultsInvalid": _infrastructure(
        "The ImageBuildDefaults of the namespace or the ClusterImageBuildDefaults is invalid, so its limits can't be "
        "applied.",
        "",
        Retry.NEVER,
        waiting="Correct the object; the build continues automatically.",
    ),
    "ClusterLimit": _infrastructure(
        "The cluster runs its limit of builds (admission.maxRunning of the operator's chart).",
        "",
        Retry.NEVER,
    ),
    "NamespaceLimit": _infrastructure(
        "The namespace runs its limit of builds (limits.maxRunning of its ImageBuildDefaults, or admission of the "
        "operator's chart).",
        "",
        Retry.NEVER,
    ),
    "SourceUnavailable": _infrastructure(
        "The server of the build context did not answer, or answered with a server error.",
        "Create the build again later.",
    ),
    "RegistryUnavailable": _infrastructure(
        "A registry did not answer, or answered with a server error.",
        "Check that the cluster reaches the registry, then create the build again.",
    ),
    "RateLimited": _infrastructure(
        "A registry's pull rate limit was reached.",
        "Add pull credentials, or a mirror in spec.registries.",
    ),
    "QuotaExceeded": _infrastructure(
        "A ResourceQuota of the namespace has no room for the build pod.",
        f"Raise the quota, then {AGAIN}.",
        Retry.NEVER,
        waiting="The build starts when other pods of the namespace have ended, or the quota is raised.",
    ),
    "PodNotCreated": _infrastructure(
        "The API server can't create the build pod, and the build is not the cause: an admission webhook does not "
        "answer, the namespace is being deleted, or the operator lacks the permission.",
        f"Fix what the message names, then {AGAIN}.",
        Retry.NEVER,
        waiting="Fix the cause; the build continues automatically.",
    ),
    "DefaultsUnreadable": _infrastructure(
        "The operator lacks permission to read the ImageBuildDefaults of the namespace or the "
        "ClusterImageBuildDefaults, which may limit the build.",
        "",
        Retry.NEVER,
        waiting="Grant the operator get, list and watch on imagebuilddefaults and clusterimagebuilddefaults, as the "
        "chart does; the build continues automatically.",
    ),
    "Gated": _infrastructure(
        "A scheduling gate holds the build pod, such as Kueue's while its queue has no room.",
        "",
        Retry.NEVER,
        waiting="The build starts when the gate is removed. What Kueue waits for: kubectl describe workloads.",
    ),
    "Unschedulable": _infrastructure(
        "No node has room for the build pod, or none matches its constraints.",
        f"Lower resources, or correct nodeSelector, affinity and tolerations, then {AGAIN}.",
        Retry.NEVER,
        waiting="The build starts when a node fits. If none will, lower resources, or correct "
        f"nodeSelector, affinity and tolerations, and {AGAIN}.",
    ),
    "BuilderImagePullFailed": _infrastructure(
        "The node can't pull the builder image.",
        "Check builder.image and builder.imagePullSecrets of the operator's chart.",
        waiting="The node retries. Check builder.image and builder.imagePullSecrets of the operator's chart.",
    ),
    "PodNotStarted": _infrastructure(
        "The node can't start the build pod: its container runtime, its network or a volume fails, or it has no room.",
        "Read the kubelet's message, and check the node and the volume that it names.",
        waiting="The node retries. Check the node and the volume that the message names.",
    ),
    "Evicted": _infrastructure(
        "The node evicted the build pod, or another pod preempted it.",
        "Request what the build uses in resources, including ephemeral-storage.",
        Retry.DISRUPTION,
    ),
    "NodeLost": _infrastructure("The node of the build pod was lost.", "Create the build again.", Retry.DISRUPTION),
    "PodDeleted": _infrastructure(
        "The build pod was deleted while it ran.", "Create the build again.", Retry.DISRUPTION
    ),
    "EngineUnavailable": _infrastructure(
        "BuildKit can't run on the node, or in the namespace.",
        "Set engine to Kaniko, or change what the message names; docs/how-to/engines.md has what each cluster needs.",
        Retry.OTHER_ENGINE,
    ),
    "SigningFailed": _infrastructure(
        "What signs could not be reached, or refused to sign. The image was pushed, without its signature.",
        "Show the message to the administrator of what it names: the signer of the cluster, or a service of Sigstore. "
        "Its log says what it refused, and why.",
    ),
    "VulnerabilitiesFound": _user(
        "The image has vulnerabilities that the defaults of the namespace do not let pass. Nothing was pushed.",
        f"Update the packages or the base image in the Dockerfile and {AGAIN}; limits.vulnerabilities of the "
        "ImageBuildDefaults makes exceptions (ignore, openVEX).",
    ),
    "ScanFailed": _infrastructure(
        "The image could not be scanned for vulnerabilities, so it was not pushed.",
        "See the end of the log (failure.logTail); the scanner and its database are those of limits.vulnerabilities in "
        "the ImageBuildDefaults.",
    ),
    "NotReproducible": _user(
        "Two builds of the image have not made the same (output.corroborate). Nothing was pushed.",
        "Make the files that the message names the same in each build: fix versions and base images by digest, sort "
        f"what is listed, leave times and random values out, and {AGAIN}.",
    ),
    "DiskFull": _infrastructure(
        "The build filled the disk of its node, or exceeded its own ephemeral-storage limit.",
        "Raise the ephemeral-storage limit in resources.",
    ),
    "OutOfMemory": _infrastructure(
        "The build ran out of memory.",
        "Raise the memory limit in resources, or set retry.memoryPercent.",
        Retry.MORE_MEMORY,
    ),
    "Internal": _infrastructure(
        "An unexpected error occurred.",
        "See the end of the log (failure.logTail) and the log of the operator; please report it.",
    ),
}
