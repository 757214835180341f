"""Parses the settings file: the chart's values that concern the operator, by the same names. Pure."""

from dataclasses import replace
from typing import Final

from imagebuild_operator.api.build import Engine, Proxy, Registry
from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.api.fields import Fields
from imagebuild_operator.api.selector import is_selector
from imagebuild_operator.api.sources import KeyRef
from imagebuild_operator.settings import (
    CAPABILITIES,
    LEASE_SECONDS,
    BuildDefaults,
    BuildKitSettings,
    History,
    KeepPods,
    LeaseSettings,
    Limits,
    OperatorSettings,
    SignerSettings,
)

_RECEIVER: Final = "write http://HOST:PORT of the receiver of webhooks"
_PUBLIC: Final = "write the public key of the signer, in PEM"
#: The highest port number.
PORTS: Final = 65535


def parse_settings(document: object) -> OperatorSettings:
    """Parse the content of the settings file.

    Raises:
        SettingsError: with every field that is missing, malformed or unknown.
    """
    fields = Fields(document)
    leader, log, metrics = fields.section("leaderElection"), fields.section("log"), fields.section("metrics")
    metrics_port = metrics.whole("port", 8081, 1, PORTS)
    endpoint = fields.section("tracing").text(
        "endpoint", None, r"(https?://[^/\s]+/?)?", "write http://HOST:PORT of a collector"
    )
    builder, admission = fields.section("builder"), fields.section("admission")
    settings = OperatorSettings(
        defaults=replace(
            _build_defaults(builder),
            traced=bool(endpoint),
            signer=_signer(fields.section("signer")),
            webhook_url=fields.section("webhook").text("url", "", r"(http://[^/\s]+:\d+)?", _RECEIVER),
        ),
        keep_pods=KeepPods(builder.choice("keepPods", "failed", tuple(KeepPods))),
        namespaces=fields.texts("watchNamespaces"),
        selector=fields.read("buildSelector", "", _selector, "write a label selector such as team=a or !team"),
        lease=_lease(leader),
        limits=_limits(admission),
        max_wait=admission.whole("waitSeconds", 86400),
        history=_history(fields.section("history")),
        push_proof=builder.seconds("pushProofSeconds", 3600.0),
        retry_delay=fields.section("retry").seconds("delaySeconds", 10.0),
        progress=fields.section("progress").switch("enabled", default=True),
        tracked_images=fields.section("trackedImages").switch("enabled", default=True),
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


def _build_defaults(builder: Fields) -> BuildDefaults:
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
        allow_privilege_escalation=builder.switch("allowPrivilegeEscalation", default=False),
        capabilities=builder.texts("capabilities", CAPABILITIES),
        engine=Engine(builder.choice("engine", "Auto", tuple(Engine))),
        buildkit=_buildkit(builder.section("buildkit")),
    )


def _signer(signer: Fields) -> SignerSettings:
    url = signer.text("url", None, r"(https://[^/\s]+:\d+)?", "write https://HOST:PORT of the signer") or ""
    return SignerSettings(url, signer.required("publicKey", r"[\s\S]*BEGIN PUBLIC KEY[\s\S]*", _PUBLIC) if url else "")


def _buildkit(buildkit: Fields) -> BuildKitSettings:
    return BuildKitSettings(
        image=buildkit.text("image", "") or "",
        user_namespaces=buildkit.switch("userNamespaces", default=True),
        unmasked_proc=buildkit.choice("procMount", "Unmasked", ("Unmasked", "Default")) == "Unmasked",
        seccomp_profile=buildkit.mapping("seccompProfile"),
        app_armor_profile=buildkit.mapping("appArmorProfile"),
    )


def _registry(entry: Fields) -> Registry:
    advice = "write configMapKeyRef or secretKeyRef, with name and key"
    return Registry(
        host=entry.required("host", r"\S+", "write HOST[:PORT] of a registry"),
        plain_http=entry.switch("plainHTTP", default=False),
        skip_tls_verify=entry.switch("insecureSkipTLSVerify", default=False),
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
