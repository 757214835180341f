"""What is attached to an image: from the spec to the variables of what pushes, and back from the result."""

import json
from hashlib import sha256
from typing import Any

import pytest
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.observe.report import Attached, parse_result
from imagebuild_operator.pod.attestation import MOST_PARAMETERS, attestation_variables, parameters
from imagebuild_operator.pod.index import index_pod
from imagebuild_operator.pod.manifest import build_pod
from support.builds import DIGEST, SETTINGS, SPEC, UID, a_build

ALL = {
    **SPEC["output"],
    "attestations": {"provenance": "SLSA", "sbom": "SPDX"},
    "signing": {"key": {"secretRef": {"name": "cosign"}}},
}
BUILDER = "registry.example/builder@" + DIGEST
KEY = [
    {"name": "SIGNING_KEY", "valueFrom": {"secretKeyRef": {"name": "cosign", "key": "cosign.key"}}},
    {
        "name": "SIGNING_KEY_PASSWORD",
        "valueFrom": {"secretKeyRef": {"name": "cosign", "key": "cosign.password", "optional": True}},
    },
]


def test_everything():
    build = a_build({"output": ALL})
    asked = {"source": SPEC["source"], "output": ALL}
    assert attestation_variables(build, parse_spec(build.spec), BUILDER) == [
        {"name": "PROVENANCE", "value": "true"},
        {"name": "PROVENANCE_BUILDER", "value": BUILDER},
        {"name": "PROVENANCE_INVOCATION", "value": UID},
        {"name": "PROVENANCE_PARAMETERS", "value": json.dumps(asked, sort_keys=True)},
        {"name": "SBOM", "value": "true"},
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
    assert attestation_variables(build, parse_spec(build.spec), BUILDER) == []


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
    assert json.loads(parameters({"source": source})) == {"source": told}


def test_of_a_dockerfile_that_is_too_large_the_checksum_is_told():
    spec: dict[str, Any] = {"dockerfile": {"inline": "#" * MOST_PARAMETERS}, "target": "x"}
    digest = sha256(spec["dockerfile"]["inline"].encode()).hexdigest()
    assert json.loads(parameters(spec)) == {"target": "x", "dockerfile": {"inlineSHA256": digest}}
    source = {"inline": {"files": {"app/Dockerfile": "#" * MOST_PARAMETERS}}}
    assert json.loads(parameters({"source": source, "contextDir": "app"})) == {
        "contextDir": "app",
        "source": {"inline": {"files": ["app/Dockerfile"]}},
        "dockerfile": {"inlineSHA256": digest},
    }


def test_what_was_attached_is_read_with_care():
    said = [{"kind": "sbom", "digest": DIGEST}, {"kind": "x", "digest": "sha256:no"}, 1, {"digest": DIGEST}]
    assert parse_result(json.dumps({"attached": said})).attached == (Attached("sbom", DIGEST),)
    assert parse_result(json.dumps({"attached": "x"})).attached == ()
