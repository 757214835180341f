"""The defaults of a namespace and a build's own words: which counts."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.build import Bounds
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.build import decide_build, parts
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.defaults.bounds import check_bounds
from imagebuild_operator.defaults.effective import with_defaults
from imagebuild_operator.defaults.namespace import NO_DEFAULTS, NamespaceDefaults, namespace_defaults
from imagebuild_operator.defaults.objects import DefaultsObject, parse_defaults
from imagebuild_operator.defaults.rules import complete, merge_defaults, values_for_builds
from imagebuild_operator.pod.manifest import pod_name
from support.builds import POD, SETTINGS, SPEC, a_build, a_pod, after

Json = dict[str, Any]


def an_object(spec: Json, namespace: str | None = "team", generation: int = 3) -> DefaultsObject:
    metadata = {"name": "default", "uid": "u", "resourceVersion": "1", "generation": generation}
    return parse_defaults({"metadata": {**metadata, **({"namespace": namespace} if namespace else {})}, "spec": spec})


def read(spec: Json) -> NamespaceDefaults:
    return namespace_defaults(an_object(spec), None)


def effective_spec(spec: Json, defaults: Json) -> Json:
    return complete(spec, values_for_builds(defaults))


def pod(**fields: object) -> Json:
    return {"podTemplate": {"spec": fields}}


#: What the build says, what the defaults say, what counts.
CA = {"configMapKeyRef": {"name": "company-ca", "key": "ca.crt"}}
TABLE: dict[str, tuple[Json, Json, Json]] = {
    "nothing": ({}, {}, {}),
    "a registry of another host is added": (
        {"registries": [{"host": "a.io", "plainHTTP": True}]},
        {"registries": [{"host": "b.io", "insecureSkipTLSVerify": True}]},
        {"registries": [{"host": "a.io", "plainHTTP": True}, {"host": "b.io", "insecureSkipTLSVerify": True}]},
    ),
    "a registry of the same host is the build's": (
        {"registries": [{"host": "a.io"}]},
        {"registries": [{"host": "a.io", "plainHTTP": True}]},
        {"registries": [{"host": "a.io"}]},
    ),
    "a build that maps takes no mirrors": (
        {"registries": [{"host": "a.io", "mapTo": "m.io"}]},
        {"registries": [{"host": "docker.io", "mirrors": ["m.io"]}]},
        {"registries": [{"host": "a.io", "mapTo": "m.io"}]},
    ),
    "the cache is turned on": ({}, {"cache": {"enabled": True}}, {"cache": {"enabled": True}}),
    "the cache is turned off": (
        {"cache": {"enabled": False}},
        {"cache": {"enabled": True, "repo": "r.io/cache"}},
        {"cache": {"enabled": False, "repo": "r.io/cache"}},
    ),
    "the cache gets its repository": (
        {"cache": {"enabled": True, "ttlSeconds": 5}},
        {"cache": {"repo": "r.io/cache", "ttlSeconds": 9, "readOnly": True}},
        {"cache": {"enabled": True, "ttlSeconds": 5, "repo": "r.io/cache", "readOnly": True}},
    ),
    "caches are kept in the volume of the namespace": (
        {"cache": {"enabled": True}},
        {"cache": {"mounts": {"persistentVolumeClaim": {"claimName": "shared"}}}},
        {"cache": {"enabled": True, "mounts": {"persistentVolumeClaim": {"claimName": "shared"}}}},
    ),
    "a build has a volume of its own": (
        {"cache": {"mounts": {"persistentVolumeClaim": {"claimName": "own"}}}},
        {"cache": {"enabled": True, "mounts": {"persistentVolumeClaim": {"claimName": "shared"}}}},
        {"cache": {"enabled": True, "mounts": {"persistentVolumeClaim": {"claimName": "own"}}}},
    ),
    "a build does without the volume of the namespace": (
        {"cache": {"mounts": {}}},
        {"cache": {"enabled": True, "mounts": {"persistentVolumeClaim": {"claimName": "shared"}}}},
        {"cache": {"enabled": True, "mounts": {}}},
    ),
    "images are signed, and a build can do without an SBOM": (
        {"output": {"images": ["r.io/a"], "attestations": {"sbom": "None"}}},
        {"attestations": {"provenance": "SLSA", "sbom": "SPDX"}, "signing": {"key": {"secretRef": {"name": "key"}}}},
        {
            "output": {
                "images": ["r.io/a"],
                "attestations": {"provenance": "SLSA", "sbom": "None"},
                "signing": {"key": {"secretRef": {"name": "key"}}},
            }
        },
    ),
    "pull Secrets follow the build's own": (
        {"pullSecretRefs": [{"name": "own"}, {"name": "hub"}]},
        {"pullSecretRefs": [{"name": "hub"}, {"name": "team"}]},
        {"pullSecretRefs": [{"name": "own"}, {"name": "hub"}, {"name": "team"}]},
    ),
    "the push Secret": (
        {"output": {"images": ["r.io/a"], "push": True}},
        {"pushSecretRef": {"name": "team"}},
        {"output": {"images": ["r.io/a"], "push": True, "pushSecretRef": {"name": "team"}}},
    ),
    "the build's push Secret": (
        {"output": {"pushSecretRef": {"name": "own"}}},
        {"pushSecretRef": {"name": "team"}},
        {"output": {"pushSecretRef": {"name": "own"}}},
    ),
    "timeout": ({}, {"timeoutSeconds": 60}, {"timeoutSeconds": 60}),
    "the build's timeout": ({"timeoutSeconds": 30}, {"timeoutSeconds": 60}, {"timeoutSeconds": 30}),
    "a low maximum is the default": ({}, {"limits": {"maxTimeoutSeconds": 600}}, {"timeoutSeconds": 600}),
    "a high maximum is not": ({}, {"limits": {"maxTimeoutSeconds": 7200}}, {"timeoutSeconds": 3600}),
    "a default below the maximum": (
        {},
        {"timeoutSeconds": 60, "limits": {"maxTimeoutSeconds": 600}},
        {"timeoutSeconds": 60},
    ),
    "retries": (
        {"retry": {"memoryPercent": 200}},
        {"retry": {"limit": 5, "memoryPercent": 300}},
        {"retry": {"limit": 5, "memoryPercent": 200}},
    ),
    **{
        f"the CA bundle of a source of kind {kind}": (
            {"source": {kind: {"x": 1}}},
            {"source": {"caBundle": CA}},
            {"source": {kind: {"x": 1, "caBundle": CA}}},
        )
        for kind in ("http", "git", "s3", "oci")
    },
    "the build's own CA bundle": (
        {"source": {"git": {"caBundle": {"secretKeyRef": {"name": "own", "key": "ca.crt"}}}}},
        {"source": {"caBundle": CA}},
        {"source": {"git": {"caBundle": {"secretKeyRef": {"name": "own", "key": "ca.crt"}}}}},
    ),
    "a source without a server": (
        {"source": {"configMap": {"name": "x"}}},
        {"source": {"caBundle": CA}},
        {"source": {"configMap": {"name": "x"}}},
    ),
    "proxies as a whole": (
        {"proxy": {"httpProxy": "http://own:1"}},
        {"proxy": {"secretRef": {"name": "proxy"}}},
        {"proxy": {"httpProxy": "http://own:1"}},
    ),
    "no proxy": ({"proxy": {}}, {"proxy": {"httpProxy": "http://team:1"}}, {"proxy": {}}),
    "the proxy of the namespace": (
        {},
        {"proxy": {"httpProxy": "http://team:1"}},
        {"proxy": {"httpProxy": "http://team:1"}},
    ),
    "variables by name": (
        {"env": [{"name": "A", "value": ""}]},
        {"env": [{"name": "A", "value": "2"}, {"name": "B", "value": "2"}]},
        {"env": [{"name": "A", "value": ""}, {"name": "B", "value": "2"}]},
    ),
    "labels and annotations": (
        {"podTemplate": {"metadata": {"labels": {"a": "1"}}}},
        {"podTemplate": {"metadata": {"labels": {"a": "2", "b": "2"}, "annotations": {"c": "2"}}}},
        {"podTemplate": {"metadata": {"labels": {"a": "1", "b": "2"}, "annotations": {"c": "2"}}}},
    ),
    "a resource is the build's or the default's, never half of each": (
        {"resources": {"limits": {"memory": "200Mi"}}},
        {"resources": {"requests": {"memory": "512Mi", "cpu": "1"}, "limits": {"ephemeral-storage": "5Gi"}}},
        {"resources": {"limits": {"memory": "200Mi", "ephemeral-storage": "5Gi"}, "requests": {"cpu": "1"}}},
    ),
    "node labels": (pod(nodeSelector={"a": "1"}), pod(nodeSelector={"b": "2"}), pod(nodeSelector={"a": "1", "b": "2"})),
    "tolerations": (
        pod(tolerations=[{"key": "a"}]),
        pod(tolerations=[{"key": "a"}, {"key": "a", "effect": "NoExecute"}]),
        pod(tolerations=[{"key": "a"}, {"key": "a", "effect": "NoExecute"}]),
    ),
    "image pull Secrets": (
        pod(imagePullSecrets=[{"name": "a"}]),
        pod(imagePullSecrets=[{"name": "a"}, {"name": "b"}]),
        pod(imagePullSecrets=[{"name": "a"}, {"name": "b"}]),
    ),
    "host aliases": (
        pod(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["a"]}]),
        pod(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["b"]}, {"ip": "10.0.0.2"}]),
        pod(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["a"]}, {"ip": "10.0.0.2"}]),
    ),
    "affinity by kind": (
        pod(affinity={"nodeAffinity": {"x": 1}}),
        pod(affinity={"nodeAffinity": {"y": 2}, "podAntiAffinity": {"z": 3}}),
        pod(affinity={"nodeAffinity": {"x": 1}, "podAntiAffinity": {"z": 3}}),
    ),
    "other fields of the pod are replaced as a whole": (
        pod(dnsConfig={"searches": ["a"]}, topologySpreadConstraints=[{"topologyKey": "a"}]),
        pod(dnsConfig={"nameservers": ["b"]}, topologySpreadConstraints=[{"topologyKey": "b"}], hostUsers=False),
        pod(dnsConfig={"searches": ["a"]}, topologySpreadConstraints=[{"topologyKey": "a"}], hostUsers=False),
    ),
    "what is no field of a build stays out of it": (
        {},
        {
            "history": {"failed": 1},
            "limits": {"maxRunning": 1},
            "allowedServiceAccounts": [],
            "ttlSecondsAfterFinished": 5,
        },
        {},
    ),
}


@pytest.mark.parametrize(("own", "defaults", "expected"), TABLE.values(), ids=TABLE)
def test_which_value_counts(own: Json, defaults: Json, expected: Json):
    assert effective_spec(own, defaults) == expected


NAMES = st.sampled_from("abc")
REFS = st.lists(NAMES, max_size=3, unique=True).map(lambda names: [{"name": name} for name in names])
TEXTS = st.dictionaries(NAMES, NAMES, max_size=3)
QUANTITIES = st.dictionaries(st.sampled_from(["cpu", "memory"]), st.sampled_from(["1", "2"]))


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional=fields)


REGISTRIES = st.sampled_from(["mirrors", "mapTo"]).flatmap(
    lambda kind: st.lists(
        st.fixed_dictionaries(
            {"host": NAMES},
            optional={
                "plainHTTP": st.booleans(),
                kind: NAMES.map(lambda name: [name]) if kind == "mirrors" else NAMES,
            },
        ),
        max_size=3,
        unique_by=lambda registry: registry["host"],
    )
)
ENV = st.lists(
    st.fixed_dictionaries({"name": NAMES, "value": NAMES}), max_size=3, unique_by=lambda variable: variable["name"]
)
FIELDS = {
    "registries": REGISTRIES,
    "cache": some(enabled=st.booleans(), repo=NAMES, ttlSeconds=st.integers(1, 9), readOnly=st.booleans()),
    "pullSecretRefs": REFS,
    "retry": some(limit=st.integers(0, 3), memoryPercent=st.just(200)),
    "timeoutSeconds": st.integers(1, 9999),
    "proxy": some(httpProxy=NAMES, noProxy=NAMES),
    "env": ENV,
    "resources": some(requests=QUANTITIES, limits=QUANTITIES),
    "podTemplate": some(
        metadata=some(labels=TEXTS, annotations=TEXTS),
        spec=some(
            nodeSelector=TEXTS,
            tolerations=st.lists(some(key=NAMES, value=NAMES), max_size=2),
            imagePullSecrets=REFS,
            dnsConfig=some(searches=st.lists(NAMES)),
            serviceAccountName=NAMES,
            hostUsers=st.booleans(),
        ),
    ),
}
REF = st.fixed_dictionaries({"name": NAMES})
SPECS = st.fixed_dictionaries(
    {
        "source": st.just({"url": "u"}),
        "output": st.fixed_dictionaries({"images": st.just(["i"])}, optional={"pushSecretRef": REF}),
    },
    optional=FIELDS,
)
DEFAULTS = some(
    **FIELDS,
    pushSecretRef=REF,
    attestations=some(sbom=st.sampled_from(["SPDX", "CycloneDX", "None"])),
    limits=some(maxTimeoutSeconds=st.integers(1, 9999), maxRunning=st.just(1)),
)


def own_words(own: object, effective: object) -> bool:
    """Whether all that the build says is in the effective spec: lists may go on after it, maps have more."""
    if isinstance(own, Mapping) and isinstance(effective, Mapping):
        return all(name in effective and own_words(value, effective[name]) for name, value in own.items())
    if isinstance(own, list) and isinstance(effective, list):
        return effective[: len(own)] == own
    return own == effective


@given(SPECS, DEFAULTS)
def test_what_the_build_says_always_stays(spec: Json, defaults: Json):
    assert own_words(spec, effective_spec(spec, defaults))


@given(SPECS, DEFAULTS)
def test_filling_up_twice_adds_nothing(spec: Json, defaults: Json):
    once = effective_spec(spec, defaults)
    assert effective_spec(once, defaults) == once


@given(SPECS)
def test_without_defaults_nothing_changes(spec: Json):
    assert effective_spec(spec, {}) == spec


@given(DEFAULTS, DEFAULTS)
def test_what_the_namespace_says_counts_before_what_the_cluster_says(namespace: Json, cluster: Json):
    # Limits are bounds: test_bounds.py.
    words = {name: value for name, value in namespace.items() if name not in {"limits", "allowedServiceAccounts"}}
    assert own_words(words, merge_defaults(namespace, cluster))
    assert merge_defaults(namespace, {}) == namespace
    assert merge_defaults({}, cluster) == cluster


@given(SPECS, DEFAULTS)
def test_a_build_that_has_begun_keeps_what_it_has_begun_with(spec: Json, defaults: Json):
    first = with_defaults(a_build(spec), read(defaults))
    recorded = json.loads(json.dumps(first.applied_defaults))
    begun = a_build(spec, {"podName": POD, "appliedDefaults": recorded})
    for later in ({}, {"timeoutSeconds": 1, "allowedServiceAccounts": []}):
        again = with_defaults(begun, read(later))
        assert (again.spec, again.applied_defaults, again.bounds) == (first.spec, recorded, Bounds())


def test_a_build_that_began_without_defaults_gets_none_later():
    begun = a_build(status={"startTime": "2026-11-24T08:00:00Z"})
    assert with_defaults(begun, read({"timeoutSeconds": 5})).spec["timeoutSeconds"] == SPEC["timeoutSeconds"]
    assert with_defaults(begun, read({"retry": {"limit": 5}})).spec == begun.spec


def test_the_first_pod_is_built_with_the_defaults_and_they_are_recorded_with_it():
    defaults = read({"pullSecretRefs": [{"name": "team"}], "podTemplate": {"spec": {"hostUsers": False}}})
    build = with_defaults(a_build(), defaults)
    [create] = decide(ReconcileInput(build, [], SETTINGS, after(1))).create
    assert create.manifest["spec"]["hostUsers"] is False
    status = decide(ReconcileInput(build, [a_pod()], SETTINGS, after(1))).status or {}
    assert status["appliedDefaults"] == {
        "sources": [{"kind": "ImageBuildDefaults", "generation": 3}],
        "spec": {"pullSecretRefs": [{"name": "team"}], "podTemplate": {"spec": {"hostUsers": False}}},
    }
    assert "appliedDefaults" not in (decide(ReconcileInput(a_build(), [a_pod()], SETTINGS, after(1))).status or {})


def test_platforms_are_built_with_the_same_defaults():
    defaults = read({"retry": {"limit": 5}, "allowedServiceAccounts": []})
    output = {"images": ["r.io/a"], "platforms": ["linux/amd64", "linux/arm64"]}
    build = with_defaults(a_build({"output": output}), defaults)
    pods = [
        a_pod(name=pod_name(part), platform=part.platform.label, is_gated=True)
        for part in parts(build)
        if part.platform
    ]
    status = decide_build(ReconcileInput(build, pods, SETTINGS, after(1))).status or {}
    assert status["appliedDefaults"]["spec"] == {"retry": {"limit": 5}}
    recorded = {name: value for name, value in status.items() if value is not None}
    again = with_defaults(a_build(build.spec, recorded), read({"retry": {"memoryPercent": 200}}))
    assert (again.spec["retry"], again.bounds) == ({"limit": 5}, Bounds())


ACCOUNT = "spec.podTemplate.spec.serviceAccountName"
BUILDER: Json = {"podTemplate": {"spec": {"serviceAccountName": "builder"}}}


@pytest.mark.parametrize(
    ("own", "defaults", "refused"),
    [
        (BUILDER, {}, None),
        (BUILDER, {"allowedServiceAccounts": ["builder", "b"]}, None),
        (BUILDER, {"allowedServiceAccounts": ["b", "c"]}, f"{ACCOUNT}: ServiceAccount builder is not allowed"),
        (BUILDER, {"allowedServiceAccounts": []}, "write one of default, or leave it out"),
        ({}, {"allowedServiceAccounts": []}, None),
        ({}, {"allowedServiceAccounts": [], **BUILDER}, None),
        (BUILDER, {"allowedServiceAccounts": [], **BUILDER}, None),
        (pod(serviceAccountName="default"), {"allowedServiceAccounts": [], **BUILDER}, None),
        ({"timeoutSeconds": 60}, {"limits": {"maxTimeoutSeconds": 60}}, None),
        ({"timeoutSeconds": 61}, {"limits": {"maxTimeoutSeconds": 60}}, "spec.timeoutSeconds: 61 is more than"),
    ],
)
def test_a_build_that_asks_for_more_than_the_namespace_allows_fails(own: Json, defaults: Json, refused: str | None):
    build = with_defaults(a_build({"timeoutSeconds": 30, **own}), read(defaults))
    plan = decide(ReconcileInput(build, [], SETTINGS, after(1)))
    if refused is None:
        assert plan.create
        return
    status = plan.status or {}
    assert (status["phase"], status["reason"]) == ("Failed", "InvalidSpec")
    assert refused in status["message"]
    assert not plan.create
    with pytest.raises(InvalidSpecError):
        check_bounds(build.own_spec, parse_spec(build.spec), build.bounds)


def test_what_is_read_of_the_defaults():
    assert read({}) == NO_DEFAULTS
    made = read({"history": {"failed": 0}, "limits": {"maxRunning": 0}, "ttlSecondsAfterFinished": 0})
    assert (made.history.succeeded, made.history.failed, made.max_running, made.ttl) == (None, 0, 0, 0)
