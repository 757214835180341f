"""Signatures without a key, by Sigstore's own services: cosign verifies whose pod asked for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.registry import Registry
from support.release import cosign, statement
from support.sigstore import Sigstore, sigstore_installed
from support.watching import wait_for_finish

#: On a new machine it waits for the compiler.
pytestmark = pytest.mark.timeout(1800)
#: Looks for what its push container has; fails if it is there.
DOCKERFILE = """FROM busybox
RUN ! ls /var/run/secrets/sigstore && ! env | grep SIGN && id > /who
"""
PLATFORMS = ["linux/amd64", "linux/arm64"]


@pytest.fixture
def sigstore(
    registry: Registry, api: client.ApiClient, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> Iterator[Sigstore]:
    """Fulcio, Rekor and a timestamp authority, in a namespace of their own."""
    with sigstore_installed(registry, api, kubectl, f"{namespace}-sigstore", tmp_path) as found:
        yield found


@pytest.mark.shows("A64")
def test_what_a_service_account_signed_is_what_cosign_verifies(
    sigstore: Sigstore,
    registry: Registry,
    builds: Builds,
    api: client.ApiClient,
    kubectl: Kubectl,
    namespace: str,
    tmp_path: Path,
):
    attestations = {"provenance": "SLSA", "sbom": "SPDX"}
    output: dict[str, Any] = {
        "images": [f"{registry.name}/{namespace}/signed:1"],
        "attestations": attestations,
        "signing": sigstore.signing,
    }
    builds.create({"source": {"inline": {"files": {"Dockerfile": DOCKERFILE}}}, "output": output}, "signed")
    status = wait_for_finish(api, namespace, "signed")
    assert status["phase"] == "Succeeded", status
    assert {each["kind"] for each in status["attestations"]} == {"provenance", "sbom", "signature"}
    here = f"{registry.address}/{namespace}/signed@{status['digest']}"
    options = [*sigstore.identity(namespace), "--allow-http-registry"]
    cosign("verify", *options, here, folder=tmp_path)
    predicate = statement(here, "slsaprovenance1", options, tmp_path)["predicate"]
    assert predicate["buildDefinition"]["externalParameters"]["metadata"] == {"namespace": namespace, "name": "signed"}
    cosign("verify-attestation", *options, "--type=spdxjson", here, folder=tmp_path)
    for other in (sigstore.identity("team-b"), sigstore.identity(namespace, "builder")):
        with pytest.raises(AssertionError, match="no matching CertificateIdentity found"):
            cosign("verify", *other, "--allow-http-registry", here, folder=tmp_path)

    # An index, and the account that the build names.
    kubectl("-n", namespace, "create", "serviceaccount", "builder")
    index_output = {
        "images": [f"{registry.name}/{namespace}/both:1"],
        "platforms": PLATFORMS,
        "platformNodes": "Any",
        "signing": sigstore.signing,
    }
    copied = {"inline": {"files": {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}}}
    account = {"spec": {"serviceAccountName": "builder"}}
    builds.create({"source": copied, "output": index_output, "podTemplate": account}, "both")
    index = wait_for_finish(api, namespace, "both")
    assert index["phase"] == "Succeeded", index
    digests = [index["digest"], *(entry["digest"] for entry in index["platforms"])]
    assert len(set(digests)) == 3
    options = [*sigstore.identity(namespace, "builder"), "--allow-http-registry"]
    for digest in digests:
        cosign("verify", *options, f"{registry.address}/{namespace}/both@{digest}", folder=tmp_path)

    # Rekor is no certificate authority: the failure says who answered, and what.
    wrong = sigstore.signing["keyless"]["rekorURL"]
    lost = {"keyless": {**sigstore.signing["keyless"], "fulcioURL": wrong}}
    unsigned = {"images": [f"{registry.name}/{namespace}/lost:1"], "signing": lost}
    builds.create({"source": copied, "output": unsigned, "retry": {"limit": 0}}, "lost")
    status = wait_for_finish(api, namespace, "lost")
    assert (status["phase"], status["reason"]) == ("Failed", "SigningFailed"), status
    assert f"{wrong}/api/v2/signingCert answered 404" in status["message"]
