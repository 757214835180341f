"""The checks of doctor: facts of a cluster become findings."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from imagebuild import Build
from imagebuild_operator.settings import BuildDefaults, LeaseSettings, OperatorSettings
from kubectl_imagebuild import __version__
from kubectl_imagebuild.checks.facts import Facts, Operator, Right, Trial, missing_fields
from kubectl_imagebuild.checks.finding import Finding, Level, text
from kubectl_imagebuild.checks.findings import NEEDED, USEFUL, Wanted, findings
from kubectl_imagebuild.checks.push_check import push_finding
from kubectl_imagebuild.checks.secrets import check_git_secret, check_registry_secret, registry_host
from kubectl_imagebuild.cluster.installation import Installation
from kubectl_imagebuild.cluster.reader import Hidden
from kubectl_imagebuild.explanation.decision import Explanation

CRD = Path(__file__).parents[3] / "crds" / "imagebuild.yaml"
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
SETTINGS = OperatorSettings(BuildDefaults("builder:1"), lease=LeaseSettings("system", "op"))
FOUND = Installation(SETTINGS, "ConfigMap system/op", "system", "op", __version__, 1)


def lease(age: float) -> dict[str, Any]:
    return {"spec": {"holderIdentity": "op-1", "renewTime": (NOW - timedelta(seconds=age)).isoformat()}}


WELL = Facts(
    namespace="team",
    now=NOW,
    operators=(FOUND,),
    operator=Operator(FOUND, lease(2)),
    rights=dict.fromkeys((*NEEDED, *USEFUL), True),
    trial=Trial(explanation=Explanation("Preparing", "", "")),
)


def waiting_build(age: float) -> dict[str, Any]:
    return {"metadata": {"name": "app", "creationTimestamp": (NOW - timedelta(seconds=age)).isoformat()}}


def of(facts: Facts, level: Level, wanted: Wanted | None = None) -> list[str]:
    return [f"{each.check}: {each.message}" for each in findings(facts, wanted or Wanted()) if each.level is level]


def test_a_cluster_where_all_is_well():
    assert {each.level for each in findings(WELL, Wanted())} == {Level.OK}
    assert [each.check for each in findings(WELL, Wanted())] == ["CRD", "operator", "leader", "rights", "build pod"]


def test_without_the_crd_nothing_else_is_checked():
    found = findings(replace(WELL, is_installed=False), Wanted())
    assert [(each.check, each.level, each.hint) for each in found] == [
        ("CRD", Level.FAILED, "Install the operator: see its README.")
    ]


def test_the_crd_of_this_tree_has_all_fields_and_an_older_one_lacks_some():
    schema = yaml.safe_load(CRD.read_text(encoding="utf-8"))["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert missing_fields(schema) == ()
    del schema["properties"]["spec"]["properties"]["source"]["properties"]["upload"]
    missing = missing_fields(schema)
    assert missing == ("source.upload",)
    assert "it lacks spec.source.upload." in of(replace(WELL, missing=missing), Level.WARNING)[0]
    assert of(replace(WELL, missing=None), Level.HIDDEN)


def test_operators():
    hidden = replace(WELL, operators=Hidden("no"), operator=None)
    assert of(hidden, Level.FAILED) == []
    assert len(of(hidden, Level.HIDDEN)) == 1
    assert "app has waited" in of(replace(hidden, builds=(waiting_build(61),)), Level.FAILED)[0]
    assert of(replace(hidden, builds=(waiting_build(59),)), Level.FAILED) == []
    assert of(replace(WELL, operator=None), Level.FAILED) == [
        "operator: No operator builds namespace team, of 1 in the cluster."
    ]
    assert of(replace(WELL, operators=(), operator=None), Level.FAILED) == [
        "operator: No operator builds namespace team."
    ]
    stopped = replace(WELL, operator=Operator(replace(FOUND, available=0), lease(2)))
    assert of(stopped, Level.FAILED) == ["operator: Deployment system/op has no available pod."]
    old = replace(WELL, operator=Operator(replace(FOUND, version="0.0.1"), lease(2)))
    assert of(old, Level.WARNING)[0].startswith("version: The operator has version 0.0.1")


def test_leases():
    for body, message in (
        (lease(61), "leader: Lease system/op was last renewed 61 s ago: no operator is the leader."),
        (None, "leader: No operator holds Lease system/op."),
        ({"spec": {"holderIdentity": ""}}, "leader: No operator holds Lease system/op."),
    ):
        assert of(replace(WELL, operator=Operator(FOUND, body)), Level.FAILED) == [message]
    assert of(replace(WELL, operator=Operator(FOUND, Hidden("no"))), Level.HIDDEN)
    alone = replace(FOUND, settings=replace(SETTINGS, lease=None))
    assert of(replace(WELL, operator=Operator(alone)), Level.FAILED) == []


def test_rights():
    none = replace(WELL, rights=dict.fromkeys(WELL.rights, False))
    assert of(none, Level.FAILED) == ["rights: You may not create imagebuilds or get imagebuilds in namespace team."]
    assert "rights: You may not get pods/exec and create pods/exec, so you cannot build a directory." in of(
        none, Level.WARNING
    )
    no_logs = replace(WELL, rights={**WELL.rights, Right("get", "pods/log"): False})
    assert of(no_logs, Level.WARNING) == ["rights: You may not get pods/log, so you cannot read logs."]


def test_the_least_build():
    def trial(phase: str, reason: str, message: str, notes: tuple[str, ...] = ()) -> Facts:
        return replace(WELL, trial=Trial(explanation=Explanation(phase, reason, message), notes=notes))

    refused = replace(WELL, trial=Trial(refusal="a policy denies it"))
    assert of(refused, Level.FAILED) == ["admission: The API server refuses an ImageBuild: a policy denies it"]
    assert of(trial("Failed", "PodRejected", "No room."), Level.FAILED) == ["build pod: No room."]
    assert of(trial("Pending", "QuotaExceeded", "Full."), Level.WARNING) == [
        "build pod: A build would wait (QuotaExceeded). Full."
    ]
    noted = trial("Preparing", "", "", notes=("Secret a does not exist: create it.", "Secret b is not checked."))
    assert of(noted, Level.WARNING) == ["build pod: Secret a does not exist: create it."]
    assert of(noted, Level.HIDDEN) == ["build pod: Secret b is not checked."]


def secret(document: object, key: str = ".dockerconfigjson") -> dict[str, Any]:
    return {"data": {key: base64.b64encode(json.dumps(document).encode()).decode()}}


AUTH = {"auth": base64.b64encode(b"user:password").decode()}


@pytest.mark.parametrize(
    ("image", "key"),
    [
        ("registry.example.com/team/app:1", "registry.example.com"),
        ("registry.example.com:5000/app", "https://registry.example.com:5000/v2/"),
        ("team/app", "https://index.docker.io/v1/"),
        ("docker.io/team/app", "docker.io"),
        ("localhost/app", "localhost"),
    ],
)
def test_credentials_for_the_registry_of_an_image(image: str, key: str):
    assert check_registry_secret("push", secret({"auths": {key: AUTH}}), image).level is Level.OK
    other = check_registry_secret("push", secret({"auths": {"other.example.com": AUTH}}), image)
    assert (other.level, other.message) == (
        Level.FAILED,
        f"There is no entry for {registry_host(image)}: it has other.example.com.",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"data": {"password": ""}}, "It has no key .dockerconfigjson."),
        ({"data": {".dockerconfigjson": "e"}}, "The value of .dockerconfigjson is not JSON."),
        (secret([]), "The value of .dockerconfigjson is not a JSON object."),
        (secret({"auths": []}), "There is no entry for registry.example.com: it has none."),
        (secret({"auths": "a"}), '"auths" in .dockerconfigjson is not a JSON object.'),
        (secret({"registry.example.com": AUTH}), '.dockerconfigjson has registries outside of "auths".'),
        (
            secret({"auths": {"registry.example.com": {"auth": "dXNlcg=="}}}),
            "The entry for registry.example.com has neither a user name with a password nor a token.",
        ),
    ],
)
def test_broken_registry_credentials(body: dict[str, Any], message: str):
    found = check_registry_secret("push", body, "registry.example.com/app")
    assert (found.level, found.message) == (Level.FAILED, message)
    assert found.hint.startswith("Create it with: kubectl create secret docker-registry push --docker-server=registry")


def test_credential_helpers_and_tokens_are_credentials():
    helpers = {"credHelpers": {"registry.example.com": "ecr-login"}}
    assert check_registry_secret("push", secret(helpers), "registry.example.com/app").level is Level.OK
    token = {"auths": {"registry.example.com": {"identitytoken": "a"}}}
    assert check_registry_secret("push", secret(token), "registry.example.com/app").level is Level.OK


def test_git_credentials():
    basic = {"data": {"username": "dQ==", "password": "dQ=="}}
    ssh = {"data": {"ssh-privatekey": "dQ==", "known_hosts": "dQ=="}}
    assert check_git_secret("git", basic, "https://git.example.com/a").level is Level.OK
    assert check_git_secret("git", ssh, "git@git.example.com:a").level is Level.OK
    assert check_git_secret("git", ssh).level is Level.OK
    assert check_git_secret("git", {"data": {"ssh-privatekey": "dQ=="}}).level is Level.WARNING
    assert check_git_secret("git", basic, "ssh://git@git.example.com/a").level is Level.FAILED
    assert check_git_secret("git", ssh, "https://git.example.com/a").level is Level.FAILED


def test_secrets_that_cannot_be_read_or_do_not_exist():
    wanted = Wanted("registry.example.com/app", "push", "git")
    facts = replace(WELL, secrets={"push": None, "git": Hidden("no")})
    assert of(facts, Level.FAILED, wanted) == ["Secret push: It does not exist in namespace team."]
    assert of(facts, Level.HIDDEN, wanted) == ["Secret git: You may not read it; builds can use it all the same."]


def test_the_end_of_the_push_check():
    def build(reason: str, **status: object) -> Build:
        return Build({"metadata": {}, "status": {"phase": "Failed", "reason": reason, "message": "Said.", **status}})

    assert push_finding(build("DockerfileNotFound", timings={"checkMilliseconds": 9}), "a/b").level is Level.OK
    assert push_finding(build("DockerfileNotFound"), "a/b").level is Level.WARNING
    silent = build(
        "DockerfileNotFound",
        timings={"checkMilliseconds": 9},
        warnings=["Could not check whether a/b can be pushed: no"],
    )
    assert push_finding(silent, "a/b").level is Level.FAILED
    refused = push_finding(build("PushDenied", timings={"checkMilliseconds": 9}), "a/b")
    assert (refused.level, refused.message) == (Level.FAILED, "The build ended in phase Failed (PushDenied). Said.")


def test_one_line_per_finding():
    shown = text([Finding("CRD", Level.OK, "Fine."), Finding("rights", Level.HIDDEN, "A\nline.", "Ask.")])
    assert shown == "ok            CRD      Fine.\nnot visible   rights   A line. Ask.\n"
