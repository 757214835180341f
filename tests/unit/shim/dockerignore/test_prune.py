import os
from pathlib import Path

import pytest
from imagebuild_dockerignore.rules import parse_rules
from kaniko_shim.dockerignore.prune import prune

FILES = [
    "a",
    "b.log",
    "sub/b.log",
    "sub/keep",
    "sub/deep/b.log",
    "node_modules/x/y",
    "sub/node_modules/z",
    "only/b.log",
]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("sub")
    return tmp_path


def left(context: Path, ignore_file: str) -> set[str]:
    prune(context, parse_rules(ignore_file.encode(), ".dockerignore"))
    return {str(path.relative_to(context)) for path in context.rglob("*")}


@pytest.mark.parametrize(
    ("ignore_file", "expected"),
    [
        ("**/node_modules\n**/*.log", "a sub sub/keep sub/deep only empty link"),
        ("*\n!sub/keep", "sub sub/keep"),
        ("*\n!**/keep", "sub sub/keep"),
        ("sub\n!sub/deep\no*\nnode_modules\n*.log", "a sub sub/deep sub/deep/b.log empty link"),
        ("*\n!sub\nsub/node_modules\nsub/*.log", "sub sub/keep sub/deep sub/deep/b.log"),
        ("*\n!link", "link"),
        ("*", ""),
    ],
)
def test_what_is_ignored_is_removed(context: Path, ignore_file: str, expected: str):
    assert left(context, ignore_file) == set(expected.split())


def test_a_file_without_rules_removes_nothing(context: Path):
    assert set(FILES) <= left(context, "# nothing\n\n")


def test_the_mode_of_an_ignored_directory_with_something_kept_stays(context: Path):
    (context / "sub").chmod(0o1777)
    left(context, "sub\n!sub/keep")
    assert (context / "sub").stat().st_mode & 0o7777 == 0o1777


def test_directories_keep_their_times(context: Path):
    for path in (context / "sub", context):
        os.utime(path, (1000, 1000))
    left(context, "sub\n!sub/keep\n*.md\nDockerfile")
    assert [path.stat().st_mtime for path in (context / "sub", context)] == [1000, 1000]
