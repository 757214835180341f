import gzip
from pathlib import Path

import pytest
from kaniko_shim.engines.kaniko.adapt.context.tree import DirectoryTree
from kaniko_shim.engines.kaniko.adapt.copy.split import split_adds
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from support.copies import copy_scopes
from unit.shim.archives.archives import tar_of


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in ("a.gz", "b.gz", "d/c.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(gzip.compress(b"text"))
    (tmp_path / "tar.gz").write_bytes(gzip.compress(tar_of({"x": b"1"})))
    (tmp_path / "link").symlink_to("a.gz")
    (tmp_path / "plain").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ADD a.gz /x", ['COPY ["a.gz", "/x"]']),
        ("ADD link /x/", ['COPY ["link", "/x/"]']),
        ("ADD --chown=1:2 --link=true a.gz /x", ['COPY --chown=1:2 --link=true ["a.gz", "/x"]']),
        ("ADD --unpack=true ./a.gz /x", ['COPY ["a.gz", "/x"]']),
        ("ARG A=a\nADD $A.gz /x", ["ARG A=a", 'COPY ["a.gz", "/x"]']),
        ("ADD *.gz plain /x/", ['ADD ["tar.gz", "plain", "/x/"]', 'COPY ["a.gz", "b.gz", "/x/"]']),
        ("ADD d/* /x/", ['COPY ["d/c.gz", "/x/"]']),
        ('ADD ["a.gz", "https://h/x.gz", "/x/"]', ['ADD ["https://h/x.gz", "/x/"]', 'COPY ["a.gz", "/x/"]']),
        ("ADD tar.gz plain d https://h/a.gz none $B /x/", None),
        ("COPY a.gz /x", None),
    ],
)
def test_what_is_compressed_and_no_archive_is_copied(context: Path, line: str, expected: list[str] | None):
    draft = Draft.of(f"FROM x\n{line}\n".encode())
    made = draft.then(split_adds(copy_scopes(draft), DirectoryTree(context))).written().text.splitlines()
    assert made[1:] == (expected or [line])
