"""Parses an ImageBuild as the API server returns it.

The API server has already applied the CRD's schema and rules. What these cannot check raises `InvalidSpecError`, with
the path of the field.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from imagebuild_vocabulary.names import TRACEPARENT_ANNOTATION

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.build import (
    DEFAULT_TIMEOUT,
    Attestations,
    BuildArg,
    BuildSpec,
    Cache,
    ClusterSigning,
    Corroborate,
    Engine,
    EnvVar,
    ImageBuild,
    KeylessSigning,
    Platform,
    PlatformNodes,
    PodTemplate,
    Proxy,
    Registry,
    RetrySpec,
    SigningKey,
    Vulnerabilities,
)
from imagebuild_operator.api.corroborate import check_corroborate
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.level import LEVEL, check_level
from imagebuild_operator.api.sources import (
    ClaimSource,
    ConfigMapSource,
    GitSource,
    HttpSource,
    InlineSource,
    KeyRef,
    OciSource,
    S3Source,
    Source,
    UploadSource,
    UrlSource,
)

#: The values of `spec.concurrency.policy`.
POLICIES: Final = ("Parallel", "Serial", "Latest", "LatestCancelRunning")
#: The fields of `spec.source`, of which one is set.
KINDS: Final = ("url", "http", "git", "s3", "oci", "inline", "configMap", "persistentVolumeClaim", "upload")


def parse_build(body: Body) -> ImageBuild:
    """Parse a body. The spec stays as it is, since it may be invalid."""
    metadata = body["metadata"]
    return ImageBuild(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 1),
        resource_version=metadata["resourceVersion"],
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        deleting="deletionTimestamp" in metadata,
        spec=body.get("spec") or {},
        status=body.get("status") or {},
        traceparent=(metadata.get("annotations") or {}).get(TRACEPARENT_ANNOTATION),
    )


def parse_spec(spec: Body) -> BuildSpec:
    """Parse `spec`.

    Raises:
        InvalidSpecError: a field has a value that the schema allows but no build can use.
    """
    output = spec.get("output") or {}
    dockerfile = spec.get("dockerfile") or {}
    images = tuple(output.get("images") or ())
    _known(POLICIES, (spec.get("concurrency") or {}).get("policy", POLICIES[0]), "spec.concurrency.policy")
    if not images:
        raise InvalidSpecError("spec.output.images", "name at least one image")
    level = output.get("level")
    if level is not None:
        _known((LEVEL,), level, "spec.output.level")
    parsed = BuildSpec(
        source=_source(spec.get("source") or {}),
        images=images,
        push=output.get("push", True),
        push_secret=_name(output.get("pushSecretRef")),
        attestations=_attestations(output),
        signing=_signing(output.get("signing")),
        level=level,
        corroborate=_corroborate(output),
        platforms=parse_platforms(spec),
        platform_nodes=_choice(PlatformNodes, output.get("platformNodes") or "Native", "spec.output.platformNodes"),
        pull_secrets=tuple(ref["name"] for ref in spec.get("pullSecretRefs") or ()),
        context_dir=spec.get("contextDir"),
        dockerfile_path=dockerfile.get("path"),
        dockerfile_inline=dockerfile.get("inline"),
        target=spec.get("target"),
        engine=_engine(spec),
        build_args=tuple(_build_arg(index, arg) for index, arg in enumerate(spec.get("buildArgs") or ())),
        build_secrets=dict(_build_secret(index, item) for index, item in enumerate(spec.get("buildSecrets") or ())),
        cache=_cache(spec.get("cache") or {}),
        registries=tuple(parse_registry(registry) for registry in spec.get("registries") or ()),
        proxy=parse_proxy(spec["proxy"]) if spec.get("proxy") is not None else None,
        labels=dict(output.get("labels") or {}),
        executor_args=tuple((spec.get("executor") or {}).get("args") or ()),
        pod_template=_pod_template(spec),
        timeout_seconds=spec.get("timeoutSeconds", DEFAULT_TIMEOUT),
        retry=_retry(spec.get("retry") or {}),
        queue_name=spec.get("queueName"),
        without_network=_network(spec.get("network") or "Default"),
        timestamp=output.get("timestamp"),
        # What a scan lets pass, it may not let pass later.
        skip_if_unchanged=_skips(output) and not (spec.get("limits") or {}).get("vulnerabilities"),
        # Of the defaults alone, as the engines are: an ImageBuild has no such field.
        base_images=_base_images(spec.get("limits") or {}),
        vulnerabilities=_vulnerabilities(spec.get("limits") or {}),
    )
    check_level(parsed, spec.get("source") or {})
    check_corroborate(parsed, spec.get("source") or {})
    return parsed


def _engine(spec: Body) -> Engine | None:
    """The engine; the only one that the defaults allow, in the place of Auto."""
    asked = _choice(Engine, spec["engine"], "spec.engine") if spec.get("engine") else None
    allowed: Sequence[str] = (spec.get("limits") or {}).get("engines") or []
    return Engine(allowed[0]) if len(allowed) == 1 and asked in {None, Engine.AUTO} else asked


def _vulnerabilities(limits: Body) -> Vulnerabilities | None:
    said = limits.get("vulnerabilities")
    if said is None:
        return None
    return Vulnerabilities(
        said["scanner"],
        said["database"],
        said.get("severity") or "High",
        said.get("onlyFixed") is True,
        tuple(said.get("ignore") or ()),
        said.get("openVEX") or "",
    )


def _base_images(limits: Body) -> tuple[str, ...] | None:
    listed = limits.get("baseImages")
    return None if listed is None else tuple(listed)


Choice = TypeVar("Choice", bound=StrEnum)


def _choice(kind: type[Choice], value: str, field: str) -> Choice:
    _known(tuple(kind), value, field)
    return kind(value)


def _known(values: Sequence[str], value: str, field: str) -> None:
    """Refuse a value that a CRD of a later version allows: to ignore it would build something else."""
    if value not in values:
        raise InvalidSpecError(field, f"this version of the operator knows {', '.join(values)}, but not {value!r}")


def _attestations(output: Body) -> Attestations:
    attestations = output.get("attestations") or {}
    # What the key of the whole cluster has signed has to say which namespace it is from; nothing else says that two
    # builds have made the image.
    is_said = "cluster" in (output.get("signing") or {}) or bool(output.get("corroborate"))
    return Attestations(
        provenance=_form(attestations, "provenance", "SLSA") is not None or is_said,
        sbom=_form(attestations, "sbom", "SPDX", "CycloneDX"),
    )


def _corroborate(output: Body) -> Corroborate | None:
    asked = output.get("corroborate")
    # push: false asks for no image that anybody could rely on.
    return _choice(Corroborate, asked, "spec.output.corroborate") if asked and output.get("push", True) else None


def _skips(output: Body) -> bool:
    """Whether an image of the same inputs will do; not if the defaults have documents attached to each build."""
    attached = _attestations(output)
    is_bare = not (attached.provenance or attached.sbom or output.get("signing"))
    return output.get("skipIfUnchanged") is True and output.get("push", True) is True and is_bare


def _network(asked: str) -> bool:
    _known(("Default", "None"), asked, "spec.network")
    return asked == "None"


def _form(attestations: Body, kind: str, *forms: str) -> str | None:
    asked = str(attestations.get(kind, "None"))
    _known(("None", *forms), asked, f"spec.output.attestations.{kind}")
    return asked if asked in forms else None


def _signing(signing: Body | None) -> SigningKey | ClusterSigning | KeylessSigning | None:
    match signing:
        case None:
            return None
        case {"cluster": _} if len(signing) == 1:
            return ClusterSigning()
        case {"key": {"secretRef": ref}} if len(signing) == 1:
            return SigningKey(ref["name"])
        case {"keyless": {"fulcioURL": fulcio, "rekorURL": rekor, "timestampURL": timestamp}} if len(signing) == 1:
            return KeylessSigning(fulcio, rekor, timestamp)
        case _:
            raise InvalidSpecError(
                "spec.output.signing",
                "set one of key.secretRef, to a Secret with a private key, cluster, to {}, and keyless, to three URLs",
            )


def parse_platforms(spec: Body) -> tuple[Platform, ...]:
    """Parse `spec.output.platforms`.

    Raises:
        InvalidSpecError: one of them has no architecture.
    """
    names = (spec.get("output") or {}).get("platforms") or ()
    return tuple(_platform(index, name) for index, name in enumerate(names))


def _platform(index: int, name: str) -> Platform:
    system, _, rest = name.partition("/")
    architecture, _, variant = rest.partition("/")
    if not system or not architecture:
        raise InvalidSpecError(f"spec.output.platforms[{index}]", "write OS/ARCHITECTURE, like linux/arm64")
    return Platform(system, architecture, variant or None)


def parse_registry(registry: Body) -> Registry:
    """Parse an entry of `registries` in a spec or in defaults."""
    return Registry(
        host=registry["host"],
        plain_http=registry.get("plainHTTP", False),
        skip_tls_verify=registry.get("insecureSkipTLSVerify", False),
        mirrors=tuple(registry.get("mirrors") or ()),
        map_to=registry.get("mapTo"),
        ca_bundle=_ca_bundle(registry),
    )


def _ca_bundle(holder: Body) -> KeyRef | None:
    bundle = holder.get("caBundle")
    return _key_ref(bundle) if bundle else None


def _key_ref(union: Body) -> KeyRef | None:
    """Parse a union of key references; None if no field is set."""
    for field in ("secretKeyRef", "configMapKeyRef"):
        if ref := union.get(field):
            return KeyRef(field, ref["name"], ref["key"])
    return None


def _source(source: Body) -> Source:
    match source:
        case {"url": str(url)}:
            return UrlSource(url)
        case {"http": http}:
            return HttpSource(http["url"], http.get("sha256"), _name(http.get("secretRef")), _ca_bundle(http))
        case {"git": git}:
            return GitSource(
                git["url"],
                git.get("revision"),
                _name(git.get("secretRef")),
                git.get("knownHosts"),
                git.get("submodules", False),
                _ca_bundle(git),
            )
        case {"s3": s3}:
            return S3Source(
                s3["bucket"],
                s3["key"],
                s3.get("endpoint"),
                s3.get("region"),
                s3.get("sha256"),
                _name(s3.get("secretRef")),
                _ca_bundle(s3),
            )
        case {"oci": oci}:
            return OciSource(oci["image"], _name(oci.get("secretRef")), _ca_bundle(oci))
        case {"inline": inline}:
            return InlineSource(dict(inline["files"]))
        case {"configMap": config_map}:
            return ConfigMapSource(config_map["name"])
        case {"persistentVolumeClaim": volume}:
            return ClaimSource(volume["claimName"], volume.get("path", ""), volume.get("archive"))
        case {"upload": upload}:
            default = UploadSource()
            return UploadSource(
                upload.get("timeoutSeconds", default.timeout_seconds),
                upload.get("maxBytes", default.max_bytes),
                upload.get("sha256"),
            )
        case _:
            raise InvalidSpecError("spec.source", f"set exactly one of {', '.join(KINDS)}")


def _build_arg(index: int, arg: Body) -> BuildArg:
    return BuildArg(arg["name"], _value(f"spec.buildArgs[{index}]", arg))


def _build_secret(index: int, secret: Body) -> tuple[str, KeyRef]:
    ref = _key_ref(secret)
    if ref is None:
        raise InvalidSpecError(f"spec.buildSecrets[{index}]", "set secretKeyRef or configMapKeyRef")
    return secret["id"], ref


def _value(field: str, variable: Body) -> str | KeyRef:
    value: str | KeyRef | None = variable.get("value")
    value = _key_ref(variable.get("valueFrom") or {}) if value is None else value
    if value is None:
        raise InvalidSpecError(field, "set value, or one of the fields of valueFrom")
    return value


def parse_proxy(proxy: Body) -> Proxy:
    """Parse `proxy` of a spec or of defaults."""
    return Proxy(proxy.get("httpProxy"), proxy.get("httpsProxy"), proxy.get("noProxy"), _name(proxy.get("secretRef")))


def _cache(cache: Body) -> Cache:
    return Cache(
        enabled=cache.get("enabled", False),
        repo=cache.get("repo"),
        ttl_seconds=cache.get("ttlSeconds"),
        read_only=cache.get("readOnly", False),
        mounts_claim=_claim(cache.get("mounts")),
        base_images_claim=_claim(cache.get("baseImages")),
    )


def _claim(volume: Body | None) -> str | None:
    """The name of a volume's claim; None without one."""
    name: str | None = ((volume or {}).get("persistentVolumeClaim") or {}).get("claimName")
    return name


def _retry(retry: Body) -> RetrySpec:
    return RetrySpec(limit=retry.get("limit", 2), memory_percent=retry.get("memoryPercent"))


def _pod_template(spec: Body) -> PodTemplate:
    template = spec.get("podTemplate") or {}
    metadata = template.get("metadata") or {}
    return PodTemplate(
        env=tuple(
            EnvVar(variable["name"], _value(f"spec.env[{index}]", variable))
            for index, variable in enumerate(spec.get("env") or ())
        ),
        labels=dict(metadata.get("labels") or {}),
        annotations=dict(metadata.get("annotations") or {}),
        resources=spec.get("resources") or {},
        spec=dict(template.get("spec") or {}),
    )


def _name(ref: Body | None) -> str | None:
    return ref["name"] if ref else None
