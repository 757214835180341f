"""What `make sbom` wrote about the images at hand; run by it."""

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

DOCUMENTS = Path(__file__).resolve().parents[2] / "build" / "sbom"
EXPECTED = {
    "operator": ("pkg:pypi/kopf@", "pkg:pypi/kubernetes@", "pkg:pypi/aiohttp@", "pkg:deb/debian/libc6@"),
    "builder": (
        "pkg:pypi/dulwich@",
        "pkg:pypi/paramiko@",
        "pkg:golang/github.com/google/go-containerregistry@v",
        "pkg:golang/std@",
        "pkg:deb/debian/libc6@",
        "pkg:deb/debian/libssl3@",
    ),
}


@pytest.mark.parametrize("image", EXPECTED)
def test_the_document_is_valid_and_names_what_the_image_is_made_of(image: str) -> None:
    text = (DOCUMENTS / f"{image}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["component"]["version"].startswith("sha256:")
    urls = [component["purl"] for component in document["components"]]
    assert [start for start in EXPECTED[image] if not any(url.startswith(start) for url in urls)] == []


def test_the_executor_is_named_with_its_version() -> None:
    document = json.loads((DOCUMENTS / "builder.cdx.json").read_text())
    programs = {each["name"]: each["version"] for each in document["components"] if each["type"] == "application"}
    executor = next(version for name, version in programs.items() if name.endswith("/kaniko"))
    assert executor.startswith("v1.")
