"""The operator's own settings. The chart's README describes the values that they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from imagebuild_operator.api.build import Engine, Proxy, Registry

#: Seconds after which a Lease that is not renewed expires, so that a standby takes over.
LEASE_SECONDS: Final = 10
#: Capabilities that the executor needs to unpack base images with their owners and modes, and to execute RUN as another
#: user (GoogleContainerTools/kaniko#778, #2201). Without FSETID, setgid bits of other groups than root get lost.
#: With KILL, the shim ends what a RUN of another user leaves running, and RUN may signal other users, as in Docker.
CAPABILITIES: Final = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETFCAP", "SETGID", "SETUID")


@dataclass(frozen=True, slots=True)
class BuildKitSettings:
    """How pods that build with BuildKit are made."""

    #: Empty if no build can use BuildKit.
    image: str = ""
    #: Whether pods get a user namespace of their own (`hostUsers: false`).
    user_namespaces: bool = True
    #: Whether proc is left as it is (`procMount: Unmasked`), so that each RUN can have process IDs of its own.
    unmasked_proc: bool = True
    #: The profiles of the build container; without any, the node's kubelet must not set one either.
    seccomp_profile: Mapping[str, Any] = field(default_factory=dict)
    app_armor_profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignerSettings:
    """The cluster's signer."""

    #: `https://HOST:PORT`; empty if there is none.
    url: str = ""
    #: In PEM.
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class BuildDefaults:
    """Defaults of every build pod; a build's own podTemplate overrides them."""

    builder_image: str
    builder_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    resources: Mapping[str, Any] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    registries: tuple[Registry, ...] = ()
    proxy: Proxy = field(default_factory=Proxy)
    #: Whether registries are asked before the build whether they would accept the image, if that is not known.
    check_push: bool = True
    #: Whether every build pod gets a TRACEPARENT, and not only those of builds with the annotation.
    traced: bool = False
    allow_privilege_escalation: bool = False
    capabilities: tuple[str, ...] = CAPABILITIES
    #: Of builds that name none.
    engine: Engine = Engine.AUTO
    buildkit: BuildKitSettings = field(default_factory=BuildKitSettings)
    signer: SignerSettings = field(default_factory=SignerSettings)
    #: `http://HOST:PORT` of the receiver of webhooks; empty if there is none.
    webhook_url: str = ""


class KeepPods(StrEnum):
    """Which finished pods are kept until their ImageBuild is deleted."""

    NONE = "none"
    FAILED = "failed"
    ALL = "all"

    def keeps(self, *, has_succeeded: bool) -> bool:
        """Whether a finished pod is kept."""
        return self is KeepPods.ALL or (self is KeepPods.FAILED and not has_succeeded)


@dataclass(frozen=True, slots=True)
class History:
    """Number of finished builds to keep per namespace; None means all. Cancelled builds count as failed."""

    succeeded: int | None = None
    failed: int | None = None

    def limit(self, *, has_succeeded: bool) -> int | None:
        """The number of succeeded, or of other builds, to keep."""
        return self.succeeded if has_succeeded else self.failed

    def or_else(self, other: "History") -> "History":
        """These limits, completed by the other's."""
        return History(
            other.succeeded if self.succeeded is None else self.succeeded,
            other.failed if self.failed is None else self.failed,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on the number of running builds; 0 means no limit."""

    cluster: int = 0
    #: Limit of each namespace.
    namespace: int = 0
    #: Limits of single namespaces, in place of `namespace`.
    namespaces: Mapping[str, int] = field(default_factory=dict)
    #: What the ImageBuildDefaults of namespaces set; under the empty name, what the ClusterImageBuildDefaults sets.
    defaults: Mapping[str, int] = field(default_factory=dict)

    def of(self, namespace: str) -> int:
        """How many builds of one namespace may run: what its defaults say, up to what is set for it by name."""
        own = self.defaults.get(namespace, self.defaults.get(""))
        if own is None:
            return self.namespaces.get(namespace, self.namespace)
        return min((number for number in (own, self.namespaces.get(namespace, 0)) if number), default=0)


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """The Lease that the leader holds."""

    namespace: str
    name: str
    #: Seconds after which it expires if it is not renewed.
    seconds: int = LEASE_SECONDS

    def __str__(self) -> str:
        """Its namespace and name."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """All settings of the operator."""

    defaults: BuildDefaults
    #: Namespaces to watch; empty for all.
    namespaces: tuple[str, ...] = ()
    #: Label selector of the ImageBuilds to build; empty for all.
    selector: str = ""
    log_format: str = "plain"
    log_level: str = "INFO"
    health_port: int = 8080
    #: Port of the metrics; None if they are not served.
    metrics_port: int | None = 8081
    #: Whether metrics on builds are labelled by namespace.
    metrics_namespaces: bool = False
    #: Seconds of silence, without even a bookmark, after which a watch is restarted. The API server sends a bookmark
    #: every 60 to 70 seconds, so with less the watches of a quiet cluster would restart all the time.
    watch_silence: float = 90.0
    #: Seconds for which the API server may reject the operator's credentials with 401, before the operator exits.
    credentials_rejected: float = 300.0
    #: URL of a collector of traces, without a path; None for no traces.
    tracing_endpoint: str | None = None
    #: Seconds for which pulls of the builder image may fail before the build fails.
    image_pull_grace: float = 300.0
    #: Seconds for which a push is proof that later builds like it may push; 0 for no proof.
    push_proof: float = 3600.0
    #: Approximate seconds before the first retry of a failed attempt; they double with each retry.
    retry_delay: float = 10.0
    keep_pods: KeepPods = KeepPods.FAILED
    #: Whether the logs of running builds are read for their current step.
    progress: bool = True
    #: Whether TrackedImages are heeded, for which the operator needs to create ImageBuilds.
    tracked_images: bool = True
    history: History = History()
    limits: Limits = field(default_factory=Limits)
    #: Seconds for which a build may wait for its first pod; 0 means no limit.
    max_wait: int = 86400
    #: None without leader election, if this operator is the only one.
    lease: LeaseSettings | None = None
