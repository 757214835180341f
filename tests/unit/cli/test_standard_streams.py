"""What reaches a terminal, and how the program ends, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kubectl_imagebuild.outcome import Exit
from support.screen import on_terminal

#: Clears the screen, sets the title, goes back, changes colours, and turns the direction of what follows.
HOSTILE = "a\x1b[2J\x1b]0;title\x07b\rc\x1b[31md\u202ee\x9b2Jf"
PROTECTED = "import sys; from kubectl_imagebuild.standard_streams import protect; protect(); "


@pytest.mark.shows("A55")
@pytest.mark.parametrize("write", ["print({text!r})", "sys.stderr.write({text!r} + '\\n')"])
def test_a_terminal_gets_text_only(tmp_path: Path, write: str):
    program = [sys.executable, "-c", PROTECTED + write.format(text=HOSTILE) + "; print('end')"]
    with on_terminal(program, dict(os.environ), tmp_path, columns=70, rows=20, term="xterm") as screen:
        screen.until("end")
        assert screen.end() == 0
    assert screen.raw.splitlines() == [b"abcdef", b"end"]


def test_a_file_gets_all_as_it_is_in_any_encoding():
    program = [sys.executable, "-c", f"{PROTECTED}print({HOSTILE!r}); print('ü')"]
    done = subprocess.run(
        program, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=True, timeout=60
    )
    assert b"\x1b[2J\x1b]0;title\x07b\rc" in done.stdout
    assert done.stdout.splitlines()[-1] == b"\\xfc"


def test_a_fault_of_the_program_has_not_the_exit_code_of_a_failed_build():
    code = (
        "import sys; from kubectl_imagebuild import app; from kubectl_imagebuild.__main__ import main; "
        "app.COMMANDS['version'] = ('no_such_module:nothing', 'x'); sys.argv[1:] = ['version']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == Exit.INTERNAL
    assert "ModuleNotFoundError" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: this is a fault of kubectl imagebuild")
