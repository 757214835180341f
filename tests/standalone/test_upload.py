"""The build context is uploaded: `receive` waits in one container as the pod has it, and `build` reads what arrived."""

import hashlib
import json
import signal
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from standalone.container import Builder, Container
from support.file_server import tar_gz
from support.registry import Registry

NOBODY = 65532
SHIM = "/kaniko/.Shim/bin/kaniko-shim"
CONTEXT = tar_gz({"Dockerfile": "FROM scratch\nCOPY app /\n", "app": "uploaded"})
DIGEST = hashlib.sha256(CONTEXT).hexdigest()
WHOLE = ("--size", str(len(CONTEXT)), "--sha256", DIGEST)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """An emptyDir."""
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(0o777)
    return volume


def receiving(builder: Builder, volume: Path, **env: str) -> Container:
    container = builder.start("receive", env=env, mounts={"/kaniko/source": volume}, user=NOBODY)
    container.wait_for("for the build context")
    return container


def send(container: Container, content: bytes, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = container.execute(SHIM, "send", *arguments, user=NOBODY, content=content)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_an_upload_is_built(builder: Builder, volume: Path, registry: Registry, env: dict[str, str]):
    container = receiving(builder, volume)
    code, answer = send(container, CONTEXT)
    assert (code, answer["state"], answer["received"], answer["sha256"]) == (0, "complete", len(CONTEXT), DIGEST)
    received = container.wait()
    assert (received.code, received.result["outcome"]) == (0, "Succeeded"), received.log
    built = builder.run(
        env={**env, "SOURCE_GET_URL": "file:///kaniko/source/archive"}, mounts={"/kaniko/source": volume}
    )
    assert built.code == 0, built.log
    assert registry.files(env["OUTPUT_IMAGE"])["/app"].content == b"uploaded"


def test_only_a_complete_upload_is_taken(builder: Builder, volume: Path):
    container = receiving(builder, volume, UPLOAD_MAX_BYTES="100000")
    hostile = BytesIO()
    with tarfile.open(fileobj=hostile, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../etc/passwd"))
    for content, arguments, code, message in (
        (CONTEXT[:-12], (), 1, "its compressed stream is cut off"),
        (hostile.getvalue(), (), 1, "climbs out of the context"),
        (CONTEXT, (*WHOLE[:3], "0" * 64), 1, f"has the SHA-256 {DIGEST}"),
        (bytes(100_001), (), 1, "more than the 100000 bytes"),
        (CONTEXT[:100], WHOLE, 3, "Continue with --offset 100."),
    ):
        ended, answer = send(container, content, *arguments)
        assert ended == code
        assert message in answer["message"]
        assert not (volume / "archive").exists()
    code, status = send(container, b"", "--status")
    assert (code, status["state"], status["received"], status["sha256"]) == (0, "incomplete", 100, DIGEST)
    first = container.executing(SHIM, "send", *WHOLE, "--offset", "100", user=NOBODY)
    assert first.stdin
    assert first.stdout
    assert first.stderr
    first.stdin.write(CONTEXT[100:150])
    first.stdin.flush()
    while (volume / "incoming").stat().st_size < 150:
        assert first.poll() is None
    code, answer = send(container, CONTEXT)
    assert (code, answer["message"]) == (4, "Another upload is running. Wait until it has ended.")
    out, _ = first.communicate(CONTEXT[150:], timeout=60)
    assert (first.returncode, json.loads(out)["state"]) == (0, "complete")
    assert container.wait().code == 0
    assert (volume / "archive").read_bytes() == CONTEXT


def test_an_upload_that_does_not_come(builder: Builder, volume: Path):
    done = receiving(builder, volume, UPLOAD_DEADLINE_SECONDS="1").wait()
    assert (done.code, done.result["reason"]) == (85, "UploadTimeout"), done.log
    assert done.result["message"] == "No complete upload arrived within 1 s."


def test_a_build_that_is_cancelled_meanwhile(builder: Builder, volume: Path):
    container = receiving(builder, volume)
    container.signal(signal.SIGTERM)
    done = container.wait(20)
    assert (done.code, done.result["reason"]) == (143, "Cancelled"), done.log
