"""The properties of a build."""

from imagebuild import Build, Failure, Image, Phase, Progress


def build(**status: object) -> Build:
    metadata = {"name": "app", "namespace": "team", "uid": "1", "creationTimestamp": "2026-11-25T10:00:00Z"}
    return Build({"metadata": metadata, "spec": {"output": {"images": ["a/b:1"]}}, "status": status})


def test_a_build_that_the_operator_has_not_seen():
    fresh = Build({"metadata": {"name": "app", "namespace": "team", "uid": "1"}, "spec": {}})
    assert (fresh.phase, fresh.is_finished, fresh.digest, fresh.failure, fresh.created) == (None, False, "", None, None)


def test_a_build_that_has_succeeded():
    digest = "sha256:" + "a" * 64
    images = [{"reference": "a/b:1", "digest": digest, "sizeBytes": 10}, {"reference": "a/b:2", "digest": digest}]
    done = build(phase="Succeeded", digest=digest, images=images, duration="12s")
    assert (done.phase, done.is_finished, done.succeeded) == (Phase.SUCCEEDED, True, True)
    assert done.images == (Image("a/b:1", digest, 10), Image("a/b:2", digest))
    assert (done.digest, done.duration, done.failure) == (digest, "12s", None)


def test_a_build_that_has_failed():
    failure = {"reason": "RunCommandFailed", "message": "exit code 2", "dockerfileLine": 3, "exitCode": 2}
    failed = build(phase="Failed", reason="RunCommandFailed", message="whole", failure=failure)
    assert failed.failure == Failure("RunCommandFailed", "exit code 2", dockerfile_line=3, exit_code=2)
    assert not failed.succeeded


def test_a_failure_without_details_has_those_of_the_status():
    assert build(phase="Failed", reason="InvalidSpec", message="m").failure == Failure("InvalidSpec", "m")


def test_the_progress():
    assert build(phase="Building").progress is None
    shown = build(phase="Building", progress={"step": 2, "steps": 5, "instruction": "RUN make"})
    assert shown.progress == Progress(2, 5, "", "RUN make")
