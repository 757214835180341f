"""What a build is made with, and what the pod for BuildKit has that others have not."""

from dataclasses import replace
from typing import Any

import pytest
from imagebuild_operator.api.build import Engine
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.engine import engine_of, may_fall_back
from imagebuild_operator.pod.manifest import Manifest, build_pod
from imagebuild_operator.settings import BuildKitSettings
from support.builds import SETTINGS, WITH_BUILDKIT, a_build

DEFAULTS = WITH_BUILDKIT.defaults
UNAVAILABLE = [{"reason": "EngineUnavailable"}]
SECRET = {"secretKeyRef": {"name": "npm", "key": "token"}}
#: What only Kaniko can do: a spec, the field, and a part of the sentence.
ONLY_KANIKO = [
    ({"buildArgs": [{"name": "A", "value": "1"}, {"name": "T", "valueFrom": SECRET}]}, "buildArgs[1]", "buildSecrets"),
    ({"executor": {"args": ["--reproducible"]}}, "executor.args", "--reproducible is a flag of Kaniko"),
    ({"cache": {"enabled": True, "repo": "r.example/c", "ttlSeconds": 60}}, "cache.ttlSeconds", "leave it out"),
    ({"cache": {"mounts": {"persistentVolumeClaim": {"claimName": "m"}}}}, "cache.mounts", "leave it out"),
    ({"registries": [{"host": "a.example", "mapTo": "b.example"}]}, "registries", "a.example has mapTo"),
]


def pod(spec: dict[str, Any], buildkit: BuildKitSettings = DEFAULTS.buildkit) -> Manifest:
    build = a_build(spec)
    return build_pod(build, parse_spec(build.spec), replace(DEFAULTS, buildkit=buildkit))


def chosen(spec: dict[str, Any], asked: str = "Auto", attempts: list[dict[str, Any]] | None = None) -> str:
    return engine_of(parse_spec(a_build(spec | {"engine": asked}).spec), DEFAULTS, attempts or ())


def test_the_settings_decide_for_builds_that_do_not_say():
    spec = parse_spec(a_build().spec)
    assert engine_of(spec, DEFAULTS) is Engine.BUILDKIT
    assert engine_of(spec, replace(DEFAULTS, engine=Engine.KANIKO)) is Engine.KANIKO
    assert engine_of(replace(spec, engine=Engine.KANIKO), DEFAULTS) is Engine.KANIKO


def test_an_operator_without_the_image_has_no_buildkit():
    spec = parse_spec(a_build({"engine": "BuildKit"}).spec)
    with pytest.raises(InvalidSpecError, match=r"spec.engine: this operator has no BuildKit .* set engine to Kaniko"):
        engine_of(spec, SETTINGS.defaults)
    assert engine_of(replace(spec, engine=Engine.AUTO), SETTINGS.defaults) is Engine.KANIKO


@pytest.mark.parametrize(("spec", "field", "words"), ONLY_KANIKO)
def test_what_only_kaniko_can_do_is_refused_by_name_and_left_to_kaniko_with_auto(
    spec: dict[str, Any], field: str, words: str
):
    assert chosen(spec) == "Kaniko"
    with pytest.raises(InvalidSpecError) as refused:
        chosen(spec, "BuildKit")
    assert str(refused.value).startswith(f"spec.{field}")
    assert words in str(refused.value)
    assert "engine to Kaniko" in str(refused.value)


def test_what_both_can_do():
    spec = {
        "buildArgs": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "ci", "key": "a"}}}],
        "executor": {"args": ["--push-ignore-immutable-tag-errors=true"]},
        "cache": {"enabled": True, "repo": "r.example/c"},
        "registries": [{"host": "a.example", "mirrors": ["b.example"]}],
    }
    assert chosen(spec) == chosen(spec, "BuildKit") == "BuildKit"
    # A cache that is off uses nothing.
    assert chosen({"cache": {"enabled": False, "ttlSeconds": 60}}) == "BuildKit"


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"network": "None"}, "spec.network"),
        ({"output": {"images": ["r.example/a"], "timestamp": "Zero"}}, "spec.output.timestamp"),
    ],
)
def test_what_only_buildkit_can_do_is_never_left_to_kaniko(spec: dict[str, Any], path: str):
    assert chosen(spec) == chosen(spec, "BuildKit") == chosen(spec, "Auto", UNAVAILABLE) == "BuildKit"
    assert not may_fall_back(parse_spec(a_build({**spec, "engine": "Auto"}).spec), DEFAULTS, ())
    with pytest.raises(InvalidSpecError, match=f"{path}: Kaniko does not have it"):
        chosen(spec, "Kaniko")
    with pytest.raises(InvalidSpecError, match=f"only Kaniko has it, and only BuildKit has {path}"):
        chosen({**spec, "executor": {"args": ["--reproducible"]}})


def test_after_an_attempt_that_could_not_use_it_kaniko_follows_once():
    auto, forced = (parse_spec(a_build({"engine": name}).spec) for name in ("Auto", "BuildKit"))
    assert engine_of(auto, DEFAULTS, UNAVAILABLE) is Engine.KANIKO
    assert engine_of(forced, DEFAULTS, UNAVAILABLE) is Engine.BUILDKIT
    assert may_fall_back(auto, DEFAULTS, ())
    assert not may_fall_back(auto, DEFAULTS, UNAVAILABLE)
    assert not may_fall_back(forced, DEFAULTS, ())


def test_the_pod_for_buildkit_beside_that_for_kaniko():
    kaniko, buildkit = pod({"engine": "Kaniko"}), pod({})
    assert buildkit["metadata"]["labels"] == kaniko["metadata"]["labels"] | {"imagebuild.dev/engine": "BuildKit"}
    before, after = kaniko["spec"], buildkit["spec"]
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed == {"hostUsers", "securityContext", "initContainers", "containers", "volumes"}
    assert (after["hostUsers"], after["securityContext"]) == (False, {})
    assert after["volumes"] == [*before["volumes"], {"name": "buildkit", "emptyDir": {}}]
    profile = {"seccompProfile": {"type": "RuntimeDefault"}}
    check, build = after["initContainers"]
    [push] = after["containers"]
    for one, other in ((check, before["initContainers"][0]), (push, before["containers"][0])):
        security = other["securityContext"] | profile
        assert one == {**other, "image": "registry.example/buildkit:1", "securityContext": security}
    assert build == {
        **before["initContainers"][1],
        "image": "registry.example/buildkit:1",
        # A field that a component of the cluster does not know would be left out without a word.
        "env": [
            *before["initContainers"][1]["env"],
            {"name": "REQUIRED_ISOLATION", "value": "users,processes"},
            {"name": "ONLY_NEW_LAYERS", "value": "true"},
        ],
        "securityContext": {
            "runAsUser": 0,
            "runAsNonRoot": False,
            "privileged": False,
            "allowPrivilegeEscalation": True,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["SETFCAP", "SETGID", "SETUID"]},
            "procMount": "Unmasked",
        },
        "volumeMounts": [
            {"name": "layout", "mountPath": "/kaniko/layout"},
            {"name": "buildkit", "mountPath": "/kaniko/.buildkit", "subPath": "state"},
            {"name": "buildkit", "mountPath": "/kaniko/buildcontext", "subPath": "context"},
            {"name": "buildkit", "mountPath": "/kaniko/.run", "subPath": "own"},
            {"name": "buildkit", "mountPath": "/run", "subPath": "run"},
        ],
    }


@pytest.mark.parametrize(
    ("spec", "cached", "only_new_layers"),
    [
        ({"cache": {"enabled": True, "repo": "r.example/c"}}, {"CACHE": "true", "CACHE_REPO": "r.example/c"}, "true"),
        ({"cache": {"enabled": True, "readOnly": True}}, {}, "true"),
        ({"cache": {"enabled": True}, "output": {"images": ["r.example/a:1"], "push": False}}, {}, ""),
        # An SBOM is made of the layers.
        ({"output": {"images": ["r.example/a:1"], "attestations": {"sbom": "SPDX"}}}, {}, ""),
    ],
)
def test_push_writes_the_cache_and_the_build_leaves_out_what_the_registry_has(
    spec: dict[str, Any], cached: dict[str, str], only_new_layers: str
):
    made = pod({"engine": "BuildKit", **spec})["spec"]
    env = {each["name"]: each for each in made["containers"][0]["env"]}
    assert {name: env[name]["value"] for name in ("CACHE", "CACHE_REPO") if name in env} == cached
    [build] = [each for each in made["initContainers"] if each["name"] == "build"]
    assert ("ONLY_NEW_LAYERS" in {each["name"] for each in build["env"]}) is bool(only_new_layers)


def test_clusters_that_allow_less():
    local = {"type": "Localhost", "localhostProfile": "imagebuild.json"}

    def build(**settings: Any) -> tuple[Any, dict[str, Any], list[str]]:  # noqa: ANN401 - any setting
        made = pod({"engine": "BuildKit"}, replace(DEFAULTS.buildkit, **settings))["spec"]
        container = made["initContainers"][-1]
        required = [each["value"] for each in container["env"] if each["name"] == "REQUIRED_ISOLATION"]
        return made.get("hostUsers"), container["securityContext"], required

    _, security, required = build(unmasked_proc=False)
    assert ("procMount" in security, required) == (False, ["users"])
    users, security, required = build(user_namespaces=False)
    # Unmasked is refused without a user namespace.
    assert (users, "procMount" in security, required) == (None, False, [])
    _, security, _ = build(seccomp_profile=local, app_armor_profile=local)
    assert (security["seccompProfile"], security["appArmorProfile"]) == (local, local)
