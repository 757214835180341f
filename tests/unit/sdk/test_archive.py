"""Archives of directories."""

import hashlib
import os
import socket
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from imagebuild import Archive, ArchiveError


def content(archive: Archive, offset: int = 0) -> bytes:
    return b"".join(archive.chunks(offset))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    root = tmp_path / "app"
    (root / "src" / "empty").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\n")
    (root / "src" / "main").write_bytes(os.urandom(600_000))
    (root / "src" / "main").chmod(0o751)
    (root / "link").symlink_to("src/main")
    os.link(root / "src" / "main", root / "src" / "same")
    (root / os.fsdecode(b"caf\xe9")).write_text("a name that is not UTF-8")
    return root


def test_an_archive_has_all_entries_of_a_directory(directory: Path):
    with Archive(directory) as archive, tarfile.open(fileobj=BytesIO(content(archive))) as tar:
        entries = {each.name: each for each in tar}
        names = [os.fsdecode(b"caf\xe9"), "link", "src", "Dockerfile", "src/empty", "src/main", "src/same"]
        assert sorted(entries) == sorted(names)
        assert entries["src/same"].isreg()
        assert entries["link"].linkname == "src/main"
        main = entries["src/main"]
        assert (main.mode, main.uid, main.gid, main.uname) == (0o751, 0, 0, "")
        file = tar.extractfile(main)
        assert file
        assert file.read() == (directory / "src" / "main").read_bytes()


def test_the_same_files_make_the_same_archive_and_its_digest_is_known(directory: Path):
    with Archive(directory) as one, Archive(directory) as other:
        whole = content(one)
        assert content(other) == whole
        assert content(one, 300_001) == whole[300_001:]
        assert (one.size, one.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())


def test_sockets_are_left_out_and_named_pipes_are_refused(directory: Path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(directory / "socket"))
        with Archive(directory) as archive, tarfile.open(fileobj=BytesIO(content(archive))) as tar:
            assert "socket" not in tar.getnames()
    os.mkfifo(directory / "pipe")
    with pytest.raises(ArchiveError, match="pipe is a device or a named pipe"):
        Archive(directory)


def test_packing_ends_when_it_is_stopped(directory: Path):
    with pytest.raises(ArchiveError, match="was stopped"):
        Archive(directory, stopped=lambda: True)


def test_what_is_no_directory_is_refused(directory: Path):
    with pytest.raises(ArchiveError, match="Dockerfile is not a directory"):
        Archive(directory / "Dockerfile")
