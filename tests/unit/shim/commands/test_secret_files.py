from pathlib import Path

import pytest
from kaniko_shim.commands.secret_files import LARGEST, with_secret_files
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.request.build_secrets import BuildSecret


def test_each_file_is_a_secret(tmp_path: Path):
    (tmp_path / "npm").write_bytes(b"\0token\n")
    given = (BuildSecret("git", b"x"),)
    assert with_secret_files(given, tmp_path) == (BuildSecret("git", b"x"), BuildSecret("npm", b"\0token\n"))


def test_a_kubernetes_volume_shows_its_files_through_links(tmp_path: Path):
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "npm").write_bytes(b"token")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "npm").symlink_to("..data/npm")
    assert with_secret_files((), tmp_path) == (BuildSecret("npm", b"token"),)


def test_no_directory_is_no_secret(tmp_path: Path):
    assert with_secret_files((), tmp_path / "none") == ()


def test_a_secret_that_a_variable_also_gives_is_refused(tmp_path: Path):
    (tmp_path / "npm").write_bytes(b"token")
    with pytest.raises(JobError, match="a variable also gives the secret 'npm'"):
        with_secret_files([BuildSecret("npm", b"x")], tmp_path)


def test_what_is_no_secret_is_named(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    with pytest.raises(JobError, match="sub is not a file"):
        with_secret_files((), tmp_path)
    (tmp_path / "sub").rmdir()
    (tmp_path / "a b").write_bytes(b"token")
    with pytest.raises(JobError, match="a b: an id has at most"):
        with_secret_files((), tmp_path)
    (tmp_path / "a b").unlink()
    (tmp_path / "big").write_bytes(bytes(LARGEST + 1))
    with pytest.raises(JobError, match=f"big has more than {LARGEST} bytes"):
        with_secret_files((), tmp_path)
