"""What `push` attaches to an image: found in the registry, and checked with programs of others."""

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from standalone.container import Builder
from support.cosign_key import PASSWORD, encrypted_key, is_signed
from support.registry import Registry

NOBODY = 65532
DPKG = "Package: tzdata\nStatus: install ok installed\nArchitecture: all\nVersion: 2024b-0+deb12u1\n"
METADATA = "Metadata-Version: 2.4\nName: Ruamel.Yaml\nVersion: 0.18.6\nLicense-Expression: MIT\n\nA text.\n"
DOCKERFILE = """\
FROM busybox
ARG SHOWN HIDDEN
COPY status /var/lib/dpkg/status
COPY METADATA /usr/lib/python3/dist-packages/ruamel.yaml.dist-info/METADATA
COPY METADATA /gone/x.dist-info/METADATA
RUN rm -r /gone
"""


class Pushed:
    """An image, and what its registry says of it."""

    def __init__(self, registry: Registry, image: str, result: dict[str, Any]) -> None:
        self.registry = registry
        self.repository = image.rpartition(":")[0]
        self.result = result
        self.digest: str = result["digest"]

    def referrers(self) -> list[dict[str, Any]]:
        """What refers to the image, as a registry without the referrers' API keeps it: a tag made of the digest."""
        index = self.registry.manifest(f"{self.repository}:{self.digest.replace(':', '-')}")
        return list(index["manifests"])

    def content(self, artifact_type: str) -> list[Any]:
        """The JSON documents of the referrers of a type."""
        manifests = [
            self.registry.manifest(f"{self.repository}@{each['digest']}")
            for each in self.referrers()
            if each["artifactType"] == artifact_type
        ]
        assert all(manifest["artifactType"] == artifact_type for manifest in manifests)
        assert all(manifest["subject"]["digest"] == self.digest for manifest in manifests)
        blobs = [f"{self.repository}@{manifest['layers'][0]['digest']}" for manifest in manifests]
        return [json.loads(self.registry.blob(blob)) for blob in blobs]


@pytest.fixture
def context(source: Path) -> Path:
    (source / "Dockerfile").write_text(DOCKERFILE)
    (source / "status").write_text(DPKG)
    (source / "METADATA").write_text(METADATA)
    return source


@pytest.fixture
def layout(builder: Builder, context: Path, tmp_path: Path, env: dict[str, str]) -> Path:
    """The layout of a build with arguments, one of them a secret."""
    directory = tmp_path / "layout"
    directory.mkdir(mode=0o777)
    arguments = {
        "BUILD_ARG": base64.b64encode(b"SHOWN=seen").decode(),
        "BUILD_ARG_FROM": "HIDDEN=TOKEN",
        "TOKEN": "never-to-be-seen",
    }
    built = builder.run("build", env={**env, **arguments}, mounts={"/tmp/source": context, "/kaniko/layout": directory})
    assert built.code == 0, built.log
    return directory


def push(builder: Builder, registry: Registry, layout: Path, scratch: Path, env: dict[str, str]) -> Pushed:
    scratch.mkdir()
    scratch.chmod(0o777)
    done = builder.run("push", env=env, mounts={"/kaniko/layout": layout, "/kaniko/.run": scratch}, user=NOBODY)
    assert done.code == 0, done.log
    return Pushed(registry, env["OUTPUT_IMAGE"], done.result)


def test_provenance_and_an_sbom(
    builder: Builder, registry: Registry, context: Path, layout: Path, tmp_path: Path, env: dict[str, str]
):
    more = {"PROVENANCE": "true", "SBOM": "true", "PROVENANCE_BUILDER": f"builder@sha256:{'ab' * 32}"}
    pushed = push(builder, registry, layout, tmp_path / "run", {**env, **more})
    assert [each["kind"] for each in pushed.result["attached"]] == ["provenance", "sbom"]
    assert {each["digest"] for each in pushed.result["attached"]} == {each["digest"] for each in pushed.referrers()}

    (statement,) = pushed.content("application/vnd.in-toto+json")
    subject = {"name": pushed.repository, "digest": {"sha256": pushed.digest.removeprefix("sha256:")}}
    assert statement["subject"] == [subject]
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == {
        "source": "dir:///tmp/source",
        "dockerfile": "Dockerfile",
        "buildArgs": {"SHOWN": "seen"},
        "secretBuildArgs": ["HIDDEN"],
        "outputs": [env["OUTPUT_IMAGE"]],
    }
    dockerfile = hashlib.sha256((context / "Dockerfile").read_bytes()).hexdigest()
    assert {"name": "Dockerfile", "digest": {"sha256": dockerfile}} in definition["resolvedDependencies"]
    details = statement["predicate"]["runDetails"]
    assert details["builder"]["builderDependencies"][0]["digest"] == {"sha256": "ab" * 32}
    assert details["metadata"]["startedOn"] <= details["metadata"]["finishedOn"]
    assert "never-to-be-seen" not in json.dumps(statement)

    (sbom,) = pushed.content("application/spdx+json")
    urls = [reference["referenceLocator"] for each in sbom["packages"] for reference in each["externalRefs"]]
    assert [url for url in urls if not url.startswith("pkg:oci/")] == [
        "pkg:deb/unknown/tzdata@2024b-0%2Bdeb12u1?arch=all",
        "pkg:pypi/ruamel-yaml@0.18.6",
    ]


def test_a_key_signs_what_others_can_verify(
    builder: Builder, registry: Registry, layout: Path, tmp_path: Path, env: dict[str, str]
):
    """By OpenSSL here; where COSIGN names that program, by it, too."""
    pem, public = encrypted_key()
    (tmp_path / "key.pub").write_bytes(public)
    keys = {"SIGNING_KEY": pem, "SIGNING_KEY_PASSWORD": PASSWORD}
    more = {"PROVENANCE": "true", "SBOM": "true", **keys}
    pushed = push(builder, registry, layout, tmp_path / "run", {**env, **more})
    bundles = pushed.content("application/vnd.dev.sigstore.bundle.v0.3+json")
    kinds = []
    for bundle in bundles:
        envelope = bundle["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"])
        said = f"DSSEv1 {len(envelope['payloadType'])} {envelope['payloadType']} {len(payload)} ".encode() + payload
        assert is_signed(said, base64.b64decode(envelope["signatures"][0]["sig"]), tmp_path)
        assert not is_signed(said + b" ", base64.b64decode(envelope["signatures"][0]["sig"]), tmp_path)
        kinds.append(json.loads(payload)["predicateType"])
    assert sorted(kinds) == [
        "https://sigstore.dev/cosign/sign/v1",
        "https://slsa.dev/provenance/v1",
        "https://spdx.dev/Document",
    ]

    tag = f"{pushed.repository}:{pushed.digest.replace(':', '-')}.sig"
    (layer,) = registry.manifest(tag)["layers"]
    payload = registry.blob(f"{pushed.repository}@{layer['digest']}")
    assert is_signed(payload, base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"]), tmp_path)
    assert json.loads(payload)["critical"]["image"]["docker-manifest-digest"] == pushed.digest

    # Signed again by the same key: nothing new. By another: both.
    push(builder, registry, layout, tmp_path / "again", {**env, **keys})
    assert [each["digest"] for each in registry.manifest(tag)["layers"]] == [layer["digest"]]
    other, _ = encrypted_key()
    push(builder, registry, layout, tmp_path / "other", {**env, **keys, "SIGNING_KEY": other})
    assert len(registry.manifest(tag)["layers"]) == 2

    if cosign := os.environ.get("COSIGN"):
        verify(cosign, "verify", f"{pushed.repository}@{pushed.digest}", tmp_path)
        verify(cosign, "verify", f"{pushed.repository}@{pushed.digest}", tmp_path, "--new-bundle-format=false")
        for kind in ("slsaprovenance1", "spdxjson"):
            verify(cosign, "verify-attestation", f"{pushed.repository}@{pushed.digest}", tmp_path, f"--type={kind}")


def test_a_key_that_can_not_sign_is_told_before_anything_is_pushed(
    builder: Builder, registry: Registry, layout: Path, tmp_path: Path, env: dict[str, str]
):
    scratch = tmp_path / "run"
    scratch.mkdir()
    scratch.chmod(0o777)
    pem, _ = encrypted_key()
    env = {**env, "OUTPUT_IMAGE": f"{registry.address}/standalone/unsigned:1"}
    wrong = {**env, "SIGNING_KEY": pem, "SIGNING_KEY_PASSWORD": "wrong"}
    done = builder.run("push", env=wrong, mounts={"/kaniko/layout": layout, "/kaniko/.run": scratch}, user=NOBODY)
    assert (done.code, done.result["reason"]) == (2, "InvalidSpec")
    assert done.result["message"] == "One variable is invalid: SIGNING_KEY: the key's password is wrong."
    assert not registry.has(env["OUTPUT_IMAGE"])


def verify(cosign: str, command: str, image: str, folder: Path, *options: str) -> None:
    """Let cosign itself judge."""
    line = [
        cosign,
        command,
        "--key=key.pub",
        "--insecure-ignore-tlog=true",
        "--allow-http-registry=true",
        *options,
        image,
    ]
    home = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(line, cwd=folder, env=home, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
