"""Provenance, a bill of materials and signatures, asked for in an ImageBuild."""

import base64
import json
from pathlib import Path
from typing import Any

from e2e.test_builds import build
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.cosign_key import PASSWORD, encrypted_key, is_signed
from support.registry import Registry
from support.watching import wait_for_finish

FILES = {
    "Dockerfile": "FROM scratch\nCOPY status /var/lib/dpkg/status\n",
    "status": "Package: tzdata\nStatus: install ok installed\nArchitecture: all\nVersion: 2024b\n",
}


def test_a_signed_image(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl, tmp_path: Path
):
    private, public = encrypted_key()
    (tmp_path / "cosign.key").write_text(private)
    (tmp_path / "key.pub").write_bytes(public)
    kubectl(
        "-n", namespace, "create", "secret", "generic", "cosign",
        f"--from-file={tmp_path / 'cosign.key'}", f"--from-literal=cosign.password={PASSWORD}",
    )  # fmt: skip
    image = f"{registry.name}/{namespace}/app:1"
    spec = build(FILES, image)
    wanted = {
        "attestations": {"provenance": "SLSA", "sbom": "SPDX"},
        "signing": {"key": {"secretRef": {"name": "cosign"}}},
    }
    created = builds.create({**spec, "output": {**spec["output"], **wanted}})
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status

    repository = image.rpartition(":")[0]
    said: dict[str, Any] = {}
    for attested in status["attestations"]:
        manifest = registry.manifest(f"{repository}@{attested['digest']}")
        assert manifest["subject"]["digest"] == status["digest"]
        document = json.loads(registry.blob(f"{repository}@{manifest['layers'][0]['digest']}"))
        if "dsseEnvelope" in document:
            payload = base64.b64decode(document["dsseEnvelope"]["payload"])
            signature = base64.b64decode(document["dsseEnvelope"]["signatures"][0]["sig"])
            message = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
            assert is_signed(message, signature, tmp_path)
            said[attested["kind"]] = json.loads(payload)
    assert set(said) == {"provenance", "sbom", "signature"}
    assert "tzdata" in [package["name"] for package in said["sbom"]["predicate"]["packages"]]
    definition = said["provenance"]["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["source"] == {"inline": {"files": FILES}}
    details = said["provenance"]["predicate"]["runDetails"]
    assert details["metadata"]["invocationId"] == created["metadata"]["uid"]
    assert "@sha256:" in details["builder"]["builderDependencies"][0]["uri"]
