"""A run whose variables are wrong."""

import json
from pathlib import Path

from kaniko_shim.run import run
from kaniko_shim.system.paths import Paths


def test_a_result_file_has_an_absolute_path(tmp_path: Path):
    (tmp_path / "log").touch()
    paths = Paths(scratch=tmp_path / "run", termination_log=tmp_path / "log", executor=tmp_path / "none")
    code = run(["build"], {"RESULT_FILE": "result.json", "OUTPUT_IMAGE": "r.example/app"}, paths)
    result = json.loads((tmp_path / "log").read_text())
    assert (code, result["reason"]) == (result["exitCode"], "InvalidSpec")
    assert "RESULT_FILE='result.json': write an absolute path" in result["message"]
    assert not Path("result.json").exists()
