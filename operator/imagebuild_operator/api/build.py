"""An ImageBuild as values: what the rest of the core works on.

Only `parse` knows how the resource is written. See `crds/imagebuild.yaml` for the fields' meaning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from imagebuild_operator.api.sources import KeyRef, Source
from imagebuild_operator.api.time import parse_time

#: The attempts at a build that have ended, as `status.attempts` records them.
Attempts = Sequence[Mapping[str, Any]]

#: Seconds that a build may take where nobody says it.
DEFAULT_TIMEOUT: Final = 3600


class Phase(StrEnum):
    """The coarse word for people; programs read the conditions."""

    PENDING = "Pending"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    BUILDING = "Building"
    PUSHING = "Pushing"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens to a build in this phase any more."""
        return self in {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED}


@dataclass(frozen=True, slots=True)
class BuildArg:
    """A build argument: its value, or the key that holds it."""

    name: str
    value: str | KeyRef


@dataclass(frozen=True, slots=True)
class Cache:
    """The layer cache: whether it is used, and where it is kept."""

    enabled: bool = False
    repo: str | None = None
    ttl_seconds: int | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Registry:
    """How one registry is spoken to, and what stands in for it when images are pulled."""

    host: str
    insecure: bool = False
    skip_tls_verify: bool = False
    mirrors: tuple[str, ...] = ()
    map_to: str | None = None
    #: CA certificates that its own is verified with, besides the public ones.
    ca_bundle: KeyRef | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """The HTTP proxies of a build: their URLs, or a Secret that holds them; none if all is empty."""

    http: str | None = None
    https: str | None = None
    #: Hosts that are reached without a proxy, comma-separated.
    no: str | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class EnvVar:
    """An environment variable: its value, or the key that holds it."""

    name: str
    value: str | KeyRef


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """What of the build pod the author of a build may set; nothing in it widens the pod's privilege."""

    #: Variables of the build container alone.
    env: tuple[EnvVar, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    #: Fields of the pod's spec, as Kubernetes spells them.
    spec: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image runs on, in the words of Go and of the image specification: linux, arm64, v8."""

    os: str
    architecture: str
    variant: str | None = None

    def __str__(self) -> str:
        """As it is written in the spec: `linux/arm64/v8`."""
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    @property
    def label(self) -> str:
        """The same as the value of a label, which can't have a slash."""
        return str(self).replace("/", "-")


class PlatformNodes(StrEnum):
    """Which nodes a platform is built on."""

    #: Those of its operating system and architecture.
    NATIVE = "Native"
    #: All.
    ANY = "Any"


@dataclass(frozen=True, slots=True)
class RetrySpec:
    """How often a build is tried again after an infrastructure failure, and with how much more memory each time."""

    limit: int = 2
    memory_factor: float | None = None


@dataclass(frozen=True, slots=True)
class Attestations:
    """The documents that are attached to a pushed image: SLSA provenance, and an SBOM in SPDX."""

    provenance: bool = False
    sbom: bool = False


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that signs, in a Secret as cosign makes it."""

    secret: str


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """What to build, from what, to where, and with whose credentials."""

    source: Source
    images: tuple[str, ...]
    push: bool = True
    push_secret: str | None = None
    attestations: Attestations = Attestations()
    #: What signs the image and its attestations; None for no signature.
    signing: SigningKey | None = None
    #: What to build for; with several, the outputs get an index of one image for each.
    platforms: tuple[Platform, ...] = ()
    platform_nodes: PlatformNodes = PlatformNodes.NATIVE
    pull_secrets: tuple[str, ...] = ()
    context_dir: str | None = None
    dockerfile_path: str | None = None
    dockerfile_inline: str | None = None
    target: str | None = None
    build_args: tuple[BuildArg, ...] = ()
    cache: Cache = Cache()
    registries: tuple[Registry, ...] = ()
    #: None for that of the operator's settings.
    proxy: Proxy | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    #: Flags of the executor, `--flag=value` each.
    executor_args: tuple[str, ...] = ()
    pod_template: PodTemplate = field(default_factory=PodTemplate)
    timeout_seconds: int = DEFAULT_TIMEOUT
    retry: RetrySpec = RetrySpec()
    queue_name: str | None = None

    @property
    def has_index(self) -> bool:
        """Whether it has several platforms, which are built apart."""
        return len(self.platforms) > 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a namespace lets a build ask for; None where there is no bound."""

    timeout_seconds: int | None = None
    service_accounts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """One build: its identity, what was asked for, and what has been recorded of it.

    Or one of its platforms, where it has several: the same, but for its status, which is that of the platform.
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
    #: What of the spec comes from the defaults of the namespace.
    additions: Mapping[str, Any] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=Bounds)
    #: The annotation that names the span which made it.
    traceparent: str | None = None
    #: The one of several platforms that this is.
    platform: Platform | None = None
    #: For a platform, when the time of the whole build began to count, and since when that has waited.
    whole_started: datetime | None = None
    whole_waiting_since: datetime | None = None

    @property
    def phase(self) -> Phase:
        """The phase that was last recorded; Pending where none was."""
        return Phase(self.status.get("phase") or Phase.PENDING)

    @property
    def is_finished(self) -> bool:
        """Whether a final status has been recorded. It is never changed again."""
        return self.phase.is_final

    @property
    def has_begun(self) -> bool:
        """Whether a first pod has been recorded."""
        platforms = self.status.get("platforms") or ()
        has_pod = "podName" in self.status or any("podName" in entry for entry in platforms)
        return has_pod or self.started is not None or bool(self.attempts)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has asked for it to be stopped, for good."""
        return self.spec.get("cancel") is True

    @property
    def is_suspended(self) -> bool:
        """Whether somebody has asked for it not to begin yet."""
        return self.spec.get("suspend") is True

    @property
    def concurrency(self) -> Mapping[str, str] | None:
        """`group` and `policy`; None for a build that belongs to no group."""
        return self.spec.get("concurrency")

    @property
    def priority(self) -> int:
        """Its place among those that wait: the higher, the earlier."""
        return int(self.spec.get("priority") or 0)

    @property
    def started(self) -> datetime | None:
        """When its time began to count."""
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
    def recorded_pod(self) -> str | None:
        """The pod that was recorded for this attempt, which may have gone since; None before it has one."""
        name = self.status.get("podName")
        return None if name in {attempt.get("podName") for attempt in self.attempts} else name
