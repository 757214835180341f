"""What builds may ask for where a namespace's defaults limit it."""

from typing import Any

import pytest
from imagebuild_operator.api.build import Engine, Vulnerabilities
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.defaults.bounds import check_bounds, merge_limits
from imagebuild_operator.defaults.namespace import namespace_defaults
from imagebuild_operator.defaults.objects import DefaultsObject, parse_defaults
from imagebuild_operator.defaults.rules import complete, merge_defaults

Json = dict[str, Any]
OWN: Json = {
    "source": {"git": {"url": "https://h.example/a.git", "secretRef": {"name": "git"}}},
    "output": {"images": ["registry.example/team/app:1"], "pushSecretRef": {"name": "push"}},
}


def an_object(spec: Json, namespace: str = "team") -> DefaultsObject:
    metadata = {"name": "default", "uid": "u", "resourceVersion": "1", "generation": 1, "namespace": namespace}
    return parse_defaults({"metadata": metadata, "spec": spec})


def check(defaults: Json, **own: object) -> None:
    written = {**OWN, **own}
    in_force = namespace_defaults(an_object(defaults), None)
    spec = complete(written, in_force.applied.get("spec") or {})
    check_bounds(written, parse_spec(spec), in_force.bounds)


PROTECTED: Json = {"limits": {"pushSecrets": ["push", "other-push"]}}
KEY = {"name": "push", "key": ".dockerconfigjson"}


@pytest.mark.shows("A53")
@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({"buildSecrets": [{"id": "x", "secretKeyRef": KEY}]}, "spec.buildSecrets[0].secretKeyRef"),
        (
            {"buildArgs": [{"name": "X", "valueFrom": {"secretKeyRef": KEY}}]},
            "spec.buildArgs[0].valueFrom.secretKeyRef",
        ),
        (
            {"env": [{"name": "X", "valueFrom": {"secretKeyRef": KEY}}]},
            "spec.env[0].valueFrom.secretKeyRef",
        ),
        ({"pullSecretRefs": [{"name": "a"}, {"name": "other-push"}]}, "spec.pullSecretRefs"),
        ({"source": {"http": {"url": "https://x", "secretRef": {"name": "push"}}}}, "spec.source.http.secretRef"),
        (
            {"source": {"git": {"url": "https://x/a", "caBundle": {"secretKeyRef": KEY}}}},
            "spec.source.git.caBundle.secretKeyRef",
        ),
        (
            {"registries": [{"host": "x", "caBundle": {"secretKeyRef": KEY}}]},
            "spec.registries[0].caBundle.secretKeyRef",
        ),
        ({"proxy": {"secretRef": {"name": "push"}}}, "spec.proxy.secretRef"),
        (
            {"output": {**OWN["output"], "signing": {"key": {"secretRef": {"name": "push"}}}}},
            "spec.output.signing.key.secretRef",
        ),
        ({"output": {**OWN["output"], "pushSecretRef": {"name": "git"}}}, "spec.output.pushSecretRef"),
        ({"podTemplate": {"spec": {"hostAliases": [{"ip": "10.0.0.9"}]}}}, "spec.podTemplate.spec.hostAliases"),
        ({"podTemplate": {"spec": {"dnsConfig": {"nameservers": ["10.0.0.9"]}}}}, "spec.podTemplate.spec.dnsConfig"),
        ({"podTemplate": {"spec": {"dnsPolicy": "None"}}}, "spec.podTemplate.spec.dnsPolicy"),
        ({"proxy": {"https": "http://evil.example"}}, "spec.proxy"),
        ({"registries": [{"host": "registry.example", "plainHTTP": True}]}, "spec.registries[0].plainHTTP"),
        (
            {"registries": [{"host": "registry.example", "insecureSkipTLSVerify": True}]},
            "spec.registries[0].insecureSkipTLSVerify",
        ),
        (
            {"registries": [{"host": "registry.example", "caBundle": {"configMapKeyRef": {"name": "x", "key": "y"}}}]},
            "spec.registries[0].caBundle",
        ),
    ],
)
def test_a_push_secret_is_for_pushing_and_for_its_registry(own: Json, field: str):
    check({}, **own)
    with pytest.raises(InvalidSpecError) as caught:
        check(PROTECTED, **own)
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.shows("A53")
@pytest.mark.parametrize("host", ["docker.io", "index.docker.io"])
@pytest.mark.parametrize("image", ["team/app:1", "docker.io/team/app:1", "registry-1.docker.io/team/app:1"])
def test_docker_hub_is_one_registry_whatever_it_is_called(host: str, image: str):
    output = {"images": [image], "pushSecretRef": {"name": "push"}}
    with pytest.raises(InvalidSpecError, match=r"^spec.registries\[0\].insecureSkipTLSVerify: "):
        check(PROTECTED, output=output, registries=[{"host": host, "insecureSkipTLSVerify": True}])


def test_what_is_not_about_push_secrets_stays_allowed():
    check(PROTECTED)
    check(PROTECTED, pullSecretRefs=[{"name": "pull"}], registries=[{"host": "other.example", "plainHTTP": True}])
    check({**PROTECTED, "limits": {"pushSecrets": []}, "pushSecretRef": {"name": "push"}})
    # What the defaults set is their author's choice.
    mirrored = {"registries": [{"host": "registry.example", "plainHTTP": True}], "proxy": {"https": "http://p.example"}}
    check({**PROTECTED, **mirrored, "podTemplate": {"spec": {"dnsPolicy": "Default"}}})


@pytest.mark.shows("A53")
@pytest.mark.parametrize(
    ("limits", "own", "field"),
    [
        ({"maxPriority": 0}, {"priority": 1}, "spec.priority"),
        (
            {"podFields": ["resources"]},
            {"podTemplate": {"spec": {"tolerations": []}}},
            "spec.podTemplate.spec.tolerations",
        ),
        (
            {"podFields": []},
            {"podTemplate": {"spec": {"priorityClassName": "x"}}},
            "spec.podTemplate.spec.priorityClassName",
        ),
        (
            {"podMetadata": ["example.com/"]},
            {"podTemplate": {"metadata": {"annotations": {"io.kubernetes.cri-o.userns-mode": "x"}}}},
            "spec.podTemplate.metadata.annotations",
        ),
        (
            {"podMetadata": []},
            {"podTemplate": {"metadata": {"labels": {"app": "web"}}}},
            "spec.podTemplate.metadata.labels",
        ),
    ],
)
def test_what_a_build_sets_on_its_pod_can_be_limited(limits: Json, own: Json, field: str):
    check({}, **own)
    with pytest.raises(InvalidSpecError) as caught:
        check({"limits": limits}, **own)
    assert str(caught.value).startswith(f"{field}: ")


SCAN: Json = {"scanner": "r.example/trivy:1", "database": "r.example/db:1"}
ONLY_OURS: Json = {"limits": {"baseImages": ["registry.example/approved", "docker.io/library"]}}


@pytest.mark.shows("A68")
@pytest.mark.parametrize(
    ("allowed", "own", "field"),
    [
        (["registry.example/teams"], {}, "spec.output.images[0]"),
        (["registry.example/team/app:2"], {}, "spec.output.images[0]"),
        (
            ["registry.example/team"],
            {"output": {"images": ["registry.example/team/a", "team/a"]}},
            "spec.output.images[1]",
        ),
        (["registry.example/team"], {"cache": {"repo": "registry.example/other"}}, "spec.cache.repo"),
    ],
)
def test_a_build_pushes_and_caches_where_it_is_allowed_to(allowed: list[str], own: Json, field: str):
    check({}, **own)
    with pytest.raises(InvalidSpecError) as caught:
        check({"limits": {"images": allowed}}, **own)
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.parametrize("allowed", ["registry.example", "registry.example/team/app", "registry.example/team/app:1"])
def test_what_is_below_an_entry_is_allowed(allowed: str):
    check({"limits": {"images": [allowed]}})
    check({"limits": {"images": [allowed]}, "cache": {"repo": "registry.example/cache"}})
    check({"limits": {"images": ["docker.io/team"]}}, output={"images": ["team/app:1", "index.docker.io/team/b"]})


@pytest.mark.shows("A62")
@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({"registries": [{"host": "docker.io", "mirrors": ["evil.example"]}]}, "spec.registries[0].mirrors"),
        ({"registries": [{"host": "docker.io", "mapTo": ["evil.example"]}]}, "spec.registries[0].mapTo"),
        ({"registries": [{"host": "docker.io", "plainHTTP": True}]}, "spec.registries[0].plainHTTP"),
        (
            {"registries": [{"host": "a.example"}, {"host": "docker.io", "insecureSkipTLSVerify": True}]},
            "spec.registries[1].insecureSkipTLSVerify",
        ),
        ({"podTemplate": {"spec": {"hostAliases": [{"ip": "10.0.0.9"}]}}}, "spec.podTemplate.spec.hostAliases"),
        ({"proxy": {"https": "http://evil.example"}}, "spec.proxy"),
        ({"executor": {"args": ["--registry-map=docker.io=evil.example"]}}, "spec.executor.args"),
        ({"cache": {"baseImages": {"claimName": "mine"}}}, "spec.cache.baseImages"),
    ],
)
def test_base_images_that_are_limited_come_from_where_they_are(own: Json, field: str):
    check({}, **own)
    with pytest.raises(InvalidSpecError) as caught:
        check(ONLY_OURS, **own)
    assert str(caught.value).startswith(f"{field}: the ImageBuildDefaults limit base images")


def test_the_limits_of_base_images_are_recorded_with_the_values_for_builds():
    check(ONLY_OURS)
    in_force = namespace_defaults(an_object(ONLY_OURS), None)
    assert in_force.applied["spec"] == {"limits": {"baseImages": ["registry.example/approved", "docker.io/library"]}}
    spec = parse_spec(complete(OWN, in_force.applied["spec"]))
    assert spec.base_images == ("registry.example/approved", "docker.io/library")


def test_a_scan_is_recorded_with_the_values_for_builds():
    check({"limits": {"vulnerabilities": SCAN}})
    in_force = namespace_defaults(an_object({"limits": {"vulnerabilities": SCAN}}), None)
    own = {**OWN, "output": {**OWN["output"], "skipIfUnchanged": True}}
    spec = parse_spec(complete(own, in_force.applied["spec"]))
    assert spec.vulnerabilities == Vulnerabilities("r.example/trivy:1", "r.example/db:1", "High")
    # What was let pass once may not be let pass today.
    assert spec.skip_if_unchanged is False


@pytest.mark.parametrize(
    ("allowed", "asked", "engine"),
    [
        (["BuildKit"], None, Engine.BUILDKIT),
        (["BuildKit"], "Auto", Engine.BUILDKIT),
        (["BuildKit"], "BuildKit", Engine.BUILDKIT),
        (["Kaniko"], None, Engine.KANIKO),
        (["BuildKit", "Kaniko"], "Auto", Engine.AUTO),
        (["BuildKit", "Kaniko"], None, None),
    ],
)
def test_the_only_engine_that_is_allowed_is_that_of_every_build(allowed: list[str], asked: str | None, engine: Engine):
    defaults = {"limits": {"engines": allowed}}
    check(defaults, **({"engine": asked} if asked else {}))
    # Recorded with the values for builds: no attempt goes on with another.
    applied = namespace_defaults(an_object(defaults), None).applied["spec"]
    assert parse_spec(complete({**OWN, **({"engine": asked} if asked else {})}, applied)).engine is engine


@pytest.mark.shows("A68")
@pytest.mark.parametrize(
    ("namespace", "cluster", "asked", "problem"),
    [
        (["BuildKit"], None, "Kaniko", "Kaniko is not allowed by the ImageBuildDefaults (allowed: BuildKit)"),
        (["Kaniko"], ["BuildKit"], "Kaniko", "Kaniko is not allowed by the ImageBuildDefaults (allowed: none)"),
        (["Kaniko"], ["BuildKit"], None, "Auto is not allowed by the ImageBuildDefaults (allowed: none)"),
    ],
)
def test_an_engine_that_is_not_allowed_builds_nothing(
    namespace: list[str], cluster: list[str] | None, asked: str | None, problem: str
):
    limits = merge_limits({"engines": namespace}, {} if cluster is None else {"engines": cluster})
    with pytest.raises(InvalidSpecError) as caught:
        check({"limits": limits}, **({"engine": asked} if asked else {}))
    assert str(caught.value) == f"spec.engine: {problem}"


def test_within_the_limits_nothing_is_refused():
    limits = {"maxPriority": 5, "podFields": ["resources"], "podMetadata": ["example.com/"]}
    metadata = {"labels": {"example.com/team": "a"}, "annotations": {"example.com/cost": "1"}}
    check({"limits": limits}, priority=5, resources={}, podTemplate={"metadata": metadata})
    check({"limits": limits}, priority=-5)


@pytest.mark.parametrize(
    ("namespace", "cluster", "merged"),
    [
        ({"maxRunning": 5}, {"maxRunning": 2}, {"maxRunning": 2}),
        (
            {
                "images": ["r.example/a"],
                "baseImages": ["docker.io/library/python", "docker.io/team", "r.example", "r.example:5000/x"],
            },
            {
                "images": ["r.example/a/b", "x.example"],
                "baseImages": ["docker.io/library", "docker.io/team/app:1", "r.example.evil", "r.example"],
            },
            {
                "images": ["r.example/a/b"],
                "baseImages": ["docker.io/library/python", "docker.io/team/app:1", "r.example"],
            },
        ),
        ({"baseImages": ["docker.io"]}, {"baseImages": ["r.example"]}, {"baseImages": []}),
        ({"maxRunning": 0}, {"maxRunning": 2}, {"maxRunning": 2}),
        ({"maxRunning": 1}, {"maxRunning": 0}, {"maxRunning": 1}),
        ({"maxTimeoutSeconds": 60}, {"maxTimeoutSeconds": 30}, {"maxTimeoutSeconds": 30}),
        ({"maxPriority": 3}, {}, {"maxPriority": 3}),
        ({"pushSecrets": ["a", "b"]}, {"pushSecrets": ["b", "c"]}, {"pushSecrets": ["b"]}),
        ({"vulnerabilities": {"scanner": "any"}}, {"vulnerabilities": SCAN}, {"vulnerabilities": SCAN}),
        ({"vulnerabilities": SCAN}, {"maxPriority": 3}, {"vulnerabilities": SCAN, "maxPriority": 3}),
        ({"podMetadata": ["a.example/x", "b."]}, {"podMetadata": ["a.example/"]}, {"podMetadata": ["a.example/x"]}),
    ],
)
def test_a_namespace_can_only_be_narrower_than_the_cluster(namespace: Json, cluster: Json, merged: Json):
    assert merge_defaults({"limits": namespace}, {"limits": cluster})["limits"] == merged


def test_service_accounts_are_those_that_both_allow():
    both = merge_defaults({"allowedServiceAccounts": ["a", "b"]}, {"allowedServiceAccounts": ["b", "c"]})
    assert both["allowedServiceAccounts"] == ["b"]


SERVICES = {f"{name}URL": f"https://{name}.example" for name in ("fulcio", "rekor", "timestamp")}
WAYS: Json = {
    "Key": {"key": {"secretRef": {"name": "own"}}},
    "Cluster": {"cluster": {}},
    "Keyless": {"keyless": SERVICES},
}


@pytest.mark.shows("A68")
@pytest.mark.parametrize("way", WAYS)
def test_what_signs_can_be_limited(way: str):
    signed = {"output": {**OWN["output"], "signing": WAYS[way]}}
    check({"limits": {"signing": [way]}}, **signed)
    # Of the defaults, where the build names none.
    check({"limits": {"signing": [way]}, "signing": WAYS[way]})
    for others in ([other] for other in WAYS if other != way):
        told = (
            f"^spec.output.signing: signing with {way.lower()} is not allowed by the ImageBuildDefaults: write output"
        )
        with pytest.raises(InvalidSpecError, match=told):
            check({"limits": {"signing": others}, "signing": WAYS[others[0]]}, **signed)
    with pytest.raises(
        InvalidSpecError, match=r"^spec.output.signing: the ImageBuildDefaults require a signature: write "
    ):
        check({"limits": {"signing": [way]}})
    check({"limits": {"signing": [way]}}, output={"images": ["registry.example/team/app:1"], "push": False})


@pytest.mark.shows("A68")
def test_a_namespace_can_only_narrow_what_signs_and_not_lower_the_level():
    both = merge_limits({"signing": ["Key", "Cluster"]}, {"signing": ["Cluster"], "level": "SLSA3"})
    assert both == {"signing": ["Cluster"], "level": "SLSA3"}


@pytest.mark.shows("A68")
def test_a_level_is_required_as_if_the_build_had_it():
    required: Json = {"limits": {"level": "SLSA3"}, "signing": {"cluster": {}}}
    values = namespace_defaults(an_object(required), None).applied["spec"]
    pinned = {**OWN, "source": {"git": {"url": "https://h.example/a.git", "revision": "1" * 40}}}
    assert parse_spec(complete(pinned, values)).level == "SLSA3"
    with pytest.raises(InvalidSpecError, match=r"^spec.source: the level SLSA3 needs a source that names its content"):
        parse_spec(complete(OWN, values))


@pytest.mark.parametrize(
    ("defaults", "problem"),
    [
        ({}, "spec.signing: the level SLSA3 needs a key that no tenant can read: set cluster to {}."),
        (
            {"signing": {"cluster": {}}, "engine": "Kaniko"},
            "spec.engine: the level SLSA3 needs an engine whose record",
        ),
        ({"signing": {"cluster": {}}, "cache": {"enabled": True}}, "spec.cache.enabled: the level SLSA3 needs"),
    ],
)
def test_defaults_that_no_build_could_have_with_the_level_are_invalid(defaults: Json, problem: str):
    assert an_object({"limits": {"level": "SLSA3"}, **defaults}).problem.startswith(problem)
