import os
from pathlib import Path

import pytest
from kaniko_shim.executor.special_files import find_special_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "out/deep").mkdir(parents=True)
    os.mkfifo(tmp_path / "out/deep/pipe")
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/link").symlink_to("../out/deep")
    return tmp_path


@pytest.mark.parametrize("path", ["out", "out/deep/pipe", "/out"])
def test_what_a_later_stage_cannot_copy(root: Path, path: str):
    line = f"INFO Saving file {path} for later use"
    assert find_special_file(line, root) == ("named pipe", "/out/deep/pipe")


@pytest.mark.parametrize("line", ["Saving file plain for later use", "Saving file none for later use", "RUN out"])
def test_all_else(root: Path, line: str):
    assert find_special_file(line, root) is None
