"""What is attached to an image: from the spec to the variables of what pushes, and back from the result."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.observe.report import Attached, parse_result
from imagebuild_operator.pod.attestation import ASKED, MOST_PARAMETERS, attestation_variables, parameters
from imagebuild_operator.pod.index import index_pod
from imagebuild_operator.pod.manifest import build_pod
from imagebuild_operator.settings import SignerSettings
from support.builds import DIGEST, SETTINGS, SPEC, UID, a_build
from support.specs import spec_schema

ALL = {
    **SPEC["output"],
    "attestations": {"provenance": "SLSA", "sbom": "SPDX"},
    "signing": {"key": {"secretRef": {"name": "cosign"}}},
}
BUILDER = "registry.example/builder@" + DIGEST
DEFAULTS = replace(SETTINGS.defaults, builder_image=BUILDER)
SIGNED = replace(SETTINGS.defaults, signer=SignerSettings("https://signer.system.svc:8443", "PEM"))
CLUSTER = {**SPEC["output"], "signing": {"cluster": {}}}
OWN = {"namespace": a_build().namespace, "name": a_build().name}
KEY = [
    {"name": "SIGNING_KEY", "valueFrom": {"secretKeyRef": {"name": "cosign", "key": "cosign.key"}}},
    {
        "name": "SIGNING_KEY_PASSWORD",
        "valueFrom": {"secretKeyRef": {"name": "cosign", "key": "cosign.password", "optional": True}},
    },
]


def test_everything():
    build = a_build({"output": ALL})
    asked = {"metadata": OWN, "source": SPEC["source"], "output": ALL}
    assert attestation_variables(build, parse_spec(build.spec), DEFAULTS) == [
        {"name": "PROVENANCE", "value": "true"},
        {"name": "PROVENANCE_BUILDER", "value": BUILDER},
        {"name": "PROVENANCE_INVOCATION", "value": UID},
        {"name": "PROVENANCE_PARAMETERS", "value": json.dumps(asked, sort_keys=True)},
        {"name": "SBOM", "value": "SPDX"},
        *KEY,
    ]


@pytest.mark.parametrize(
    "output",
    [
        SPEC["output"],
        {**SPEC["output"], "attestations": {"provenance": "None", "sbom": "None"}},
        {**ALL, "push": False},
    ],
)
def test_nothing(output: dict[str, object]):
    build = a_build({"output": output})
    assert attestation_variables(build, parse_spec(build.spec), DEFAULTS) == []


def test_the_key_is_where_no_command_of_the_dockerfile_runs():
    build = a_build({"output": ALL})
    spec = build_pod(build, parse_spec(build.spec), SETTINGS.defaults)["spec"]
    holders = [
        container["name"]
        for container in (*spec["initContainers"], *spec["containers"])
        if any(variable["name"].startswith("SIGNING_KEY") for variable in container["env"])
    ]
    assert holders == ["push"]


def test_an_index_is_signed_and_has_no_packages():
    output = {**ALL, "platforms": ["linux/amd64", "linux/arm64"]}
    platforms = [{"platform": platform, "digest": DIGEST} for platform in output["platforms"]]
    build = a_build({"output": output}, {"platforms": platforms})
    (container,) = index_pod(build, parse_spec(build.spec), SETTINGS.defaults, 60)["spec"]["containers"]
    names = [variable["name"] for variable in container["env"]]
    assert {"PROVENANCE", "SIGNING_KEY"} <= set(names)
    assert "SBOM" not in names


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"http": {"url": "https://x.example/a.tgz?sig=abc"}}, {"http": {"url": "https://x.example/a.tgz"}}),
        ({"url": "https://x.example/a.git?token=abc#main:app"}, {"url": "https://x.example/a.git#main:app"}),
        ({"git": {"url": "ssh://git@x.example/a"}}, {"git": {"url": "ssh://***@x.example/a"}}),
        ({"inline": {"files": {"a": "x"}}}, {"inline": {"files": {"a": "x"}}}),
        ({"inline": {"files": {"b": "x" * MOST_PARAMETERS, "a": ""}}}, {"inline": {"files": ["a", "b"]}}),
    ],
)  # fmt: skip
def test_sources_are_told_without_secrets_and_of_bounded_size(source: dict[str, object], told: dict[str, object]):
    assert told_of({"source": source}) == {"source": told}


def test_every_field_is_told_that_can_change_the_image():
    queue = {"cancel", "suspend", "priority", "queueName", "concurrency", "retry", "timeoutSeconds"}
    assert set(spec_schema()["properties"]) - set(ASKED) == {*queue, "ttlSecondsAfterFinished"}


def test_of_a_dockerfile_that_is_too_large_the_checksum_is_told():
    spec: dict[str, Any] = {"dockerfile": {"inline": "#" * MOST_PARAMETERS}, "target": "x"}
    digest = sha256(spec["dockerfile"]["inline"].encode()).hexdigest()
    assert told_of(spec) == {"target": "x", "dockerfile": {"inlineSHA256": digest}}
    source = {"inline": {"files": {"app/Dockerfile": "#" * MOST_PARAMETERS}}}
    assert told_of({"source": source, "contextDir": "app"}) == {
        "contextDir": "app",
        "source": {"inline": {"files": ["app/Dockerfile"]}},
        "dockerfile": {"inlineSHA256": digest},
    }


def test_without_a_key_the_container_that_pushes_has_a_token_for_fulcio():
    services = {
        "fulcioURL": "https://fulcio.example.com",
        "rekorURL": "https://rekor.example.com",
        "timestampURL": "https://tsa.example.com/api/v1/timestamp",
    }
    output = {**SPEC["output"], "signing": {"keyless": services}}
    build = a_build({"output": output, "podTemplate": {"spec": {"serviceAccountName": "builder"}}})
    pod = build_pod(build, parse_spec(build.spec), SETTINGS.defaults)["spec"]
    (push,) = pod["containers"]
    assert [each for each in push["env"] if each["name"].startswith("SIGNING_")] == [
        {"name": "SIGNING_FULCIO_URL", "value": "https://fulcio.example.com"},
        {"name": "SIGNING_REKOR_URL", "value": "https://rekor.example.com"},
        {"name": "SIGNING_TIMESTAMP_URL", "value": "https://tsa.example.com/api/v1/timestamp"},
        {"name": "SIGNING_TOKEN_FILE", "value": "/var/run/secrets/sigstore/token"},
    ]
    token = {"audience": "sigstore", "expirationSeconds": 3600, "path": "token"}
    assert {
        "name": "sigstore",
        "projected": {"sources": [{"serviceAccountToken": token}], "defaultMode": 0o444},
    } in pod["volumes"]
    holders = [
        (container["name"], mount["mountPath"])
        for container in (*pod["initContainers"], *pod["containers"])
        for mount in container["volumeMounts"]
        if mount["name"] == "sigstore"
    ]
    assert holders == [("push", "/var/run/secrets/sigstore")]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("builder", False)


def test_the_signer_of_the_cluster_knows_the_container_that_pushes_by_a_token():
    build = a_build({"output": CLUSTER})
    pod = build_pod(build, parse_spec(build.spec), SIGNED)["spec"]
    (push,) = pod["containers"]
    assert [each for each in push["env"] if each["name"].startswith("SIGNING_")] == [
        {"name": "SIGNING_URL", "value": "https://signer.system.svc:8443"},
        {"name": "SIGNING_PUBLIC_KEY", "value": "PEM"},
        {"name": "SIGNING_TOKEN_FILE", "value": "/var/run/secrets/imagebuild-signer/token"},
    ]
    # What has the cluster's signature says whose it is.
    assert {"name": "PROVENANCE", "value": "true"} in push["env"]
    token = {"audience": "imagebuild-signer", "expirationSeconds": 3600, "path": "token"}
    assert {
        "name": "imagebuild-signer",
        "projected": {"sources": [{"serviceAccountToken": token}], "defaultMode": 0o444},
    } in pod["volumes"]
    holders = [
        container["name"]
        for container in (*pod["initContainers"], *pod["containers"])
        if any(mount["name"] == "imagebuild-signer" for mount in container["volumeMounts"])
    ]
    assert holders == ["push"]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("default", False)


def test_an_account_of_the_builds_own_stays():
    build = a_build({"output": CLUSTER, "podTemplate": {"spec": {"serviceAccountName": "mine"}}})
    assert build_pod(build, parse_spec(build.spec), SIGNED)["spec"]["serviceAccountName"] == "mine"


def test_an_index_is_signed_by_the_cluster_too():
    output = {**CLUSTER, "platforms": ["linux/amd64", "linux/arm64"]}
    platforms = [{"platform": platform, "digest": DIGEST} for platform in output["platforms"]]
    build = a_build({"output": output}, {"platforms": platforms})
    pod = index_pod(build, parse_spec(build.spec), SIGNED, 60)["spec"]
    assert [mount["name"] for mount in pod["containers"][0]["volumeMounts"]] == ["run", "imagebuild-signer"]
    assert [volume["name"] for volume in pod["volumes"]] == ["run", "imagebuild-signer"]


def test_a_cluster_without_a_signer_is_named():
    build = a_build({"output": CLUSTER})
    with pytest.raises(InvalidSpecError, match=r"spec\.output\.signing\.cluster: this cluster has no signer"):
        build_pod(build, parse_spec(build.spec), SETTINGS.defaults)


def told_of(spec: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a build with this spec, without those that say whose it is."""
    told: dict[str, Any] = json.loads(parameters(replace(a_build(), spec=spec)))
    assert told.pop("metadata") == OWN
    return told


def test_what_was_attached_is_read_with_care():
    said = [{"kind": "sbom", "digest": DIGEST}, {"kind": "x", "digest": "sha256:no"}, 1, {"digest": DIGEST}]
    assert parse_result(json.dumps({"attached": said})).attached == (Attached("sbom", DIGEST),)
    assert parse_result(json.dumps({"attached": "x"})).attached == ()
