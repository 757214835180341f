import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.environment import decode, encode

NAMES = st.binary(min_size=1, max_size=20).filter(lambda name: b"=" not in name and b"\0" not in name)
VALUES = st.binary(max_size=200).filter(lambda value: b"\0" not in value)

SCRIPT = """
import json, os, sys
sys.path[:0] = json.loads({path!r})
from kaniko_shim import environment
variables = environment.take()
print(json.dumps({{
    "taken": dict(variables),
    "left": dict(os.environ),
    "initial": open("/proc/self/environ", "rb").read().decode(),
    "descriptors": sorted(os.listdir("/proc/self/fd")),
    "arguments": sys.argv[1:],
}}))
"""


@given(st.dictionaries(NAMES, VALUES))
def test_an_environment_comes_back_as_it_went_in(environment: dict[bytes, bytes]):
    assert decode(encode(environment)) == {os.fsdecode(name): os.fsdecode(value) for name, value in environment.items()}


@pytest.mark.shows("A36")
def test_nothing_of_it_is_left_for_others_to_read(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(path=json.dumps(sys.path)))
    given_variables = {"SECRET": "s3cret", "EMPTY": "", "BIG": "x" * 100_000, "PATH": "/usr/bin", "LINES": "a\nb"}
    command = [sys.executable, "-I", str(script), "an", "argument"]
    done = subprocess.run(command, env=given_variables, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert {name: found["taken"][name] for name in given_variables} == given_variables
    assert "s3cret" not in found["initial"]
    assert set(found["left"]) <= {"PATH", "LC_CTYPE"}
    assert found["arguments"] == ["an", "argument"]
    assert len(found["descriptors"]) <= 4
