"""The gate before the push: Trivy itself, with a database of vulnerabilities that are made up."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e.test_builds import build
from functional.kube import Builds, Defaults, Kubectl
from kubernetes import client
from support.cosign_key import PASSWORD, encrypted_key
from support.registry import Registry
from support.release import BY_KEY, statement
from support.watching import wait_for_finish

Json = dict[str, Any]

PACKAGES = {"openssl": "3.0.15-1", "zlib": "1.2.13-1", "tzdata": "2024a-1"}
STATUS = "".join(
    f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n"
    "Maintainer: Nobody <nobody@example.com>\nDescription: made up\n\n"
    for name, version in PACKAGES.items()
)
#: Says that a scan has let it pass, in the container of the build.
DOCKERFILE = """FROM busybox
COPY debian_version /etc/
COPY status /var/lib/dpkg/status
RUN mkdir -p /kaniko/.scanned; echo '{"digest": "sha256:0", "predicate": {}}' > /kaniko/.scanned/scan.json; true
"""
FILES = {
    "Dockerfile": DOCKERFILE,
    "debian_version": "12.5\n",
    "status": STATUS,
}
NOT_AFFECTED = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.com/vex",
    "author": "team",
    "timestamp": "2026-12-01T00:00:00Z",
    "version": 1,
    "statements": [
        {
            "vulnerability": {"name": "CVE-2099-0001"},
            "products": [{"@id": "pkg:deb/debian/openssl"}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        }
    ],
}
VULNERABILITIES = "https://in-toto.io/attestation/vulns/v0.2"

Scanning = Callable[..., Json]


@pytest.fixture
def scan(builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, gate: dict[str, str]) -> Scanning:
    """Builds an image where the defaults have limits; the status."""

    def scanned(engine: str, image: str, files: Json = FILES, more: Json | None = None, **limits: object) -> Json:
        Defaults(client.CustomObjectsApi(api), namespace).create(
            {"engine": engine, "retry": {"limit": 0}, "limits": {"vulnerabilities": {**gate, **limits}}, **(more or {})}
        )
        spec = build(files, f"{registry.name}/{namespace}/{image}")
        # A name of its own: what `skipIfUnchanged` finds was let pass by a database of its time.
        spec["output"] = {**spec["output"], "skipIfUnchanged": engine == "BuildKit"}
        builds.create(spec)
        return wait_for_finish(api, namespace, "hello")

    return scanned


@pytest.mark.shows("A67")
@pytest.mark.parametrize("engine", ["BuildKit", "Kaniko"])
def test_an_image_with_vulnerabilities_is_not_pushed_whatever_its_dockerfile_says(
    scan: Scanning, registry: Registry, namespace: str, engine: str
):
    status = scan(engine, "app:1")
    assert (status["phase"], status["reason"]) == ("Failed", "VulnerabilitiesFound"), status
    assert status["failure"]["message"] == (
        "The image has 2 vulnerabilities of severity High or higher: CVE-2099-0001 in openssl 3.0.15-1 (Critical, "
        "fixed in 3.0.99-1); CVE-2099-0002 in zlib 1.2.13-1 (High, not fixed yet)."
    )
    assert "openVEX" in status["failure"]["hint"]
    assert len(status["attempts"]) == 1
    assert not registry.has(f"{registry.name}/{namespace}/app:1")


EXCEPTIONS = {"onlyFixed": True, "openVEX": json.dumps(NOT_AFFECTED)}
FOUND = {"CVE-2099-0002": "HIGH", "CVE-2099-0003": "LOW"}


def found_in(said: Json) -> dict[str, str]:
    """Each vulnerability of a statement with its severity."""
    assert said["predicateType"] == VULNERABILITIES
    return {each["id"]: each["severity"][0]["score"] for each in said["predicate"]["scanner"]["result"]}


def test_exceptions_let_it_pass_and_what_was_found_is_attached(scan: Scanning, registry: Registry, namespace: str):
    status = scan("Kaniko", "app:1", **EXCEPTIONS)
    assert status["phase"] == "Succeeded", status
    repository = f"{registry.name}/{namespace}/app"
    assert status["digest"] == registry.digest(f"{repository}:1")
    (attached,) = [each for each in status["attestations"] if each["kind"] == "vulnerabilities"]
    (layer,) = registry.manifest(f"{repository}@{attached['digest']}")["layers"]
    statement = json.loads(registry.blob(f"{repository}@{layer['digest']}"))
    assert statement["subject"][0]["digest"]["sha256"] == status["digest"].partition(":")[2]
    assert found_in(statement) == FOUND


def test_what_was_found_is_signed_as_cosign_verifies_it(
    scan: Scanning, registry: Registry, kubectl: Kubectl, namespace: str, tmp_path: Path
):
    private, public = encrypted_key()
    (tmp_path / "cosign.key").write_text(private)
    (tmp_path / "cosign.pub").write_bytes(public)
    kubectl(
        "-n", namespace, "create", "secret", "generic", "cosign", f"--from-file={tmp_path / 'cosign.key'}",
        f"--from-literal=cosign.password={PASSWORD}",
    )  # fmt: skip
    signed = {"signing": {"key": {"secretRef": {"name": "cosign"}}}, "attestations": {"sbom": "CycloneDX"}}
    status = scan("BuildKit", "app:1", more=signed, **EXCEPTIONS)
    assert status["phase"] == "Succeeded", status
    image = f"{registry.address}/{namespace}/app@{status['digest']}"
    assert found_in(statement(image, VULNERABILITIES, BY_KEY, tmp_path)) == FOUND
    # The SBOM is the scanner's as well.
    sbom = statement(image, "cyclonedx", BY_KEY, tmp_path)["predicate"]
    about = sbom["metadata"]["component"]
    assert (about["name"], about["version"]) == (f"{registry.name}/{namespace}/app", status["digest"])
    assert PACKAGES.keys() <= {each["name"] for each in sbom["components"]}
    assert [each["name"] for each in sbom["metadata"]["tools"]["components"]] == ["trivy"]


@pytest.mark.shows("A67")
@pytest.mark.parametrize(
    ("files", "content", "problem"),
    [
        # Trivy itself is no database.
        (FILES, "scanner", "there is no database of Trivy in its volume"),
        ({**FILES, "Dockerfile": "FROM scratch\nCOPY status /app.jar\n"}, "database", "Java DB"),
    ],
    ids=["no database", "no database for Java"],
)
def test_a_scan_that_fails_is_no_pass(
    scan: Scanning,
    registry: Registry,
    namespace: str,
    request: pytest.FixtureRequest,
    files: dict[str, str],
    content: str,
    problem: str,
):
    status = scan("BuildKit", "app:1", files=files, database=request.getfixturevalue(content))
    assert (status["phase"], status["reason"]) == ("Failed", "ScanFailed"), status
    assert problem in status["message"]
    assert not registry.has(f"{registry.name}/{namespace}/app:1")
