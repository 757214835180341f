"""The operator's own settings: their values, and how the settings file is parsed.

The chart writes the file; its README says what each value means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from imagebuild_operator.api.build import Proxy, Registry
from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.api.fields import Fields
from imagebuild_operator.api.selector import is_selector
from imagebuild_operator.api.sources import KeyRef

#: Seconds after which a Lease that is not renewed expires, so that a standby takes over.
LEASE_SECONDS: Final = 10
#: The highest port number.
PORTS: Final = 65535

#: What the executor needs to unpack base images with their owners and modes, and to run RUN as another user
#: (GoogleContainerTools/kaniko#778, #2201).
#: FSETID keeps the setgid bits of groups other than root's, which would be lost without a word.
CAPABILITIES: Final = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP", "SETGID", "SETUID")


@dataclass(frozen=True, slots=True)
class BuildDefaults:
    """What every build pod gets, unless the build's own podTemplate says otherwise."""

    builder_image: str
    builder_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    resources: Mapping[str, Any] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    registries: tuple[Registry, ...] = ()
    proxy: Proxy = field(default_factory=Proxy)
    #: Whether the push is tried out, with nothing pushed, before the build.
    check_push: bool = True
    #: Whether every build's place in a trace is told to its pod, and not only where its annotation names one.
    traced: bool = False
    allow_privilege_escalation: bool = False
    capabilities: tuple[str, ...] = CAPABILITIES


class KeepPods(StrEnum):
    """Which pods stay after their result is recorded, until their ImageBuild goes."""

    NONE = "none"
    FAILED = "failed"
    ALL = "all"

    def keeps(self, *, has_succeeded: bool) -> bool:
        """Whether a pod that has ended stays."""
        return self is KeepPods.ALL or (self is KeepPods.FAILED and not has_succeeded)


@dataclass(frozen=True, slots=True)
class History:
    """How many finished builds a namespace keeps; None means all. Cancelled ones count as failed."""

    succeeded: int | None = None
    failed: int | None = None

    def limit(self, *, has_succeeded: bool) -> int | None:
        """How many of one kind are kept."""
        return self.succeeded if has_succeeded else self.failed

    def or_else(self, other: "History") -> "History":
        """These, and the other's where these say nothing."""
        return History(
            other.succeeded if self.succeeded is None else self.succeeded,
            other.failed if self.failed is None else self.failed,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """How many builds may run at once; 0 means any number."""

    cluster: int = 0
    #: For each namespace.
    namespace: int = 0
    #: Instead of `namespace`, for some namespaces.
    namespaces: Mapping[str, int] = field(default_factory=dict)
    #: What the ImageBuildDefaults of namespaces say.
    defaults: Mapping[str, int] = field(default_factory=dict)

    def of(self, namespace: str) -> int:
        """How many builds of one namespace may run: what its defaults say, up to what is set for it by name."""
        if namespace not in self.defaults:
            return self.namespaces.get(namespace, self.namespace)
        numbers = (self.defaults[namespace], self.namespaces.get(namespace, 0))
        return min((number for number in numbers if number), default=0)


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """The Lease of which one operator at a time is the holder."""

    namespace: str
    name: str
    #: For how long it holds without being renewed.
    seconds: int = LEASE_SECONDS

    def __str__(self) -> str:
        """Its namespace and name."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """How this operator runs."""

    defaults: BuildDefaults
    #: Namespaces to watch; none means the whole cluster.
    namespaces: tuple[str, ...] = ()
    #: Label selector of the ImageBuilds that are this installation's; all where it is empty.
    selector: str = ""
    log_format: str = "plain"
    log_level: str = "INFO"
    health_port: int = 8080
    #: Port of the metrics; None where they are not served.
    metrics_port: int | None = 8081
    #: Whether metrics on builds are told apart by namespace.
    metrics_namespaces: bool = False
    #: Seconds without a word, bookmarks included, after which a watch is made anew. The API server sends a bookmark
    #: every 60 to 70 seconds, so that less would make it anew again and again on a quiet cluster.
    watch_silence: float = 90.0
    #: Seconds for which the API server may reject the operator's credentials with 401, before the operator ends.
    credentials_rejected: float = 300.0
    #: Collector of traces, as a URL without a path; None for no traces.
    tracing_endpoint: str | None = None
    #: Seconds that a pull of the builder image may fail before the build does.
    image_pull_grace: float = 300.0
    #: Seconds until the first retry of a failed attempt, more or less; they double with each.
    retry_delay: float = 10.0
    keep_pods: KeepPods = KeepPods.FAILED
    #: Whether the logs of running builds are read, for the step that they are at.
    progress: bool = True
    history: History = History()
    limits: Limits = field(default_factory=Limits)
    #: Seconds for which a build may wait for its first pod; 0 means for ever.
    max_wait: int = 86400
    #: None where this operator is the only one.
    lease: LeaseSettings | None = None


def parse_settings(document: object) -> OperatorSettings:
    """Parse the settings file: the chart's values that concern the operator, by the same names.

    Raises:
        SettingsError: lists every field that is missing, malformed or unknown.
    """
    fields = Fields(document)
    leader, log, metrics = fields.section("leaderElection"), fields.section("log"), fields.section("metrics")
    metrics_port = metrics.whole("port", 8081, 1, PORTS)
    endpoint = fields.section("tracing").text(
        "endpoint", None, r"(https?://[^/\s]+/?)?", "write http://HOST:PORT of a collector"
    )
    builder, admission = fields.section("builder"), fields.section("admission")
    settings = OperatorSettings(
        defaults=_build_defaults(builder, traced=bool(endpoint)),
        keep_pods=KeepPods(builder.choice("keepPods", "failed", tuple(KeepPods))),
        namespaces=fields.texts("watchNamespaces"),
        selector=fields.read("buildSelector", "", _selector, "write a label selector such as team=a or !team"),
        lease=_lease(leader),
        limits=_limits(admission),
        max_wait=admission.whole("waitSeconds", 86400),
        history=_history(fields.section("history")),
        retry_delay=fields.section("retry").seconds("delaySeconds", 10.0),
        progress=fields.section("progress").switch("enabled", default=True),
        log_format=log.choice("format", "plain", ("plain", "json")),
        log_level=log.choice("level", "info", ("debug", "info", "warning", "error")).upper(),
        health_port=fields.section("probes").whole("port", 8080, 1, PORTS),
        metrics_port=metrics_port if metrics.switch("enabled", default=True) else None,
        metrics_namespaces=metrics.switch("namespaceLabels", default=False),
        tracing_endpoint=endpoint or None,
        credentials_rejected=fields.section("credentials").seconds("rejectedSeconds", 300.0),
        watch_silence=fields.section("watches").seconds("silenceSeconds", 90.0),
    )
    problems = list(fields.problems())
    if problems:
        raise SettingsError("; ".join(problems))
    return settings


def _build_defaults(builder: Fields, *, traced: bool) -> BuildDefaults:
    return BuildDefaults(
        builder_image=builder.required("image", r"\S+", "write the reference of the builder image"),
        builder_pull_policy=builder.choice("pullPolicy", "IfNotPresent", ("Always", "IfNotPresent", "Never")),
        image_pull_secrets=tuple(
            secret.required("name", r"\S+", "write the name of a Secret")
            for secret in builder.sections("imagePullSecrets")
        ),
        resources=builder.mapping("resources"),
        node_selector=builder.strings("nodeSelector"),
        tolerations=builder.mappings("tolerations"),
        registries=tuple(map(_registry, builder.sections("registries"))),
        proxy=_proxy(builder.section("proxy")),
        check_push=builder.switch("checkPush", default=True),
        traced=traced,
        allow_privilege_escalation=builder.switch("allowPrivilegeEscalation", default=False),
        capabilities=builder.texts("capabilities", CAPABILITIES),
    )


def _registry(entry: Fields) -> Registry:
    advice = "write configMapKeyRef or secretKeyRef, with name and key"
    return Registry(
        host=entry.required("host", r"\S+", "write HOST[:PORT] of a registry"),
        insecure=entry.switch("insecure", default=False),
        skip_tls_verify=entry.switch("skipTLSVerify", default=False),
        mirrors=entry.texts("mirrors"),
        map_to=entry.text("mapTo", None),
        ca_bundle=entry.read("caBundle", None, _key_ref, advice),
    )


def _proxy(proxy: Fields) -> Proxy:
    secret = proxy.section("secretRef")
    advice = "write the URL of the proxy, scheme, host and port; put one with a password into the Secret of secretRef"
    return Proxy(
        http=proxy.text("httpProxy", None, r"(https?://[^\s@/]+/?)?", advice) or None,
        https=proxy.text("httpsProxy", None, r"(https?://[^\s@/]+/?)?", advice) or None,
        no=proxy.text("noProxy", None) or None,
        secret=secret.text("name", None),
    )


def _key_ref(value: object) -> KeyRef:
    match value:
        case {"configMapKeyRef": {"name": str(name), "key": str(key)}, **others} if not others:
            return KeyRef("configMapKeyRef", name, key)
        case {"secretKeyRef": {"name": str(name), "key": str(key)}, **others} if not others:
            return KeyRef("secretKeyRef", name, key)
        case _:
            raise ValueError


def _selector(value: object) -> str:
    if not isinstance(value, str) or not is_selector(value.strip()):
        raise ValueError
    return value.strip()


def _lease(leader: Fields) -> LeaseSettings | None:
    seconds = leader.whole("leaseSeconds", LEASE_SECONDS, 1)
    name, namespace = leader.text("leaseName", ""), leader.text("leaseNamespace", "")
    if not name:
        return None
    if not namespace:
        leader.required("leaseNamespace", r"\S+", f"write the namespace of the Lease {name}")
    return LeaseSettings(namespace, name, seconds)


def _limits(admission: Fields) -> Limits:
    return Limits(
        cluster=admission.whole("maxRunning", 0),
        namespace=admission.whole("maxRunningPerNamespace", 0),
        namespaces=admission.wholes("namespaces"),
    )


def _history(history: Fields) -> History:
    return History(history.whole("succeeded", None), history.whole("failed", None))
