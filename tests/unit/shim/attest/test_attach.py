"""Signatures of other keys are never overwritten because the registry could not be asked for them."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from kaniko_shim.attest.artifact import Subject
from kaniko_shim.attest.attach import Attacher
from kaniko_shim.attest.attestation import Predicates
from kaniko_shim.attest.keys import SigningKey
from kaniko_shim.attest.simplesigning import held_signatures, sign, signature_tag
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.oci.media_types import MANIFEST
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths

DIGEST = "sha256:" + "4045" * 16
REPOSITORY = "r.example/unknown/404"
URL = f"https://r.example/v2/unknown/404/manifests/{signature_tag(DIGEST)}"
CRANE = """#!/bin/sh
case "$1 $2" in
  "manifest "*.sig)
    [ ! -e {here}/tag ] || {{ cat {here}/tag; exit; }}
    echo 'Error: fetching manifest {repository}: GET {url}: {answer}' >&2
    exit 1;;
  "manifest "*) cat {here}/manifest;;
  push*)
    digest=$(sed 's/.*"digest":"sha256:\\([0-9a-f]*\\)".*/\\1/' "$2/index.json")
    cp "$2/blobs/sha256/$digest" {here}/manifest
    case "$3" in *.sig) cp {here}/manifest {here}/tag; echo "$3" >> {here}/pushed;; esac;;
esac
"""


def attach(directory: Path, answer: str, key: SigningKey) -> None:
    paths = Paths(crane=directory / "crane", scratch=directory / "scratch")
    paths.scratch.mkdir(exist_ok=True)
    paths.crane.write_text(CRANE.format(here=directory, repository=REPOSITORY, url=URL, answer=answer))
    paths.crane.chmod(0o755)
    job = Job({}, paths, Console(Masker()), LogTail(), Phases(), Warnings())
    attacher = Attacher(job, Crane(paths, {}, Registries()), 60, key)
    outputs = [ImageReference("r.example", "unknown/404", "1")]
    attacher.attach(outputs, Subject(DIGEST, 10, MANIFEST), Predicates("2026-11-25T00:00:00Z"))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("unexpected status code 503 Service Unavailable: 404 page", Reason.REGISTRY_UNAVAILABLE),
        ("unexpected status code 500 Internal Server Error: MANIFEST_UNKNOWN", Reason.REGISTRY_UNAVAILABLE),
        ("UNKNOWN: unknown error", Reason.REGISTRY_UNAVAILABLE),
        ("DENIED: 404", Reason.REGISTRY_UNAUTHORIZED),
    ],
)
def test_a_registry_that_does_not_answer_holds_no_list_of_signatures(tmp_path: Path, answer: str, reason: Reason):
    with pytest.raises(JobError) as caught:
        attach(tmp_path, answer, SigningKey(ec.generate_private_key(ec.SECP256R1())))
    assert caught.value.failure.reason is reason
    assert not (tmp_path / "pushed").exists()


@pytest.mark.parametrize("answer", ["MANIFEST_UNKNOWN: manifest unknown", "unexpected status code 404 Not Found"])
def test_the_first_signature_is_pushed_and_the_second_is_added(tmp_path: Path, answer: str):
    keys = [SigningKey(ec.generate_private_key(ec.SECP256R1())) for _ in range(2)]
    attach(tmp_path, answer, keys[0])
    attach(tmp_path, answer, keys[1])
    held = held_signatures((tmp_path / "tag").read_bytes())
    assert len(held) == 2
    assert all(sign(REPOSITORY, DIGEST, key, held) is None for key in keys)
