from pathlib import Path

import pytest
from kaniko_shim.archives.entries import Entry, Kind
from kaniko_shim.archives.tree import Tree
from kaniko_shim.outcome.errors import JobError


def fill(tree: Tree) -> None:
    tree.add(Entry("a/b/file", Kind.FILE, chunks=[b"x"]))
    tree.add(Entry("a/c", Kind.FILE, chunks=[b"y"]))


def test_files_directories_and_what_is_not_there(tmp_path: Path):
    with Tree(tmp_path / "tree", max_bytes=10, max_entries=10) as tree:
        fill(tree)
        for path in ("a/b", "a/c", "a/c", "no/where"):
            tree.remove(tuple(path.split("/")))
        tree.add(Entry("a/b/again", Kind.FILE, chunks=[b"z"]))
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "tree",
        "tree/a",
        "tree/a/b",
        "tree/a/b/again",
    ]


def test_a_link_is_removed_and_not_followed(tmp_path: Path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    with Tree(tmp_path / "tree", max_bytes=10, max_entries=10) as tree:
        tree.add(Entry("link", Kind.SYMLINK, target="../outside"))
        with pytest.raises(JobError):
            tree.remove(("link", "kept"))
        tree.remove(("link",))
    assert (tmp_path / "outside" / "kept").exists()
    assert list((tmp_path / "tree").iterdir()) == []
