"""What is said of a packed build context."""

import re
from pathlib import Path

import pytest
from imagebuild import Archive
from kubectl_imagebuild.packing import summary


@pytest.mark.parametrize(
    ("ignore_file", "expected"),
    [
        ("", r"Build context: 4 files, 2\.0 MB, \d\.\d kB compressed\."),
        ("b\n", r"Build context: 3 files, 1\.0 MB, \d\.\d kB compressed\. Excluded by \.dockerignore: 1 file\."),
        (
            "*\n",
            r"Build context: 2 files, 15 B, \d+ B compressed\. Excluded by \.dockerignore: 2 files and 2 directories\.",
        ),
    ],
)
def test_the_summary(tmp_path: Path, ignore_file: str, expected: str):
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / ".dockerignore").write_text(ignore_file)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(1_000_000))
    for name in ("c", "d"):
        (tmp_path / name).mkdir()
    with Archive(tmp_path) as archive:
        assert re.fullmatch(expected, summary(archive))
