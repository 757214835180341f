"""An upload: what `send` accepts, keeps and refuses, and when `receive` ends."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from kaniko_shim.commands.send import send
from kaniko_shim.run import run
from kaniko_shim.sources.upload.folder import Terms, UploadFolder
from kaniko_shim.system.paths import Paths

DEADLINE = "2030-01-01T00:00:00Z"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "upload").mkdir()
    (tmp_path / "termination-log").touch()
    return Paths(
        executor=tmp_path / "no-executor",
        scratch=tmp_path / "run",
        docker_config=tmp_path / "docker",
        upload=tmp_path / "upload",
        termination_log=tmp_path / "termination-log",
    )


def tar(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return content.getvalue()


CONTEXT = gzip.compress(tar({"Dockerfile": b"FROM scratch\n", "data": os.urandom(50_000)}), mtime=0)
WHOLE = ("--size", str(len(CONTEXT)), "--sha256", hashlib.sha256(CONTEXT).hexdigest())


class Sender:
    """Sends in a process of its own, since an upload stays claimed until its process ends."""

    def __init__(self, paths: Paths, *arguments: str) -> None:
        code = (
            "import sys; from pathlib import Path; from kaniko_shim.commands.send import send; "
            "from kaniko_shim.system.paths import Paths; sys.exit(send(sys.argv[2:], Paths(upload=Path(sys.argv[1]))))"
        )
        command = [sys.executable, "-c", code, str(paths.upload), *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)

    def end(self, content: bytes = b"") -> tuple[int, dict[str, Any]]:
        try:
            out, err = self.process.communicate(content, timeout=30)
        finally:
            self.process.kill()
        assert b"Traceback" not in err, err
        return self.process.returncode, json.loads(out) if out else {"usage": err.decode()}


def sent(paths: Paths, content: bytes, *arguments: str) -> tuple[int, dict[str, Any]]:
    return Sender(paths, *arguments).end(content)


@pytest.fixture
def folder(paths: Paths) -> UploadFolder:
    folder = UploadFolder(paths.upload)
    os.close(folder.open(Terms(DEADLINE, 100_000)))
    return folder


def bell(paths: Paths) -> int:
    """A descriptor at which `complete` finds a listener, as `receive` would be."""
    return UploadFolder(paths.upload).open(Terms(DEADLINE, 100_000))


@pytest.mark.parametrize("arguments", [(), WHOLE])
@pytest.mark.usefixtures("folder")
def test_a_complete_upload(paths: Paths, arguments: tuple[str, ...]):
    listening = bell(paths)
    assert sent(paths, CONTEXT, *arguments) == (
        0,
        {
            "state": "complete",
            "received": len(CONTEXT),
            "sha256": WHOLE[-1],
            "outcome": "complete",
            "message": "The build context has arrived.",
        },
    )
    assert os.read(listening, 10) == b"\n"
    os.close(listening)
    assert (paths.upload / "archive").read_bytes() == CONTEXT
    assert not (paths.upload / "incoming").exists()
    code, answer = sent(paths, CONTEXT)
    assert (code, answer["message"]) == (
        4,
        "The build has its context already. Create another build for another context.",
    )


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (CONTEXT[:-9], (), "The context's archive is damaged: its compressed stream is cut off."),
        (b"", (), "The context's archive is empty."),
        (tar({"a": b"x" * 2000})[:1024], (), "The context's archive is damaged: it is cut off inside a file."),
        (tar({"../a": b""}), (), "The context's entry '../a' climbs out of the context with ..."),
        (tar({"/etc/a": b""}), (), "has an absolute path"),
        (b"#!/bin/sh\n" * 100, (), "neither a tar"),
        (bytes(100_001), (), "The archive has more than the 100000 bytes that are accepted."),
        (CONTEXT, ("--size", "100001", "--sha256", "0" * 64), "has 100001 bytes, and at most 100000 are accepted"),
        (CONTEXT, (*WHOLE[:3], "0" * 64), f"has the SHA-256 {WHOLE[-1]}, not {'0' * 64}."),
        (CONTEXT, ("--size", "10", *WHOLE[2:]), "More than the 10 bytes of --size were sent."),
    ],
)
def test_what_is_refused_leaves_nothing(
    paths: Paths, folder: UploadFolder, content: bytes, arguments: tuple[str, ...], message: str
):
    code, answer = sent(paths, content, *arguments)
    assert (code, answer["state"], answer["received"], answer["outcome"]) == (1, "waiting", 0, "refused")
    assert message in answer["message"]
    assert folder.refusal == answer["message"]
    assert not folder.is_complete


@pytest.mark.usefixtures("folder")
def test_an_upload_continues_where_it_was_cut_off(paths: Paths):
    listening = bell(paths)
    code, answer = sent(paths, CONTEXT[:20_000], *WHOLE)
    assert (code, answer["outcome"]) == (3, "incomplete")
    assert answer["message"] == (f"20000 of {len(CONTEXT)} bytes have arrived. Continue with --offset 20000.")
    assert Sender(paths, "--status").end() == (
        0,
        {
            "state": "incomplete",
            "received": 20_000,
            "size": len(CONTEXT),
            "sha256": WHOLE[-1],
            "deadline": DEADLINE,
            "maxBytes": 100_000,
        },
    )
    # Of what was kept, a part may be sent again.
    code, answer = sent(paths, CONTEXT[15_000:], *WHOLE, "--offset", "15000")
    assert (code, answer["state"], answer["sha256"]) == (0, "complete", WHOLE[-1])
    os.close(listening)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*WHOLE, "--offset", "20001"), "Only 20000 bytes have been kept. Continue with --offset 20000."),
        ((*WHOLE[:3], "0" * 64, "--offset", "10"), "Nothing of this archive has been kept."),
    ],
)
def test_an_offset_that_does_not_fit(paths: Paths, folder: UploadFolder, arguments: tuple[str, ...], message: str):
    sent(paths, CONTEXT[:20_000], *WHOLE)
    code, answer = sent(paths, CONTEXT, *arguments)
    assert code == 2
    assert answer["message"].startswith(message)
    assert folder.kept.received == 20_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--size", "10"), "give both --size and --sha256, or neither"),
        (("--offset", "10"), "--offset needs --size and --sha256"),
        (("--size", "x", "--sha256", "0" * 64), "'x': write a number of bytes"),
        (("--size", "1", "--sha256", "x"), "'x': write the 64 hexadecimal digits that sha256sum prints"),
    ],
)
def test_wrong_use(paths: Paths, arguments: tuple[str, ...], message: str):
    code, answer = Sender(paths, *arguments).end()
    assert code == 2
    assert message in answer["usage"]


@pytest.mark.parametrize("arguments", [(), WHOLE])
def test_a_build_with_a_digest_refuses_any_other_archive(paths: Paths, arguments: tuple[str, ...]):
    listening = UploadFolder(paths.upload).open(Terms(DEADLINE, 100_000, "0" * 64))
    code, answer = sent(paths, CONTEXT, *arguments)
    os.close(listening)
    assert (code, answer["state"], answer["received"], answer["accepts"]) == (1, "waiting", 0, "0" * 64)
    message = f"This build accepts only the archive with the SHA-256 {'0' * 64}, and this one has {WHOLE[-1]}."
    assert answer["message"] == message
    assert UploadFolder(paths.upload).refusal == message


@pytest.mark.parametrize("arguments", [(), WHOLE])
def test_a_build_with_a_digest_accepts_its_archive(paths: Paths, arguments: tuple[str, ...]):
    listening = UploadFolder(paths.upload).open(Terms(DEADLINE, 100_000, WHOLE[-1]))
    assert sent(paths, CONTEXT, *arguments)[0] == 0
    os.close(listening)


@pytest.mark.usefixtures("folder")
def test_two_senders(paths: Paths):
    first = Sender(paths, *WHOLE)
    assert first.process.stdin is not None
    first.process.stdin.write(CONTEXT[:1000])
    first.process.stdin.flush()
    while not UploadFolder(paths.upload).received:
        assert first.process.poll() is None
    code, answer = sent(paths, CONTEXT)
    assert (code, answer["message"]) == (4, "Another upload is running. Wait until it has ended.")
    listening = bell(paths)
    assert first.end(CONTEXT[1000:])[0] == 0
    os.close(listening)


def test_nothing_is_awaited_any_more(paths: Paths):
    UploadFolder(paths.upload).close()
    code, answer = sent(paths, CONTEXT)
    assert (code, answer["state"], answer["message"]) == (4, "closed", "No upload is awaited in this container.")


def test_a_sender_waits_until_something_is_awaited(paths: Paths):
    sender = Sender(paths, *WHOLE)
    status, answer = sent(paths, b"", "--status")
    assert (status, answer) == (0, {"state": "starting"})
    os.close(UploadFolder(paths.upload).open(Terms(DEADLINE, 100_000)))
    listening = bell(paths)
    assert sender.end(CONTEXT)[0] == 0
    os.close(listening)


def test_receive_ends_after_the_upload(paths: Paths):
    results = list[tuple[int, dict[str, Any]]]()

    def sender() -> None:
        while UploadFolder(paths.upload).terms is None:
            pass
        results.append(sent(paths, CONTEXT, *WHOLE))

    thread = threading.Thread(target=sender)
    thread.start()
    code = run(["receive"], {"UPLOAD_DEADLINE_SECONDS": "60"}, paths)
    thread.join()
    assert [code, results[0][0]] == [0, 0]
    report = json.loads(paths.termination_log.read_text())
    assert (report["command"], report["outcome"]) == ("receive", "Succeeded")
    assert report["source"] == {"sha256": WHOLE[-1], "bytes": len(CONTEXT)}
    assert sorted(path.name for path in paths.upload.iterdir()) == ["archive", "closed", "lock"]


def test_receive_gives_up_at_the_deadline(paths: Paths):
    UploadFolder(paths.upload).refuse("The archive has more than the 10 bytes that are accepted.")
    assert run(["receive"], {"UPLOAD_DEADLINE_SECONDS": "1"}, paths) == 85
    report = json.loads(paths.termination_log.read_text())
    assert (report["reason"], report["message"]) == (
        "UploadTimeout",
        (
            "No complete upload arrived within 1 s. The last one was refused: The archive has more than the 10 bytes "
            "that are accepted."
        ),
    )
    assert send([], paths) == 4
