"""The model of an ImageBuild: the values that the rest of the operator works on.

`parse` reads them from the resource; `crds/imagebuild.yaml` describes the fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from imagebuild_vocabulary.names import KIND
from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.body import Document, reference
from imagebuild_operator.api.sources import KeyRef, Source
from imagebuild_operator.api.time import parse_time

#: The attempts at a build that have ended, as `status.attempts` records them.
Attempts = Sequence[Mapping[str, Any]]

#: The fields that decide when a build starts, and when it is deleted. The cache keeps no others of a large spec.
WAITING_FIELDS: Final = ("cancel", "concurrency", "priority", "queueName", "suspend", "ttlSecondsAfterFinished")
#: Characters of a spec that the cache keeps as a whole.
MAX_CACHED: Final = 16384

#: Time limit of a build in seconds if neither the build nor its defaults set one.
DEFAULT_TIMEOUT: Final = 3600


def known_phase(text: str | None) -> Phase:
    """The phase that a status says. One of a later version is not finished: after a rollback the build goes on."""
    phase = Phase(text or Phase.PENDING)
    return phase if phase.is_known else Phase.PENDING


@dataclass(frozen=True, slots=True)
class BuildArg:
    """A build argument: its value, or a reference to the key that holds it."""

    name: str
    value: str | KeyRef


@dataclass(frozen=True, slots=True)
class Cache:
    """The layer cache in a registry, and the volumes for base images and for cache mounts."""

    enabled: bool = False
    repo: str | None = None
    ttl_seconds: int | None = None
    read_only: bool = False
    #: PersistentVolumeClaim that keeps the contents of cache mounts after the build.
    mounts_claim: str | None = None
    #: PersistentVolumeClaim with base images, which builds with a layer cache read.
    base_images_claim: str | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """How one registry is reached, and what replaces it when base images are pulled."""

    host: str
    plain_http: bool = False
    skip_tls_verify: bool = False
    mirrors: tuple[str, ...] = ()
    map_to: str | None = None
    #: CA bundle that registries are verified with, in addition to the public CAs.
    ca_bundle: KeyRef | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """The HTTP proxies of a build: their URLs, or a Secret that holds them. Without any, there is no proxy."""

    http: str | None = None
    https: str | None = None
    #: Hosts that are reached without a proxy, comma-separated.
    no: str | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class EnvVar:
    """An environment variable: its value, or a reference to the key that holds it."""

    name: str
    value: str | KeyRef


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """The part of the build pod that its author sets. It has no field for privileges, volumes or host access."""

    #: Variables of the build container only.
    env: tuple[EnvVar, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    #: Other fields of the pod's spec, as Kubernetes spells them.
    spec: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform, in the terms of the image specification: operating system, architecture and variant."""

    os: str
    architecture: str
    variant: str | None = None

    def __str__(self) -> str:
        """The form that the spec uses: `linux/arm64/v8`."""
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    @property
    def label(self) -> str:
        """The form for label values, which cannot have a slash: `linux-arm64-v8`."""
        return str(self).replace("/", "-")


class Engine(StrEnum):
    """What builds the image."""

    #: BuildKit where the build and the node allow it, else Kaniko.
    AUTO = "Auto"
    KANIKO = "Kaniko"
    BUILDKIT = "BuildKit"


class PlatformNodes(StrEnum):
    """The nodes that a platform is built on."""

    #: Nodes of its operating system and architecture.
    NATIVE = "Native"
    #: All nodes.
    ANY = "Any"


@dataclass(frozen=True, slots=True)
class RetrySpec:
    """Retries after infrastructure failures, and the factor of the memory after each attempt that ran out of it."""

    limit: int = 2
    memory_percent: int | None = None


class Corroborate(StrEnum):
    """Where an image is built the second time."""

    OTHER_NODE = "OtherNode"
    ANY_NODE = "AnyNode"


@dataclass(frozen=True, slots=True)
class Attestations:
    """The documents that are attached to a pushed image: SLSA provenance, and an SBOM in a format or none."""

    provenance: bool = False
    sbom: str | None = None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that signs, in a Secret as cosign makes it."""

    secret: str


@dataclass(frozen=True, slots=True)
class ClusterSigning:
    """The signer of the cluster signs, whose key is in no namespace of builds."""


@dataclass(frozen=True, slots=True)
class KeylessSigning:
    """Sigstore's services certify a key of the moment for the pod's service account, by these URLs."""

    fulcio: str
    rekor: str
    timestamp: str


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """The spec of a build, completed with the defaults of its namespace."""

    source: Source
    images: tuple[str, ...]
    push: bool = True
    push_secret: str | None = None
    attestations: Attestations = Attestations()
    #: What signs the image and its attestations; None for no signature.
    signing: SigningKey | ClusterSigning | KeylessSigning | None = None
    #: SLSA3, or None: none is asked for.
    level: str | None = None
    #: Platforms of the image; if there are several, the outputs become an index of them.
    #: Where it is built a second time, before it is pushed; None for nowhere.
    corroborate: Corroborate | None = None
    platforms: tuple[Platform, ...] = ()
    platform_nodes: PlatformNodes = PlatformNodes.NATIVE
    pull_secrets: tuple[str, ...] = ()
    context_dir: str | None = None
    dockerfile_path: str | None = None
    dockerfile_inline: str | None = None
    target: str | None = None
    build_args: tuple[BuildArg, ...] = ()
    #: Where each secret of `RUN --mount=type=secret` comes from, by its id.
    build_secrets: Mapping[str, KeyRef] = field(default_factory=dict)
    cache: Cache = Cache()
    registries: tuple[Registry, ...] = ()
    #: None if the operator's settings decide.
    proxy: Proxy | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    #: None if the operator's settings decide.
    engine: Engine | None = None
    #: Flags for the executor, `--flag=value` each.
    executor_args: tuple[str, ...] = ()
    pod_template: PodTemplate = field(default_factory=PodTemplate)
    timeout_seconds: int = DEFAULT_TIMEOUT
    retry: RetrySpec = RetrySpec()
    queue_name: str | None = None
    #: Whether RUN steps have no network.
    without_network: bool = False
    #: The time of what the build makes: `Commit`, `Zero`, or seconds since 1970; None for the current one.
    timestamp: str | None = None
    skip_if_unchanged: bool = False
    #: What FROM and --from may name, by the limits of the defaults; None for anything.
    base_images: tuple[str, ...] | None = None
    #: What keeps the image from being pushed, by the same; None for nothing.
    vulnerabilities: "Vulnerabilities | None" = None

    @property
    def has_index(self) -> bool:
        """Whether it has several platforms, each of which is built in its own pod."""
        return len(self.platforms) > 1


@dataclass(frozen=True, slots=True)
class Vulnerabilities:
    """Which vulnerabilities keep an image from being pushed, and what finds them."""

    #: The image of Trivy, and the one that has its database.
    scanner: str
    database: str
    #: The least that counts: Low, Medium, High or Critical.
    severity: str
    #: Whether only those count for which there is a fixed version.
    only_fixed: bool = False
    #: Names of those that do not count.
    ignored: tuple[str, ...] = ()
    #: An OpenVEX document; empty for none.
    openvex: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits that a namespace sets for builds; None for no limit."""

    timeout_seconds: int | None = None
    service_accounts: frozenset[str] | None = None
    priority: int | None = None
    #: Fields of `podTemplate.spec` that a build may set, and `resources`.
    pod_fields: frozenset[str] | None = None
    #: Prefixes of the labels and annotations of the pod that a build may set.
    pod_metadata: frozenset[str] | None = None
    #: Secrets that `output.pushSecretRef` may name, and no other field.
    push_secrets: frozenset[str] | None = None
    #: What a build may push to, and cache in.
    images: tuple[str, ...] | None = None
    #: What may build; an engine of them is the one that Auto chooses from.
    engines: frozenset[str] | None = None
    #: What may sign, one of which has to: Cluster, Keyless, Key.
    signing: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """One build, or one platform of a multi-platform build: its identity, spec and recorded status.

    For a platform, everything but the status is that of the whole build.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    created: datetime
    deleting: bool
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    #: The defaults that complete the spec, as in `status.appliedDefaults`.
    applied_defaults: Mapping[str, Any] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=Bounds)
    #: Its own spec where `spec` is completed with defaults.
    own_spec: Mapping[str, Any] = field(default_factory=dict)
    #: The annotation with the trace context of the caller that created it.
    traceparent: str | None = None
    #: Whether its spec has only the fields of `WAITING_FIELDS`, since it is too large for the cache.
    is_partial: bool = False
    #: The platform of a multi-platform build that this is; None for the whole build.
    platform: Platform | None = None
    #: For a platform, when the time of the whole build began to count, and since when that has waited.
    whole_started: datetime | None = None
    whole_waiting_since: datetime | None = None

    @property
    def reference(self) -> Document:
        """Its ObjectReference."""
        return reference(KIND, self.namespace, self.name, self.uid, self.resource_version)

    @property
    def for_cache(self) -> "ImageBuild":
        """The build as the cache keeps it: thousands may wait, with a megabyte each."""
        if weight(self.spec) <= MAX_CACHED:
            return self
        spec = {name: self.spec[name] for name in WAITING_FIELDS if name in self.spec}
        return replace(self, spec=spec, is_partial=True)

    @property
    def phase(self) -> Phase:
        """The phase that was last recorded; Pending if there is none."""
        return known_phase(self.status.get("phase"))

    @property
    def is_finished(self) -> bool:
        """Whether a final status has been recorded. It is never changed again.

        Of a phase that a later version has written, the time of its end tells.
        """
        is_known = self.status.get("phase") in {None, *Phase}
        return self.phase.is_final or (not is_known and "completionTime" in self.status)

    @property
    def is_observed(self) -> bool:
        """Whether the recorded status describes the newest generation."""
        return bool(self.status.get("observedGeneration", self.generation) == self.generation)

    @property
    def has_begun(self) -> bool:
        """Whether a first pod has been recorded."""
        platforms = self.status.get("platforms") or ()
        has_pod = "podName" in self.status or any("podName" in entry for entry in platforms)
        return has_pod or self.started is not None or bool(self.attempts)

    @property
    def is_cancelled(self) -> bool:
        """Whether `spec.cancel` is set, which cannot be undone."""
        return self.spec.get("cancel") is True

    @property
    def is_suspended(self) -> bool:
        """Whether `spec.suspend` is set."""
        return self.spec.get("suspend") is True

    @property
    def concurrency(self) -> Mapping[str, str] | None:
        """`group` and `policy`; None for a build that belongs to no group."""
        return self.spec.get("concurrency")

    @property
    def priority(self) -> int:
        """Its priority among waiting builds: higher values start first."""
        return int(self.spec.get("priority") or 0)

    @property
    def started(self) -> datetime | None:
        """When its time limit started."""
        return self.whole_started or parse_time(self.status.get("startTime"))

    @property
    def waiting_since(self) -> datetime | None:
        """Since when it has waited for its first pod; None where that was not recorded, or it has had one."""
        return self.whole_waiting_since or parse_time(self.status.get("waitStartTime"))

    @property
    def attempts(self) -> tuple[Mapping[str, Any], ...]:
        """The attempts that have ended, as recorded."""
        return tuple(self.status.get("attempts") or ())

    @property
    def attempt(self) -> int:
        """The number of the attempt that runs or comes next, from 1."""
        return len(self.attempts) + 1

    @property
    def recorded_uid(self) -> str | None:
        """The uid of the recorded pod; None before the first pod, and where an earlier version has recorded it."""
        return self.status.get("podUID") if self.recorded_pod else None

    @property
    def recorded_pod(self) -> str | None:
        """The name of the pod that was recorded for this attempt, which may be gone; None before the first pod."""
        name = self.status.get("podName")
        return None if name in {attempt.get("podName") for attempt in self.attempts} else name


def weight(value: object) -> int:
    """About how many characters a value of a body has."""
    match value:
        case str():
            return len(value)
        case Mapping():
            return sum(len(name) + weight(item) for name, item in value.items())
        case list():
            return sum(map(weight, value))
        case _:
            return 8
