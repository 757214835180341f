"""The SBOM of an image that was scanned is its scanner's."""

import json
import os
from pathlib import Path

import pytest
from kaniko_shim.attest.attestation import Sbom
from kaniko_shim.attest.options import AttestationOptions
from kaniko_shim.attest.predicates import image_predicates
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.oci.blobs import blob_path
from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.media_types import MANIFEST
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.references import parse_output
from kaniko_shim.sbom.formats import CYCLONEDX, SPDX
from kaniko_shim.scan.handover import Scanned
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths

MADE = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}).encode()
DIGEST = digest_of(MADE)
OUTPUTS = [parse_output("registry.example/team/app:1")]


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    blob = blob_path(tmp_path, DIGEST)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(MADE)
    return tmp_path


@pytest.fixture
def job() -> Job:
    return Job({}, Paths(), Console(Masker(), os.open(os.devnull, os.O_WRONLY)), LogTail(), Phases(), Warnings())


def test_it_names_the_image_and_not_the_directory_that_was_scanned(layout: Path, job: Job):
    scanned = Scanned(DIGEST, {"found": 1}, {"spdxVersion": "SPDX-2.3", "name": "/work/image", "packages": [1]})
    _, made = image_predicates(AttestationOptions(sbom=SPDX), job, layout, DIGEST, OUTPUTS, scanned)
    name = f"registry.example/team/app@{DIGEST}"
    assert made.sbom == Sbom(SPDX, {"spdxVersion": "SPDX-2.3", "name": name, "packages": [1]})
    assert made.vulnerabilities == {"found": 1}


def test_in_cyclonedx_it_names_the_image_too(layout: Path, job: Job):
    told = {"metadata": {"timestamp": "t", "component": {"type": "container", "name": "/work/image"}}, "components": []}
    scanned = Scanned(DIGEST, {}, told)
    _, made = image_predicates(AttestationOptions(sbom=CYCLONEDX), job, layout, DIGEST, OUTPUTS, scanned)
    component = {"type": "container", "name": "registry.example/team/app", "version": DIGEST}
    assert made.sbom == Sbom(CYCLONEDX, {**told, "metadata": {"timestamp": "t", "component": component}})
    with pytest.raises(JobError, match="does not say what it is about"):
        image_predicates(
            AttestationOptions(sbom=CYCLONEDX), job, layout, DIGEST, OUTPUTS, Scanned(DIGEST, {}, {"metadata": []})
        )


def test_a_scan_that_has_made_none_is_told_before_anything_is_pushed(layout: Path, job: Job):
    with pytest.raises(JobError, match="The scan has made no SBOM") as refused:
        image_predicates(AttestationOptions(sbom=SPDX), job, layout, DIGEST, OUTPUTS, Scanned(DIGEST, {}))
    assert refused.value.failure.reason is Reason.SCAN_FAILED
    _, made = image_predicates(AttestationOptions(), job, layout, DIGEST, OUTPUTS, Scanned(DIGEST, {"found": 1}))
    assert (made.sbom, made.vulnerabilities) == (None, {"found": 1})
