"""SBOM documents, validated by the tools of SPDX and CycloneDX."""

import json
import subprocess
import sys

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from kaniko_shim.sbom.cyclonedx import cyclonedx
from kaniko_shim.sbom.licenses import spdx_license
from kaniko_shim.sbom.package_urls import image_url, package_url
from kaniko_shim.sbom.packages import Distribution, Package
from kaniko_shim.sbom.spdx import spdx
from packageurl import PackageURL
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

DIGEST = "sha256:" + "ab" * 32
NAME = "registry.example:5000/team/app"
DEBIAN = Distribution("debian", "12", "Debian GNU/Linux 12 (bookworm)")


def document_of(*packages: Package, distribution: Distribution = DEBIAN) -> dict[str, object]:
    return spdx(NAME, DIGEST, packages, distribution, created="2026-11-24T08:00:00Z", tool="kaniko-shim-1")


def problems(document: dict[str, object]) -> list[str]:
    """What SPDX's own tools say about a document, as a reader would get it."""
    parser = JsonLikeDictParser()  # type: ignore[no-untyped-call]
    parsed = parser.parse(json.loads(json.dumps(document)))
    return [message.validation_message for message in validate_full_spdx_document(parsed)]


VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def in_cyclonedx(*packages: Package, distribution: Distribution = DEBIAN) -> dict[str, object]:
    """A document that CycloneDX's own tools find valid."""
    document = cyclonedx(NAME, DIGEST, packages, distribution, created="2026-11-24T08:00:00Z", tool="kaniko-shim-1")
    assert VALIDATOR.validate_str(json.dumps(document)) is None
    return document


def test_a_document_in_cyclonedx():
    document = in_cyclonedx(
        Package("deb", "b", "1", "amd64", "MIT OR Apache-2.0"), Package("npm", "/", "2", license="mine"),
        Package("pypi", "a", "2"), Package("pypi", "a", "2"),
    )  # fmt: skip
    image = f"pkg:oci/app@{DIGEST}?repository_url={NAME}"
    assert document["metadata"] == {
        "timestamp": "2026-11-24T08:00:00Z",
        "tools": {"components": [{"type": "application", "name": "kaniko-shim-1"}]},
        "component": {
            "type": "container",
            "bom-ref": image,
            "name": NAME,
            "version": DIGEST,
            "purl": image,
            "hashes": [{"alg": "SHA-256", "content": "ab" * 32}],
        },
    }
    assert document["components"] == [
        {
            "type": "library",
            "bom-ref": "package-0",
            "name": "b",
            "version": "1",
            "purl": "pkg:deb/debian/b@1?arch=amd64&distro=debian-12",
            "licenses": [{"expression": "MIT OR Apache-2.0"}],
        },
        {
            "type": "library",
            "bom-ref": "package-1",
            "name": "/",
            "version": "2",
            "licenses": [{"license": {"name": "mine"}}],
        },
        {"type": "library", "bom-ref": "package-2", "name": "a", "version": "2", "purl": "pkg:pypi/a@2"},
        {"type": "operating-system", "bom-ref": "os", "name": "debian", "version": "12"},
    ]


def test_a_document():
    document = document_of(
        Package("pypi", "b", "1", license="MIT OR Apache-2.0"), Package("pypi", "a", "2"), Package("pypi", "a", "2")
    )
    assert problems(document) == []
    assert document["documentNamespace"] == f"https://imagebuild.dev/spdx/sha256-{'ab' * 32}/2026-11-24T08%3A00%3A00Z"
    listed = document["packages"]
    assert isinstance(listed, list)
    assert [(each["name"], each["versionInfo"]) for each in listed] == [(NAME, DIGEST), ("a", "2"), ("b", "1")]
    assert listed[2] == {
        "SPDXID": "SPDXRef-Package-1",
        "name": "b",
        "versionInfo": "1",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "MIT OR Apache-2.0",
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:pypi/b@1"}
        ],
    }
    identifiers = {"SPDXRef-DOCUMENT", *(each["SPDXID"] for each in listed)}
    relationships = document["relationships"]
    assert isinstance(relationships, list)
    assert {each["relatedSpdxElement"] for each in relationships} == identifiers - {"SPDXRef-DOCUMENT"}


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("(MIT OR Apache-2.0)", "MIT OR Apache-2.0"),
        ("(MIT OR Zlib) AND BSD-3-Clause", "(MIT OR Zlib) AND BSD-3-Clause"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("GPL2", ""),
        ("MIT BSD", ""),
        ("BSD", ""),
        ("SEE LICENSE IN LICENSE", ""),
        ("UNLICENSED", ""),
        ("LicenseRef-scancode-free-unknown", ""),
        ("MIT AND LicenseRef-mine", ""),
        ("MIT WITH Apache-2.0", ""),
        ("MIT OR", ""),
        ("(MIT", ""),
        ("( AND MIT", ""),
        ("( )", ""),
        ("(" * 900 + "MIT" + ")" * 900, ""),
        ("MIT AND " * 1000 + "MIT", ""),
        ("", ""),
    ],
)
def test_licenses(declared: str, expected: str):
    assert spdx_license(declared) == expected
    package = Package("npm", "x", "1", license=declared)
    document = document_of(package)
    assert problems(document) == []
    listed = document["packages"]
    assert isinstance(listed, list)
    assert listed[1]["licenseDeclared"] == (expected or "NOASSERTION")
    assert ("licenseComments" in listed[1]) is bool(declared and not expected)


TEXT = st.text(min_size=1, max_size=20)
WORDS = st.lists(
    st.sampled_from(
        ["MIT", "Apache-2.0", "AND", "OR", "WITH", "(", ")", "+", "Classpath-exception-2.0", "x", "é", "\n"]
    ),
    max_size=8,
).map(" ".join)
ANY_PACKAGE = st.builds(
    Package, st.sampled_from(["deb", "apk", "pypi", "npm"]), TEXT, TEXT, st.text(max_size=5), WORDS | st.text()
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY_PACKAGE, max_size=4), st.builds(Distribution, st.text(), st.text(), st.text()))
def test_any_packages_make_a_valid_document(packages: list[Package], distribution: Distribution):
    assert problems(document_of(*packages, distribution=distribution)) == []
    assert in_cyclonedx(*packages, distribution=distribution)
    for package in packages:
        if url := package_url(package, distribution):
            assert PackageURL.from_string(url).type == package.ecosystem


@pytest.mark.parametrize(
    ("package", "url"),
    [
        (Package("deb", "libc6", "2.36-9", "amd64"), "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12"),
        (Package("deb", "g++", "4:12.2+x~1"), "pkg:deb/debian/g%2B%2B@4:12.2%2Bx~1?distro=debian-12"),
        (Package("npm", "@types/node", "20.1.0"), "pkg:npm/%40types/node@20.1.0"),
        (Package("npm", "/", "1"), ""),
        (Package("pypi", "requests", "2.31.0"), "pkg:pypi/requests@2.31.0"),
    ],
)  # fmt: skip
def test_package_urls(package: Package, url: str):
    assert package_url(package, DEBIAN) == url


def test_the_url_of_an_image():
    assert image_url(NAME, DIGEST) == f"pkg:oci/app@{DIGEST}?repository_url={NAME}"


def test_the_libraries_are_loaded_for_an_sbom_only():
    program = "import sys, kaniko_shim.__main__, kaniko_shim.commands.push\nprint(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not {"packageurl", "license_expression"} & set(shown.stdout.split())
