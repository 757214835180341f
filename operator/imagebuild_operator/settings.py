"""The operator's own settings, from `IMAGEBUILD_*` variables and the file of build defaults.

The chart writes both; see its values for what each means.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

from imagebuild_operator.api.build import Registry
from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.api.parse import parse_registry
from imagebuild_operator.api.selector import is_selector

PREFIX: Final = "IMAGEBUILD_"

#: Seconds until another operator takes over from one that has died without a word.
LEASE_SECONDS: Final = 10

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
    #: Port of the metrics; none are served at 0.
    metrics_port: int = 0
    #: Whether metrics on builds are told apart by namespace.
    metrics_namespaces: bool = False
    #: Seconds without a word, bookmarks included, after which a watch is made anew. The API server sends a bookmark
    #: every 60 to 70 seconds, so that less would make it anew again and again on a quiet cluster.
    watch_silence: float = 90.0
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
    #: None where this operator is the only one.
    lease: LeaseSettings | None = None


def load_settings(environ: Mapping[str, str]) -> OperatorSettings:
    """Read the settings from the environment.

    Raises:
        SettingsError: names every variable that is missing or malformed.
    """
    given = {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX)}
    problems: list[str] = []
    builder_image = given.get("BUILDER_IMAGE", "")
    if not builder_image:
        problems.append(f"{PREFIX}BUILDER_IMAGE is not set: give the reference of the builder image")
    selector = given.get("SELECTOR", "").strip()
    if not is_selector(selector):
        problems.append(f"{PREFIX}SELECTOR is {selector!r}: write a label selector such as team=a or !team")
    log_format = given.get("LOG_FORMAT") or "plain"
    if log_format not in {"plain", "json"}:
        problems.append(f"{PREFIX}LOG_FORMAT is {log_format!r}: write plain or json")
    log_level = (given.get("LOG_LEVEL") or "INFO").upper()
    if log_level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        problems.append(f"{PREFIX}LOG_LEVEL is {log_level!r}: write debug, info, warning or error")
    health_port = _port(given, "HEALTH_PORT", 8080, problems)
    metrics_port = _port(given, "METRICS_PORT", 0, problems)
    retry_delay = _number(given, "RETRY_DELAY", 10.0, problems)
    keep_pods = given.get("KEEP_PODS") or "failed"
    if keep_pods not in set(KeepPods):
        problems.append(f"{PREFIX}KEEP_PODS is {keep_pods!r}: write none, failed or all")
    progress = given.get("PROGRESS") or "true"
    if progress not in {"true", "false"}:
        problems.append(f"{PREFIX}PROGRESS is {progress!r}: write true or false")
    history = History(_count(given, "HISTORY_SUCCEEDED", problems), _count(given, "HISTORY_FAILED", problems))
    limits = Limits(
        _count(given, "MAX_RUNNING", problems) or 0,
        _count(given, "MAX_RUNNING_PER_NAMESPACE", problems) or 0,
        _counts(given, "MAX_RUNNING_NAMESPACES", problems),
    )
    metrics_namespaces = _switch(given, "METRICS_NAMESPACES", problems)
    watch_silence = _number(given, "WATCH_SILENCE", 90.0, problems)
    tracing_endpoint = given.get("TRACING_ENDPOINT") or None
    if tracing_endpoint and not re.fullmatch(r"https?://[^/\s]+/?", tracing_endpoint):
        problems.append(f"{PREFIX}TRACING_ENDPOINT is {tracing_endpoint!r}: write http://HOST:PORT of a collector")
    lease = _lease(given, problems)
    defaults = _read_defaults(given.get("DEFAULTS_FILE"), problems)
    if problems:
        raise SettingsError("; ".join(problems))
    return OperatorSettings(
        defaults=BuildDefaults(
            builder_image=builder_image,
            traced=tracing_endpoint is not None,
            builder_pull_policy=given.get("BUILDER_PULL_POLICY") or "IfNotPresent",
            **defaults,
        ),
        namespaces=tuple(name.strip() for name in given.get("NAMESPACES", "").split(",") if name.strip()),
        selector=selector,
        log_format=log_format,
        log_level=log_level,
        health_port=health_port,
        metrics_port=metrics_port,
        metrics_namespaces=metrics_namespaces,
        watch_silence=watch_silence,
        tracing_endpoint=tracing_endpoint,
        retry_delay=retry_delay,
        keep_pods=KeepPods(keep_pods),
        progress=progress == "true",
        history=history,
        limits=limits,
        lease=lease,
    )


def _port(given: Mapping[str, str], name: str, default: int, problems: list[str]) -> int:
    text = given.get(name) or str(default)
    if text.isdecimal() and int(text) < 1 << 16:
        return int(text)
    problems.append(f"{PREFIX}{name} is {text!r}: write a port number")
    return 0


def _switch(given: Mapping[str, str], name: str, problems: list[str]) -> bool:
    text = (given.get(name) or "false").lower()
    if text not in {"true", "false"}:
        problems.append(f"{PREFIX}{name} is {text!r}: write true or false")
    return text == "true"


def _lease(given: Mapping[str, str], problems: list[str]) -> LeaseSettings | None:
    name, namespace = given.get("LEASE_NAME", ""), given.get("LEASE_NAMESPACE", "")
    seconds = _count(given, "LEASE_SECONDS", problems)
    seconds = LEASE_SECONDS if seconds is None else seconds
    if not name:
        return None
    if not namespace:
        problems.append(f"{PREFIX}LEASE_NAMESPACE is not set: give the namespace of the Lease {name}")
    if seconds < 1:
        problems.append(f"{PREFIX}LEASE_SECONDS is {seconds}: write 1 or more")
    return LeaseSettings(namespace, name, seconds)


def _number(given: Mapping[str, str], name: str, default: float, problems: list[str]) -> float:
    text = given.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        problems.append(f"{PREFIX}{name} is {text!r}: write a number of seconds")
    return number


def _count(given: Mapping[str, str], name: str, problems: list[str]) -> int | None:
    text = given.get(name) or None
    if text is None or text.isdecimal():
        return None if text is None else int(text)
    problems.append(f"{PREFIX}{name} is {text!r}: write a whole number, or nothing")
    return None


def _counts(given: Mapping[str, str], name: str, problems: list[str]) -> dict[str, int]:
    pairs = [pair.strip().partition("=") for pair in given.get(name, "").split(",") if pair.strip()]
    if all(key and count.isdecimal() for key, _, count in pairs):
        return {key: int(count) for key, _, count in pairs}
    problems.append(f"{PREFIX}{name} is {given[name]!r}: write NAMESPACE=NUMBER, joined by commas")
    return {}


def _read_defaults(path: str | None, problems: list[str]) -> dict[str, Any]:
    if not path:
        return {}
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        return parse_defaults(document)
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        problems.append(f"{PREFIX}DEFAULTS_FILE {path} can't be used: {error!r}")
        return {}


def parse_defaults(document: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the document of build defaults into arguments of `BuildDefaults`.

    Raises:
        TypeError: it holds a key that means nothing.
    """
    known: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "imagePullSecrets": ("image_pull_secrets", lambda refs: tuple(ref["name"] for ref in refs)),
        "resources": ("resources", dict),
        "nodeSelector": ("node_selector", dict),
        "tolerations": ("tolerations", tuple),
        "registries": ("registries", lambda entries: tuple(parse_registry(entry) for entry in entries)),
        "checkPush": ("check_push", bool),
        "allowPrivilegeEscalation": ("allow_privilege_escalation", bool),
        "capabilities": ("capabilities", tuple),
    }
    unknown = sorted(set(document) - set(known))
    if unknown:
        raise TypeError(f"unknown keys {', '.join(unknown)}: known are {', '.join(known)}")
    arguments: dict[str, Any] = {}
    for key, value in document.items():
        name, read = known[key]
        if value is not None:
            arguments[name] = read(value)
    return arguments
