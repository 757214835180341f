"""What the signer signs follows from what the operator wrote, and from nothing that a pod says."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from kaniko_shim.attest.artifact import dump
from kaniko_shim.attest.central import certificate_message
from kaniko_shim.attest.envelope import to_be_signed
from kaniko_shim.attest.provenance import CLAIMED, ProvenanceInputs, provenance
from kaniko_shim.attest.record import Record
from kaniko_shim.attest.simplesigning import payload_of
from kaniko_shim.attest.statement import PROVENANCE, SIGNATURE, VULNERABILITIES, statement
from kaniko_shim.corroborate.witness import Witness
from kaniko_shim.outcome.result import BaseImage
from kaniko_shim.sbom.formats import CYCLONEDX, SPDX
from kaniko_shim.signer.policy import Caller, Grant, RefusedError, build_of, caller_of, check, grant_of

DIGEST = "sha256:" + "ab" * 32
REPOSITORY = "registry.example/team/app"
NOW = "2026-12-03T08:00:00Z"
COMMIT = "0123456789abcdef" * 2 + "01234567"
PARAMETERS: dict[str, Any] = {
    "metadata": {"namespace": "team-a", "name": "web"},
    "source": {"git": {"url": "https://git.example/web.git", "revision": COMMIT}},
    "output": {"images": [f"{REPOSITORY}:1"]},
    "buildArgs": [{"name": "PRICE", "value": "$5"}],
}
RECORD = Record(
    {},
    {"url": "https://git.example/web.git", "revision": COMMIT},
    "cd" * 32,
    "2026-12-03T07:00:00Z",
    "2026-12-03T07:01:00Z",
    (BaseImage("debian:13", "sha256:" + "ef" * 32),),
)
INPUTS = ProvenanceInputs(f"builder@{DIGEST}", "uid-of-build", PARAMETERS)
CALLER = Caller("team-a", "web-12345678", "uid-of-pod")


def review(**changes: object) -> dict[str, Any]:
    extra = {
        "authentication.kubernetes.io/pod-name": ["web-12345678"],
        "authentication.kubernetes.io/pod-uid": ["uid-of-pod"],
    }
    user = {"username": "system:serviceaccount:team-a:default", "extra": extra}
    return {"status": {"authenticated": True, "audiences": ["imagebuild-signer"], "user": user, **changes}}


def pod(container: str = "push", **changes: object) -> dict[str, Any]:
    env = {
        "OUTPUT_IMAGE": f"{REPOSITORY}:1,{REPOSITORY}:latest",
        "PROVENANCE_BUILDER": f"builder@{DIGEST}",
        "PROVENANCE_INVOCATION": "uid-of-build",
        # As the operator writes it, so that the kubelet replaces nothing.
        "PROVENANCE_PARAMETERS": json.dumps(PARAMETERS).replace("$", "$$"),
    }
    variables = [{"name": name, "value": value} for name, value in env.items()]
    owner = {"kind": "ImageBuild", "name": "web", "uid": "uid-of-build", "controller": True}
    return {
        "metadata": {"name": "web-12345678", "uid": "uid-of-pod", "ownerReferences": [owner]},
        "spec": {
            "initContainers": [{"name": "build", "image": f"mirror.example/builder@{DIGEST}"}],
            "containers": [{"name": container, "image": f"builder@{DIGEST}", "env": variables}],
            **changes,
        },
    }


def build(**status: object) -> dict[str, Any]:
    recorded = {"podName": "web-12345678", "podUID": "uid-of-pod"}
    return {"metadata": {"name": "web", "uid": "uid-of-build"}, "status": status or recorded}


GRANT = grant_of(CALLER, pod(), build())
INDEX = grant_of(CALLER, pod("index"), build())


def message(kind: str, predicate: Mapping[str, Any], digest: str = DIGEST, repository: str = REPOSITORY) -> bytes:
    return to_be_signed(dump(statement(repository, digest, kind, predicate)))


def predicate(record: Record = RECORD, inputs: ProvenanceInputs = INPUTS) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(dump(provenance(record, inputs, {"kaniko-shim": "1.2.3"})))
    return made


def refusal(said: bytes, grant: Grant = GRANT) -> str:
    with pytest.raises(RefusedError) as caught:
        check(said, grant, NOW)
    assert caught.value.status == 403
    return str(caught.value)


def test_what_push_says_is_signed():
    assert check(message(PROVENANCE, predicate()), GRANT, NOW) == f"provenance of {REPOSITORY}@{DIGEST}"
    for form in (SPDX, CYCLONEDX):
        assert check(message(form.predicate_type, {"a": "b"}), GRANT, NOW) == f"SBOM of {REPOSITORY}@{DIGEST}"
    assert check(message(SIGNATURE, {}), GRANT, NOW) == f"signature of {REPOSITORY}@{DIGEST}"
    assert check(payload_of(REPOSITORY, DIGEST), GRANT, NOW) == f"signature of {REPOSITORY}@{DIGEST}"
    # An index has no record of a build.
    of_index = provenance(Record(), INPUTS, {})
    assert check(message(PROVENANCE, of_index), INDEX, NOW).startswith("provenance")


def test_what_only_the_build_says_is_marked():
    dependencies = predicate()["buildDefinition"]["resolvedDependencies"]
    assert [(each["name"], each.get("annotations")) for each in dependencies] == [
        ("context", None),
        ("Dockerfile", CLAIMED),
        ("base image", CLAIMED),
    ]
    branch = replace(INPUTS, parameters={"source": {"git": {"url": "https://git.example/web.git", "revision": "main"}}})
    assert predicate(RECORD, branch)["buildDefinition"]["resolvedDependencies"][0]["annotations"] == CLAIMED


@pytest.mark.shows("A63")
@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("buildDefinition", "externalParameters", {**PARAMETERS, "metadata": {"namespace": "team-b", "name": "web"}}),
        ("buildDefinition", "buildType", "https://example.com/better"),
        ("buildDefinition", "internalParameters", {"level": 4}),
        ("buildDefinition", "extra", True),
        ("runDetails", "builder", {"id": "https://example.com/another", "version": {}}),
        ("runDetails", "metadata", {"invocationId": "uid-of-another", "startedOn": NOW, "finishedOn": NOW}),
        ("runDetails", "byproducts", [{"name": "approval"}]),
    ],
)
def test_provenance_that_says_anything_else_is_refused(part: str, field: str, value: object):
    changed = predicate()
    changed[part][field] = value
    assert "the provenance is not that of team-a/web" in refusal(message(PROVENANCE, changed))


@pytest.mark.shows("A63")
def test_a_claim_without_its_mark_or_of_another_commit_is_refused():
    unmarked = predicate()
    for each in unmarked["buildDefinition"]["resolvedDependencies"]:
        each.pop("annotations", None)
    assert "something else" in refusal(message(PROVENANCE, unmarked))
    other = replace(RECORD, source={**RECORD.source, "revision": COMMIT[::-1]})
    assert "the spec" in refusal(message(PROVENANCE, predicate(other)))
    late = replace(RECORD, finished="2026-12-04T00:00:00Z")
    assert "now is" in refusal(message(PROVENANCE, predicate(late)))
    # True is 1 for Python, and not for whoever reads the JSON.
    truth = predicate()
    truth["buildDefinition"]["externalParameters"] = json.loads(json.dumps(PARAMETERS).replace('"$5"', "true"))
    assert "something else" in refusal(message(PROVENANCE, truth))


@pytest.mark.shows("A63")
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"anything",
        b"\xff\xfe",
        b"[" * 100_000,
        certificate_message(b"a certificate of somebody else"),
        b"DSSEv1 28 application/vnd.in-toto+json 2 {}",
        b"DSSEv1 28 application/vnd.in-toto+json 3 {}",
        b"DSSEv1 10 text/plain 2 {}",
        message(PROVENANCE, predicate(), repository="registry.example/team/other"),
        message(PROVENANCE, predicate(), digest="sha256:ab"),
        message("https://example.com/vuln/v1", {}),
        message(SIGNATURE, {"approved": True}),
        payload_of("registry.example/team/other", DIGEST),
        payload_of(REPOSITORY, "latest"),
        payload_of(REPOSITORY, DIGEST) + b" ",
        payload_of(REPOSITORY, DIGEST).replace(b'"optional":null', b'"optional":{"approved":"yes"}'),
        to_be_signed(dump({**statement(REPOSITORY, DIGEST, SIGNATURE, {}), "also": 1})),
        to_be_signed(dump({**statement(REPOSITORY, DIGEST, SIGNATURE, {}), "subject": []})),
        to_be_signed(dump({**statement(REPOSITORY, DIGEST, SIGNATURE, {}), "predicateType": ["x"]})),
        to_be_signed(
            dump(
                {
                    **statement(REPOSITORY, DIGEST, SIGNATURE, {}),
                    "subject": [{"name": [1], "digest": {"sha256": "ab" * 32}}],
                }
            )
        ),
        to_be_signed(
            dump(
                {
                    **statement(REPOSITORY, DIGEST, SIGNATURE, {}),
                    "subject": [
                        {"name": REPOSITORY, "digest": {"sha256": "ab" * 32}},
                        {"name": "registry.example/team/other", "digest": {"sha256": "ab" * 32}},
                    ],
                }
            )
        ),
    ],
)
def test_nothing_else_is_signed(said: bytes):
    refusal(said)


def test_what_a_scan_found_is_signed_for_pods_that_scan_only():
    said = message(VULNERABILITIES, {"scanner": {}})
    assert "are not signed" in refusal(said)
    scanning = pod()
    scanning["spec"]["initContainers"].append({"name": "scan", "image": f"builder@{DIGEST}"})
    assert check(said, grant_of(CALLER, scanning, build()), NOW) == f"scan of {REPOSITORY}@{DIGEST}"
    scanning["spec"]["initContainers"][-1]["image"] = "evil.example/scan:1"
    with pytest.raises(RefusedError, match="the image of a container"):
        grant_of(CALLER, scanning, build())


@pytest.mark.shows("A70")
def test_what_two_builds_have_made_is_signed_as_that_and_nothing_else_is():
    witness = Witness(DIGEST, "AAAA", "web-1", "node-a")
    env = {"digest": DIGEST, "contents": "AAAA", "pod": "web-1", "node": "node-a"}
    second = pod()
    second["spec"]["containers"][0]["env"].append({"name": "CORROBORATED_BY", "value": json.dumps(env)})
    grant = grant_of(CALLER, second, build())
    told = predicate(inputs=replace(INPUTS, witness=witness))
    assert told["runDetails"]["byproducts"][0]["annotations"]["imagebuild.dev/node"] == "node-a"
    assert check(message(PROVENANCE, told), grant, NOW) == f"provenance of {REPOSITORY}@{DIGEST}"
    # It leaves out, or makes up, that there was a first build; the image is another than the first build's.
    assert "something else than the spec" in refusal(message(PROVENANCE, predicate()), grant)
    assert "something else than the spec" in refusal(message(PROVENANCE, told))
    other = f"sha256:{'cd' * 32}"
    for said in (message(PROVENANCE, told, digest=other), payload_of(REPOSITORY, other)):
        assert f"the first build of team-a/web has made {DIGEST}" in refusal(said, grant)


def test_an_index_has_no_packages():
    assert "are not signed" in refusal(message(SPDX.predicate_type, {}), INDEX)


def test_the_caller_is_the_pod_of_the_token():
    assert caller_of(review()) == CALLER


@pytest.mark.shows("A63")
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"authenticated": False}, 401),
        ({"audiences": ["https://kubernetes.default.svc"]}, 401),
        ({"audiences": None}, 401),
        ({"user": {"username": "system:serviceaccount:team-a:default", "extra": {}}}, 403),
        ({"user": {**review()["status"]["user"], "username": "an-admin"}}, 403),
    ],
)
def test_any_other_token_is_refused(changes: dict[str, Any], status: int):
    with pytest.raises(RefusedError) as caught:
        caller_of(review(**changes))
    assert caught.value.status == status


@pytest.mark.shows("A63")
@pytest.mark.parametrize(
    ("asked", "recorded", "status"),
    [
        # Not recorded, yet or ever: a pod that a tenant made, with the operator's labels and owner.
        (pod(), build(podName="web-12345678", podUID="another"), 409),
        (pod(), build(podName="web-12345678"), 409),
        (pod(), build(phase="Pending"), 409),
        (pod("build"), build(), 403),
        (pod(ephemeralContainers=[{"name": "debugger"}]), build(), 403),
        (pod(initContainers=[{"name": "build", "image": f"evil@{DIGEST[::-1]}"}]), build(), 403),
        (pod(initContainers=[{"name": "build", "image": "builder:latest"}]), build(), 403),
        (pod(initContainers=[{"name": "build"}]), build(), 403),
    ],
)
def test_a_pod_that_is_not_the_operators_is_refused(asked: dict[str, Any], recorded: dict[str, Any], status: int):
    with pytest.raises(RefusedError) as caught:
        grant_of(CALLER, asked, recorded)
    assert caught.value.status == status


def test_containers_that_admission_adds_do_not_matter():
    proxy = {"name": "istio-proxy", "image": "istio/proxyv2:1.30"}
    assert grant_of(CALLER, pod(initContainers=[*pod()["spec"]["initContainers"], proxy]), build()) == GRANT


def test_a_pod_of_a_platform_is_recorded_there():
    platforms = [{"platform": "linux/arm64", "podName": "web-12345678", "podUID": "uid-of-pod"}]
    assert grant_of(CALLER, pod(), build(platforms=platforms)).build == "team-a/web"


def test_a_pod_of_nothing_or_of_another_uid_is_refused():
    assert build_of(CALLER, pod()) == "web"
    for other in ({"metadata": {"uid": "uid-of-pod"}}, {"metadata": {"uid": "another"}}):
        with pytest.raises(RefusedError):
            build_of(CALLER, other)
