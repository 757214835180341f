import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.fetch import context_directory, fetch
from kaniko_shim.sources.kinds import DataSource, DirectorySource, FileSource, Source
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace
from unit.shim.archives.archives import COMPRESSIONS, files_of, tar_of


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "context", tmp_path, {}, lambda _: None)


def failure(source: Source, workspace: Workspace) -> Reason:
    with pytest.raises(JobError) as caught:
        fetch(SourceRequest(source), workspace)
    return caught.value.failure.reason


def test_a_directory_is_copied_with_its_modes(tmp_path: Path, workspace: Workspace):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub").chmod(0o1777)
    (source / "sub/run.sh").write_text("#!/bin/sh\n")
    (source / "sub/run.sh").chmod(0o4775)
    (source / "locked").touch(0o400)
    (source / "link").symlink_to("sub/run.sh")
    (source / "away").symlink_to("/etc/passwd")
    (source / "loop").symlink_to(".")
    for name in ("locked", "link", "sub"):
        os.utime(source / name, (1000, 1000), follow_symlinks=False)
    report = fetch(SourceRequest(DirectorySource(str(source))), workspace)
    assert report == SourceReport(f"dir://{source}", size=10)
    assert [(workspace.context / name).lstat().st_mtime for name in ("locked", "link", "sub")] == [1000] * 3
    assert files_of(workspace.context) == {"sub/run.sh": b"#!/bin/sh\n", "locked": b""}
    modes = {name: (workspace.context / name).stat().st_mode & 0o7777 for name in ("sub", "sub/run.sh", "locked")}
    assert modes == {"sub": 0o1777, "sub/run.sh": 0o4775, "locked": 0o400}
    links = {path.name: str(path.readlink()) for path in workspace.context.iterdir() if path.is_symlink()}
    assert links == {"link": "sub/run.sh", "away": "/etc/passwd", "loop": "."}


def test_pipes_are_left_out_with_a_warning_and_sockets_are_empty_files(tmp_path: Path, workspace: Workspace):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    os.mkfifo(source / "sub/pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(source / "socket"))
    warnings = list[str]()
    fetch(SourceRequest(DirectorySource(str(source))), replace(workspace, warn=warnings.append))
    assert files_of(workspace.context) == {"socket": b""}
    assert not (workspace.context / "sub/pipe").exists()
    (warning,) = warnings
    assert "cannot copy: sub/pipe. Exclude them" in warning


def test_hard_links_stay(tmp_path: Path, workspace: Workspace):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "b").write_text("x")
    (source / "sub/a").hardlink_to(source / "b")
    report = fetch(SourceRequest(DirectorySource(str(source))), workspace)
    assert report.size == 1
    assert (workspace.context / "sub/a").samefile(workspace.context / "b")


def copied(tmp_path: Path, workspace: Workspace, sub_path: str = "", dockerfile: str = "Dockerfile") -> set[str]:
    warnings = list[str]()
    request = SourceRequest(DirectorySource(str(tmp_path / "source")), sub_path=sub_path, dockerfile=dockerfile)
    fetch(request, replace(workspace, warn=warnings.append))
    assert warnings == []
    return set(files_of(workspace.context))


def test_what_is_ignored_is_not_copied(tmp_path: Path, workspace: Workspace):
    source = tmp_path / "source"
    for name in ("a/big/file", "a/big/kept", "a/other", "a/build/Dockerfile", "big/file"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    os.mkfifo(source / "a/big/pipe")
    (source / "a/.dockerignore").write_text("**/big\n!big/kept\nbuild\n.dockerignore\n")
    # The Dockerfile and the ignore file are needed although they are ignored; nothing outside of the context is.
    expected = {"a/big/kept", "a/other", "a/build/Dockerfile", "a/.dockerignore", "big/file"}
    assert copied(tmp_path, workspace, "a", "build/Dockerfile") == expected
    (source / "a/build/Dockerfile.dockerignore").write_text("other\nbig\n")
    assert copied(tmp_path, workspace, "/a/", "build/../build/Dockerfile") == {
        "a/build/Dockerfile", "a/build/Dockerfile.dockerignore", "a/.dockerignore", "big/file",
    }  # fmt: skip


def test_all_is_copied_if_the_dockerfile_is_a_link(tmp_path: Path, workspace: Workspace):
    source = tmp_path / "source"
    (source / "real").mkdir(parents=True)
    (source / "real/Dockerfile").touch()
    (source / "Dockerfile").symlink_to("real/Dockerfile")
    (source / ".dockerignore").write_text("*")
    assert copied(tmp_path, workspace) >= {"real/Dockerfile", ".dockerignore"}


def test_what_was_there_before_is_gone(tmp_path: Path, workspace: Workspace):
    workspace.context.mkdir()
    (workspace.context / "old").write_text("old")
    (tmp_path / "source").mkdir()
    fetch(SourceRequest(DirectorySource(str(tmp_path / "source"))), workspace)
    assert list(workspace.context.iterdir()) == []


def test_a_volume_of_kubernetes_is_copied_as_the_files_it_shows(tmp_path: Path, workspace: Workspace):
    source = tmp_path / "volume"
    data = source / "..2026_01_01"
    data.mkdir(parents=True)
    (data / "Dockerfile").write_text("FROM scratch\n")
    (data / "sub").mkdir()
    (data / "sub/a").write_text("a")
    (source / "..data").symlink_to("..2026_01_01")
    (source / "Dockerfile").symlink_to("..data/Dockerfile")
    (source / "sub").symlink_to("..data/sub")
    fetch(SourceRequest(DirectorySource(str(source))), workspace)
    assert files_of(workspace.context) == {"Dockerfile": b"FROM scratch\n", "sub/a": b"a"}
    assert sorted(path.name for path in workspace.context.iterdir()) == ["Dockerfile", "sub"]
    assert not any(path.is_symlink() for path in workspace.context.rglob("*"))


def test_files_and_data(tmp_path: Path, workspace: Workspace):
    archive = COMPRESSIONS["gz"](tar_of({"a": b"1"}))
    (tmp_path / "x.tgz").write_bytes(archive)
    assert fetch(SourceRequest(FileSource(str(tmp_path / "x.tgz"))), workspace).size == len(archive)
    assert files_of(workspace.context) == {"a": b"1"}
    report = fetch(SourceRequest(DataSource(archive)), workspace)
    assert (report.url, report.size, len(report.sha256)) == ("data:", len(archive), 64)
    assert files_of(workspace.context) == {"a": b"1"}


def test_what_is_not_there(tmp_path: Path, workspace: Workspace):
    (tmp_path / "file").write_text("x")
    assert failure(DirectorySource("/nosuch"), workspace) is Reason.SOURCE_NOT_FOUND
    assert failure(DirectorySource(str(tmp_path / "file")), workspace) is Reason.SOURCE_NOT_FOUND
    assert failure(FileSource("/nosuch"), workspace) is Reason.SOURCE_NOT_FOUND
    assert failure(FileSource(str(tmp_path)), workspace) is Reason.SOURCE_INVALID
    assert failure(DataSource(b""), workspace) is Reason.SOURCE_INVALID


def test_a_wrong_checksum_of_a_file(tmp_path: Path, workspace: Workspace):
    (tmp_path / "x").write_bytes(tar_of({"a": b"1"}))
    with pytest.raises(JobError) as caught:
        fetch(SourceRequest(FileSource(str(tmp_path / "x")), sha256="0" * 64), workspace)
    assert caught.value.failure.reason is Reason.SOURCE_CHECKSUM_MISMATCH


@pytest.mark.shows("A13")
@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("", "root"),
        ("sub", "sub"),
        ("/sub/", "sub"),
        ("inside", "sub"),
        ("outside", Reason.SOURCE_INVALID),
        ("nosuch", Reason.SOURCE_NOT_FOUND),
        ("file", Reason.SOURCE_NOT_FOUND),
        ("loop", Reason.SOURCE_NOT_FOUND),
    ],
)
def test_the_context_is_a_directory_inside_of_the_tree(tmp_path: Path, path: str, outcome: str | Reason):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "file").write_text("x")
    (root / "inside").symlink_to("sub")
    (root / "outside").symlink_to("/etc")
    (root / "loop").symlink_to("loop")
    request = SourceRequest(DirectorySource("/x"), sub_path=path)
    if not isinstance(outcome, Reason):
        assert context_directory(root, request).name == outcome
    else:
        with pytest.raises(JobError) as caught:
            context_directory(root, request)
        assert caught.value.failure.reason is outcome


@pytest.mark.parametrize(
    ("limits", "problem"), [({"max_bytes": 5}, "more than 5 bytes"), ({"max_entries": 2}, "more than 2 files")]
)
def test_a_directory_is_limited(tmp_path: Path, workspace: Workspace, limits: dict[str, int], problem: str):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "a").write_text("123")
    (source / "sub/b").write_text("456")
    with pytest.raises(JobError, match=problem) as caught:
        fetch(SourceRequest(DirectorySource(str(source)), **limits), workspace)  # type: ignore[arg-type]
    assert caught.value.failure.reason is Reason.SOURCE_TOO_LARGE


def test_a_deep_directory_is_refused_by_name(tmp_path: Path, workspace: Workspace):
    deep = tmp_path / "source"
    for _ in range(300):
        deep /= "d"
    deep.mkdir(parents=True)
    with pytest.raises(JobError, match="more than 256 directories deep") as caught:
        fetch(SourceRequest(DirectorySource(str(tmp_path / "source"))), workspace)
    assert caught.value.failure.reason is Reason.SOURCE_INVALID
