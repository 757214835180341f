"""Whatever the schema of the CRD allows: a pod as safe as any other, or words about the field that can't be used."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.manifest import Manifest, build_pod
from imagebuild_operator.settings import SignerSettings
from support.builds import WITH_BUILDKIT, a_build
from support.specs import specs, wild_specs

ANY = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
#: The newest version that the validator knows and this project tests with.
KUBERNETES = "1.34"
OWN_FIELDS = {
    "restartPolicy": "Never",
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
}
UNPRIVILEGED = {
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "runAsNonRoot": True,
    "privileged": False,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
BUILD = {
    "runAsUser": 0,
    "runAsNonRoot": False,
    "privileged": False,
    "allowPrivilegeEscalation": False,
    "capabilities": {
        "drop": ["ALL"],
        "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETFCAP", "SETGID", "SETUID"],
    },
}


BUILDKIT = {
    "runAsUser": 0,
    "runAsNonRoot": False,
    "privileged": False,
    "allowPrivilegeEscalation": True,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"], "add": ["SETFCAP", "SETGID", "SETUID"]},
    "procMount": "Unmasked",
}


#: With all that a spec can ask for.
DEFAULTS = replace(WITH_BUILDKIT.defaults, signer=SignerSettings("https://signer.example:8443", "PEM"))
AUDIENCES = {"cluster": "imagebuild-signer", "keyless": "sigstore"}
TOKEN = {"expirationSeconds": 3600, "path": "token"}


def pod(document: dict[str, Any]) -> Manifest:
    build = a_build(document)
    return build_pod(build, parse_spec(build.spec), DEFAULTS)


@ANY
@given(specs())
def test_every_spec_that_the_rules_allow_becomes_a_pod_like_all_others(document: dict[str, Any]):
    # What BuildKit does not have is refused where it is asked for by name: the next test.
    known = {**document, "engine": "Auto"} if document.get("engine") == "BuildKit" else document
    # What Kaniko does not have is, too.
    known = {name: value for name, value in known.items() if name != "network"}
    known["output"] = {name: value for name, value in known["output"].items() if name != "timestamp"}
    check(pod(known), known)


@pytest.mark.shows("A20")
@ANY
@given(wild_specs())
def test_without_the_rules_it_is_a_pod_all_the_same_or_the_field_is_named(document: dict[str, Any]):
    try:
        manifest = pod(document)
    except InvalidSpecError as error:
        problem = str(error)
    else:
        check(manifest, document)
        return
    assert re.fullmatch(r"spec\.[a-zA-Z.\[\]0-9]+: .+", problem, re.DOTALL)


def check(manifest: Manifest, document: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    spec = manifest["spec"]
    is_buildkit = manifest["metadata"]["labels"]["imagebuild.dev/engine"] == "BuildKit"
    users = {"securityContext": {}, "hostUsers": False} if is_buildkit else {}
    assert {name: spec[name] for name in (*OWN_FIELDS, *users)} == {**OWN_FIELDS, **users}
    asked = document.get("podTemplate", {}).get("spec", {})
    own = {"activeDeadlineSeconds", "terminationGracePeriodSeconds", "initContainers", "containers", "volumes"}
    assert set(spec) <= {*OWN_FIELDS, *users, *own, *asked, "nodeSelector", "serviceAccountName"}
    for container in (*spec["initContainers"], *spec["containers"]):
        assert container["image"] == (DEFAULTS.buildkit.image if is_buildkit else DEFAULTS.builder_image)
        seccomp = {"seccompProfile": {"type": "RuntimeDefault"}} if is_buildkit else {}
        builds = BUILDKIT if is_buildkit else BUILD
        assert container["securityContext"] == (builds if container["name"] == "build" else UNPRIVILEGED | seccomp)
    assert manifest["metadata"]["namespace"] == "team"
    references = list(walk({**spec, "affinity": {}}))
    assert all("namespace" not in reference for reference in references)
    tokens = [volume for volume in spec["volumes"] if "projected" in volume]
    # Each is worth something to one service only.
    signing = document["output"].get("signing", {}) if document["output"].get("push", True) else {}
    audiences = [name for kind, name in AUDIENCES.items() if kind in signing]
    assert [token["projected"]["sources"] for token in tokens] == [
        [{"serviceAccountToken": {**TOKEN, "audience": audience}}] for audience in audiences
    ]
    kinds = [set(volume) - {"name"} for volume in spec["volumes"] if volume not in tokens]
    assert all(kind in ({"emptyDir"}, {"configMap"}, {"persistentVolumeClaim"}) for kind in kinds)


def walk(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any part of a manifest
    """Every object in a manifest."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from walk(child)
    elif isinstance(value, list):
        for child in value:
            yield from walk(child)
