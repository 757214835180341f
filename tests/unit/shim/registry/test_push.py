"""Tags that can't be overwritten or that somebody else overwrites at the same time, and layers that are shown late."""

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


LATE = """#!/bin/sh
[ "$1" = push ] || exec cat {here}/manifest
[ ! -e {here}/tried ] || exit 0
touch {here}/tried
echo "Error: PUT https://r.example/v2/team/app/manifests/1: MANIFEST_BLOB_UNKNOWN: blob unknown to registry" >&2
exit 1
"""


def test_a_layer_that_the_registry_shows_late_is_waited_for(tmp_path: Path):
    push = pushing(tmp_path, "", digest_of(HELD), ignore=False)
    (tmp_path / "crane").write_text(LATE.format(here=tmp_path))
    assert push.push(OUTPUT).digest == digest_of(HELD)
    assert (tmp_path / "tried").exists()


RACE = """#!/bin/sh
case "$*" in
  *push*) exit 0 ;;
  *@*) [ -e {here}/mine ] && exec cat {here}/mine
    echo "Error: GET https://r.example/v2/team/app/manifests/x: MANIFEST_UNKNOWN: manifest unknown" >&2; exit 1 ;;
  *) exec cat {here}/manifest ;;
esac
"""


@pytest.mark.parametrize("kept", [True, False])
def test_a_later_push_of_the_same_tag_is_no_failure_if_the_image_is_there(tmp_path: Path, *, kept: bool):
    mine = HELD.replace(b"2", b"3")
    push = pushing(tmp_path, "", digest_of(mine), ignore=False)
    (tmp_path / "crane").write_text(RACE.format(here=tmp_path))
    if not kept:
        with pytest.raises(JobError, match=f"has {digest_of(HELD)} as r.example/team/app:1, but") as caught:
            push.push(OUTPUT)
        assert caught.value.failure.reason is Reason.INTERNAL
        return
    (tmp_path / "mine").write_bytes(mine)
    pushed = push.push(OUTPUT)
    assert (pushed.reference, pushed.digest) == ("r.example/team/app:1", digest_of(mine))
    (warning,) = push.job.warnings.texts
    assert f"is {digest_of(HELD)} by now" in warning
