import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.outcome.report import Reports
from kaniko_shim.outcome.result import Result


@pytest.fixture
def log() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_what_a_run_puts_in_place_of_the_result_file_stops_nothing(tmp_path: Path, log: tuple[int, int], kind: str):
    path, termination_log = tmp_path / "result", tmp_path / "termination-log"
    termination_log.touch()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    Reports(termination_log, str(path)).write(Result("build"), Console(Masker(), log[1]))
    assert f"RESULT_FILE={path} can't be written: " in os.read(log[0], 4096).decode()
    assert '"outcome":"Succeeded"' in termination_log.read_text()
    assert not (tmp_path / "elsewhere").exists()
