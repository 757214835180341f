"""What the defaults in force allow a build to ask for, held against the build's own spec.

What the defaults themselves set is their author's choice, and is not refused.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from imagebuild_vocabulary.image_names import covers, familiar, registry_of
from imagebuild_vocabulary.secret_references import secret_references

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.build import Bounds, BuildSpec, ClusterSigning, Engine, KeylessSigning, SigningKey
from imagebuild_operator.api.errors import InvalidSpecError

#: Fields of `podTemplate.spec` that lead a push to another server, where its credentials would be sent.
NAMES: Final = ("hostAliases", "dnsConfig", "dnsPolicy")
#: The same of an entry of `registries`.
UNVERIFIED: Final = ("plainHTTP", "insecureSkipTLSVerify", "caBundle")
#: The ways to sign, as the limits name them.
WAYS: Final = {ClusterSigning: "Cluster", KeylessSigning: "Keyless", SigningKey: "Key"}
BY: Final = "the ImageBuildDefaults"


def check_bounds(own: Body, spec: BuildSpec, bounds: Bounds) -> None:
    """Refuse a build that asks for more than the defaults in force allow.

    Args:
        own: Its own spec, as written.
        spec: The spec, completed with the defaults.
        bounds: What it may ask for.

    Raises:
        InvalidSpecError: it asks for more.
    """
    account = spec.pod_template.spec.get("serviceAccountName")
    if bounds.service_accounts is not None and account is not None and account not in bounds.service_accounts:
        raise InvalidSpecError(
            "spec.podTemplate.spec.serviceAccountName",
            f"ServiceAccount {account} is not allowed by {BY}: write one of "
            f"{', '.join(sorted(bounds.service_accounts))}, or leave it out",
        )
    if bounds.timeout_seconds is not None and spec.timeout_seconds > bounds.timeout_seconds:
        raise InvalidSpecError(
            "spec.timeoutSeconds",
            f"{spec.timeout_seconds} is more than {BY} allow: write at most {bounds.timeout_seconds}",
        )
    priority = own.get("priority") or 0
    if bounds.priority is not None and priority > bounds.priority:
        raise InvalidSpecError("spec.priority", f"{priority} is more than {BY} allow: write at most {bounds.priority}")
    _check_engine(own.get("engine") or Engine.AUTO, bounds.engines)
    _check_signing(spec, bounds.signing)
    _check_pod(own, bounds)
    if bounds.push_secrets is not None:
        _check_push_secrets(own, bounds.push_secrets)
        pushed = {registry_of(image) for image in (own.get("output") or {}).get("images") or ()}
        _check_ways(own, pushed, UNVERIFIED, f"{BY} protect push credentials, which it could lead elsewhere")
    if bounds.images is not None:
        _check_images(own, bounds.images)
    if spec.base_images is not None:
        why = f"{BY} limit base images, which it could bring from elsewhere"
        _check_ways(own, None, (*UNVERIFIED, "mirrors", "mapTo"), why)
        for field, name in (("cache", "baseImages"), ("executor", "args")):
            if (own.get(field) or {}).get(name):
                raise InvalidSpecError(f"spec.{field}.{name}", f"{why}: leave it out")


def _check_pod(own: Body, bounds: Bounds) -> None:
    template = own.get("podTemplate") or {}
    fields = {name: f"spec.podTemplate.spec.{name}" for name in template.get("spec") or ()}
    if "resources" in own:
        fields["resources"] = "spec.resources"
    if bounds.pod_fields is not None:
        for name in sorted(fields.keys() - bounds.pod_fields):
            allowed = ", ".join(sorted(bounds.pod_fields)) or "none"
            raise InvalidSpecError(
                fields[name],
                f"{BY} do not allow builds to set it (allowed: {allowed}): leave it out",
            )
    if bounds.pod_metadata is not None:
        for kind in ("labels", "annotations"):
            for key in sorted((template.get("metadata") or {}).get(kind) or ()):
                if not any(key.startswith(prefix) for prefix in bounds.pod_metadata):
                    allowed = ", ".join(sorted(bounds.pod_metadata)) or "none"
                    raise InvalidSpecError(
                        f"spec.podTemplate.metadata.{kind}",
                        f"{BY} do not allow {key} (allowed are keys that begin with: {allowed}): leave it out",
                    )


def _check_push_secrets(own: Body, allowed: frozenset[str]) -> None:
    """Only `pushSecretRef` may name a Secret with push credentials, and nothing may lead a push to another server."""
    for path, name in secret_references(own):
        if path == "spec.output.pushSecretRef":
            if name not in allowed:
                names = ", ".join(sorted(allowed)) or "none"
                raise InvalidSpecError(path, f"Secret {name} is not allowed by {BY} (allowed: {names})")
        elif name in allowed:
            raise InvalidSpecError(path, f"{BY} allow Secret {name} in output.pushSecretRef only: use another Secret")


def _check_engine(engine: str, allowed: frozenset[str] | None) -> None:
    """Refuse an engine that is not allowed; Auto chooses among those that are, if there are any."""
    if allowed is not None and engine not in allowed and not (engine == Engine.AUTO and allowed):
        names = ", ".join(sorted(allowed)) or "none"
        raise InvalidSpecError("spec.engine", f"{engine} is not allowed by {BY} (allowed: {names})")


def _check_signing(spec: BuildSpec, allowed: frozenset[str] | None) -> None:
    """Refuse an image that nothing signs, or that something else signs."""
    if allowed is None or not spec.push:
        return
    way = WAYS[type(spec.signing)] if spec.signing else ""
    if way not in allowed:
        ways = " or ".join(f"output.signing.{each.lower()}" for each in sorted(allowed))
        told = f"signing with {way.lower()} is not allowed by {BY}" if way else f"{BY} require a signature"
        raise InvalidSpecError("spec.output.signing", f"{told}: write {ways}")


def _check_images(own: Body, allowed: Collection[str]) -> None:
    """Refuse images, and a repository of cached layers, that are not allowed."""
    images, repo = (own.get("output") or {}).get("images") or (), (own.get("cache") or {}).get("repo")
    targets = [(f"spec.output.images[{index}]", image) for index, image in enumerate(images)]
    for path, target in (*targets, *([("spec.cache.repo", repo)] if repo else [])):
        if not any(covers(each, familiar(target)) for each in allowed):
            names = ", ".join(sorted(allowed)) or "none"
            raise InvalidSpecError(path, f"{target} is not allowed by {BY}: write an image below {names}")


def _check_ways(own: Body, hosts: Collection[str] | None, fields: Iterable[str], why: str) -> None:
    """Refuse what says how registries are reached.

    Args:
        own: The build's own spec.
        hosts: The registries; None for all.
        fields: Fields of `spec.registries` that say it.
        why: What they could do, without a full stop.
    """
    pod = (own.get("podTemplate") or {}).get("spec") or {}
    for name in NAMES:
        if name in pod:
            raise InvalidSpecError(f"spec.podTemplate.spec.{name}", f"{why}: leave it out")
    if "proxy" in own:
        raise InvalidSpecError("spec.proxy", f"{why}: leave it out")
    for index, registry in enumerate(own.get("registries") or ()):
        is_one = hosts is None or registry_of(f"{registry.get('host')}/image") in hosts
        if is_one and (named := [name for name in fields if registry.get(name)]):
            raise InvalidSpecError(f"spec.registries[{index}].{named[0]}", f"{why}: leave it out")


def merge_limits(namespace: Mapping[str, Any], cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of a namespace within those of the cluster: the smaller number, and what both allow."""
    merged = {**cluster, **namespace}
    for name in namespace.keys() & cluster.keys():
        merged[name] = _narrower(name, namespace[name], cluster[name])
    return merged


def _narrower(name: str, own: Any, default: Any) -> Any:  # noqa: ANN401 - any limit
    if name == "maxRunning":
        # 0 means any number.
        return min(filter(None, (own, default)), default=0)
    if name == "vulnerabilities":
        # What the cluster asks for, no namespace changes.
        return default
    if isinstance(own, int):
        return min(own, default)
    if name in {"podMetadata", "baseImages", "images"}:
        # The longer one of two is the narrower.
        nested = _nested if name == "podMetadata" else covers
        pairs = ((one, other) for one in own for other in default)
        return sorted({max(pair, key=len) for pair in pairs if nested(*pair) or nested(*reversed(pair))})
    return [item for item in own if item in default]


def _nested(one: str, other: str) -> bool:
    """Whether a prefix has all keys of another."""
    return other.startswith(one)
