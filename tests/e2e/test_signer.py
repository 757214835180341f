"""The signer of a cluster, installed by the chart: its signatures are cosign's, and its key is nowhere near a build."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.test_release import LABEL, helm
from environment import ROOT
from functional.kube import Builds, Kubectl
from install import CHART, NAMESPACE, RELEASE
from kubernetes import client
from support.cosign_key import PASSWORD, encrypted_key
from support.registry import Registry
from support.release import cosign
from support.watching import wait_for_finish

#: Looks for what its push container has; fails if it is there.
DOCKERFILE = """FROM busybox
RUN ! ls /var/run/secrets/imagebuild-signer && ! env | grep SIGN && id > /who
"""
PLATFORMS = ["linux/amd64", "linux/arm64"]


@pytest.fixture
def signing(cluster: dict[str, str], kubectl: Kubectl, namespace: str, tmp_path: Path) -> Iterator[Path]:
    """A release with a signer, in a namespace of its own; the folder with `cosign.pub`."""
    private, public = encrypted_key()
    (tmp_path / "cosign.key").write_text(private)
    (tmp_path / "cosign.pub").write_bytes(public)
    system = f"{namespace}-signer"
    kubectl("create", "namespace", system)
    kubectl(
        "-n", system, "create", "secret", "generic", "signing-key", f"--from-file={tmp_path / 'cosign.key'}",
        f"--from-literal=cosign.password={PASSWORD}",
    )  # fmt: skip
    shown = helm(cluster, "get", "values", RELEASE, f"--namespace={NAMESPACE}", "--output=yaml")
    values: dict[str, Any] = {
        **yaml.safe_load(shown),
        "watchNamespaces": [namespace],
        "buildSelector": f"{LABEL}=signed",
        "crds": {"enabled": False},
        "signer": {"enabled": True, "key": {"secretName": "signing-key"}, "publicKey": public.decode()},
    }
    options = [f"--namespace={system}", "--values=-", "--wait", "--timeout=120s"]
    helm(cluster, "install", "signing", str(ROOT / CHART), *options, stdin=yaml.safe_dump(values))
    yield tmp_path
    helm(cluster, "uninstall", "signing", f"--namespace={system}", "--wait")
    kubectl("delete", "namespace", system, "--wait=false")


def test_what_the_cluster_signs_is_what_cosign_verifies(
    signing: Path,
    registry: Registry,
    builds: Builds,
    api: client.ApiClient,
    kubectl: Kubectl,
    namespace: str,
):
    image = f"{registry.name}/{namespace}/signed:1"
    fields: dict[str, Any] = {
        "source": {"inline": {"files": {"Dockerfile": DOCKERFILE}}},
        "output": {"images": [image], "attestations": {"sbom": "SPDX"}, "signing": {"cluster": {}}, "level": "SLSA3"},
    }
    created = builds.create(fields, "signed", labels={LABEL: "signed"})
    status = wait_for_finish(api, namespace, "signed")
    assert status["phase"] == "Succeeded", status
    assert (status["level"], status["engine"]) == ("SLSA3", "BuildKit")
    assert {each["kind"] for each in status["attestations"]} == {"provenance", "sbom", "signature"}

    here = f"{registry.address}/{namespace}/signed@{status['digest']}"
    options = ["--key=cosign.pub", "--insecure-ignore-tlog=true", "--allow-http-registry"]
    cosign("verify", *options, here, folder=signing)
    said = cosign("verify-attestation", *options, "--type=slsaprovenance1", here, folder=signing)
    envelope = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    predicate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    parameters = predicate["buildDefinition"]["externalParameters"]
    assert parameters["metadata"] == {"namespace": namespace, "name": "signed"}
    assert predicate["runDetails"]["metadata"]["invocationId"] == created["metadata"]["uid"]
    # An index is signed as its images are. None of them runs anything: there is one kind of node.
    both = {**fields["output"], "images": [f"{registry.name}/{namespace}/both:1"], "platforms": PLATFORMS}
    copied = {"inline": {"files": {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}}}
    builds.create({"source": copied, "output": {**both, "platformNodes": "Any"}}, "both", labels={LABEL: "signed"})
    index = wait_for_finish(api, namespace, "both")
    assert (index["phase"], index["level"]) == ("Succeeded", "SLSA3"), index
    digests = [index["digest"], *(entry["digest"] for entry in index["platforms"])]
    assert len(set(digests)) == 3
    for digest in digests:
        there = f"{registry.address}/{namespace}/both@{digest}"
        cosign("verify", *options, there, folder=signing)
        cosign("verify-attestation", *options, "--type=slsaprovenance1", there, folder=signing)
    log = kubectl("-n", f"{namespace}-signer", "logs", "deployment/signing-imagebuild-operator-signer")
    assert f"signed the provenance of {registry.name}/{namespace}/signed@{status['digest']}" in log
    assert PASSWORD not in log
