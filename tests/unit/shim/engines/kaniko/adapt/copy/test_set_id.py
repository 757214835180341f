from pathlib import Path

import pytest
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.context.tree import DirectoryTree
from kaniko_shim.engines.kaniko.adapt.copy.set_id import keep_set_id
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from support.copies import copy_scopes


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name, mode in (("d", 0o755), ("d/shared", 0o2775), ("e", 0o755), ("odd", 0o700), ("odd/shared", 0o2755)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    (tmp_path / "d/file").touch()
    tmp_path.chmod(0o755)
    return tmp_path


def kept(context: Path, lines: str, support: Support) -> str:
    draft = Draft.of(f"FROM x\n{lines}\n".encode())
    edits = keep_set_id(copy_scopes(draft), DirectoryTree(context), support)
    return draft.then(edits).written().text.splitlines()[-1]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("COPY d /x", "COPY --chmod=u=u d /x"),
        ("COPY --chown=1:2 . /x", "COPY --chmod=u=u --chown=1:2 . /x"),
        ("ADD d/* /x/", "ADD d/* /x/"),
        ("COPY odd /", "COPY --chmod=u=u odd /"),
        ("COPY odd /x", "COPY odd /x"),
        ("COPY e d/file /x/", "COPY e d/file /x/"),
        ("COPY --chmod=755 d /x", "COPY --chmod=755 d /x"),
        ("COPY --from=s d /x", "COPY --from=s d /x"),
    ],
)
def test_the_flag_is_added_where_a_directory_has_a_set_id_bit(context: Path, lines: str, expected: str):
    assert kept(context, lines, Support()) == expected
    assert kept(context, lines, Support(is_old=True)) == lines
