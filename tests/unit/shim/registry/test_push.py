"""Tags that can't be overwritten."""

import json
from pathlib import Path

import pytest
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.oci.digests import digest_of
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.push import Pusher
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths

OUTPUT = ImageReference("r.example", "team/app", "1")
HELD = json.dumps({"config": {"size": 1}, "layers": [{"size": 2}]}).encode()
ANSWER = "TAG_INVALID: The image tag '1' cannot be overwritten because the repository is immutable."
CRANE = """#!/bin/sh
[ "$1" = push ] || exec cat {here}/manifest
echo "Error: pushing: PUT https://r.example/v2/team/app/manifests/1: {answer}" >&2
exit 1
"""


def pushing(directory: Path, answer: str, digest: str, *, ignore: bool) -> Pusher:
    paths = Paths(crane=directory / "crane", scratch=directory / "scratch")
    paths.crane.write_text(CRANE.format(here=directory, answer=answer))
    paths.crane.chmod(0o755)
    (directory / "manifest").write_bytes(HELD)
    job = Job({}, paths, Console(Masker()), LogTail(), Phases(), Warnings())
    return Pusher(job, Crane(paths, {}, Registries()), 60, directory, digest, ignore_immutable=ignore)


def test_a_tag_that_can_not_be_overwritten_is_a_failure(tmp_path: Path):
    with pytest.raises(JobError, match="overwritten") as caught:
        pushing(tmp_path, ANSWER, "sha256:0", ignore=False).push(OUTPUT)
    assert caught.value.failure.reason is Reason.PUSH_REJECTED


def test_a_tag_that_can_not_be_overwritten_may_be_ignored(tmp_path: Path):
    push = pushing(tmp_path, ANSWER, "sha256:0", ignore=True)
    assert push.push(OUTPUT).digest == digest_of(HELD)
    assert push.job.warnings.texts == (
        f"r.example/team/app:1 is immutable and stays {digest_of(HELD)}; sha256:0 was not pushed.",
    )


def test_a_tag_that_has_the_image_already_is_no_matter(tmp_path: Path):
    push = pushing(tmp_path, ANSWER, digest_of(HELD), ignore=True)
    assert push.push(OUTPUT).digest == digest_of(HELD)
    assert push.job.warnings.texts == ()


def test_nothing_else_is_ignored(tmp_path: Path):
    with pytest.raises(JobError) as caught:
        pushing(tmp_path, "DENIED: no", "sha256:0", ignore=True).push(OUTPUT)
    assert caught.value.failure.reason is Reason.REGISTRY_UNAUTHORIZED
