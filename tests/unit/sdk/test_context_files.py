"""What .dockerignore leaves out of an upload; compared with the builder, which applies it to the whole directory."""

import os
import shutil
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from imagebuild import Archive, ArchiveError, Counts
from kaniko_shim.engines.kaniko.adapt.context.ignore import apply_ignore_file

FILES = (
    *("Dockerfile", "a", "b.log", "src/a", "src/b.log", "src/deep/keep", "src/deep/b.log", "node_modules/x/y"),
    *("src/node_modules/z", "build/Dockerfile", "build/a", "docs/a.md", "docs/README.md"),
)


def make(root: Path, files: tuple[str, ...] = FILES) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (root / "empty").mkdir()
    (root / "link").symlink_to("src/a")
    (root / "src").chmod(0o750)
    return root


def unpacked(archive: Archive, into: Path) -> Path:
    into.mkdir()
    with tempfile.TemporaryFile() as file:
        for chunk in archive.chunks():
            file.write(chunk)
        file.seek(0)
        with tarfile.open(fileobj=file) as tar:
            tar.extractall(into, filter="fully_trusted")
    return into


def listing(root: Path) -> dict[str, object]:
    """What is in a directory: the modes of files and directories, with the text of files, and targets of links."""
    found: dict[str, object] = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = path.readlink()
        else:
            found[name] = (path.stat().st_mode, path.is_file() and path.read_text())
    return found


def names(archive: Archive, tmp_path: Path) -> set[str]:
    root = unpacked(archive, tmp_path / "unpacked")
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir() or path.is_symlink()}


PATTERNS = st.sampled_from(
    [
        *(
            "*",
            "**",
            "!src",
            "!src/**",
            "!**/keep",
            "**/node_modules",
            "node_modules",
            "*.log",
            "**/*.log",
            "!a",
            "src",
        ),
        *("src", "!src/deep", "src/deep", "Dockerfile", "build", "!build/a", "docs/**", "link", "!link"),
        *(
            ".dockerignore",
            "*/a",
            "!*/a",
            "emp?y",
            "build/Dockerfile*",
            "!node_modules/x",
            "# comment",
            "",
            "/src/",
            ".",
        ),
    ]
)


@given(
    content=st.lists(PATTERNS, max_size=7).map("\n".join),
    dockerfile=st.sampled_from(["Dockerfile", "build/Dockerfile", ""]),
    context_dir=st.sampled_from(["", "part"]),
    own=st.booleans(),
)
@example(content="*\n!src/deep/keep", dockerfile="build/Dockerfile", context_dir="", own=True)
@example(content="build\n!build/a", dockerfile="build/Dockerfile", context_dir="part", own=False)
@settings(max_examples=120, deadline=None)
def test_a_build_has_the_same_files_as_with_the_whole_directory(
    content: str, dockerfile: str, context_dir: str, *, own: bool
):
    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(temporary) / "whole"
        context = make(whole / context_dir)
        ignore_file = f"{dockerfile}.dockerignore" if own and dockerfile else ".dockerignore"
        (context / ignore_file).write_text(content)
        (whole / "outside").write_text("of the context, in some cases")
        with Archive(whole, dockerfile=dockerfile, context_dir=context_dir) as archive:
            sent = unpacked(archive, Path(temporary) / "sent")
        assert (sent / context_dir / ignore_file).is_file()
        assert not dockerfile or (sent / context_dir / dockerfile).is_file()
        for root in (whole, sent):
            apply_ignore_file(root, root / context_dir, dockerfile)
        assert listing(sent) == listing(whole)


def test_what_is_excluded_is_not_sent_and_counted(tmp_path: Path):
    root = make(tmp_path / "app")
    (root / ".dockerignore").write_text("**/node_modules\n*.log\ndocs/*\n!docs/README.md\nDockerfile\n.dockerignore\n")
    with Archive(root) as archive:
        assert archive.counts == Counts(
            files=11,
            file_bytes=sum((root / name).stat().st_size for name in FILES if name not in LEFT_OUT)
            + (root / ".dockerignore").stat().st_size,
            excluded_files=2,
            excluded_directories=2,
        )
        expected = {*FILES, "link", ".dockerignore"} - LEFT_OUT
        assert names(archive, tmp_path) == expected


LEFT_OUT = {"node_modules/x/y", "src/node_modules/z", "b.log", "docs/a.md"}


def test_excluded_directories_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = make(tmp_path / "app")
    (root / ".dockerignore").write_text("*\n!src\nsrc/node_modules\n")
    os.mkfifo(root / "node_modules" / "pipe")
    read: list[Path] = []
    scan = os.scandir

    def noted(path: str) -> "os._ScandirIterator[str]":
        read.append(Path(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", noted)
    with Archive(root):
        assert {str(path.relative_to(root)) for path in read} == {".", "src", "src/deep"}


def test_an_exception_in_an_excluded_directory_is_sent(tmp_path: Path):
    root = make(tmp_path / "app")
    (root / ".dockerignore").write_text("*\n!node_modules/x\n")
    with Archive(root) as archive:
        assert names(archive, tmp_path) == {"Dockerfile", ".dockerignore", "node_modules/x/y"}


def test_a_linked_ignore_file_excludes_nothing_before_the_build(tmp_path: Path):
    root = make(tmp_path / "app")
    (root / "docs" / "ignore").write_text("src\n")
    (root / ".dockerignore").symlink_to("docs/ignore")
    with Archive(root) as archive:
        assert names(archive, tmp_path) >= set(FILES)


def test_a_malformed_line_is_named(tmp_path: Path):
    root = make(tmp_path / "app")
    (root / ".dockerignore").write_text("a\nb[\n")
    with pytest.raises(ArchiveError, match=r"^\.dockerignore line 2: the pattern 'b\[' is malformed: .* Correct the"):
        Archive(root)


def test_times_and_the_order_of_creation_do_not_change_the_archive(tmp_path: Path):
    one, other = make(tmp_path / "one"), make(tmp_path / "other", FILES[::-1])
    os.utime(other / "a", (1, 1))
    with Archive(one) as first, Archive(other) as second:
        assert first.sha256 == second.sha256
    shutil.rmtree(other / "docs")
    with Archive(one) as first, Archive(other) as second:
        assert first.sha256 != second.sha256
