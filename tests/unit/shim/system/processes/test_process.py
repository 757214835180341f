import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kaniko_shim.system.processes.invocation import Invocation
from kaniko_shim.system.processes.process import Ended, run

SCRIPT = """
import json, sys, time
sys.path[:0] = {path!r}
from kaniko_shim.system.processes.invocation import Invocation
from kaniko_shim.system.processes.process import run
from kaniko_shim.system.processes.children import harden
harden()
ended = run(
    Invocation(("/bin/sh", "-c", {script!r}), {{"PATH": "/usr/bin:/bin"}}),
    on_line=lambda line: print(line, flush=True), on_silence=lambda: print("beat", flush=True),
    silence={silence}, grace={grace},
)
print(json.dumps([ended.code, ended.signal, ended.stopped_by]))
"""


def shim(script: str, *, silence: float = 60, grace: float = 1) -> subprocess.Popen[str]:
    code = SCRIPT.format(path=sys.path, script=script, silence=silence, grace=grace)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def output(process: subprocess.Popen[str]) -> list[str]:
    text, _ = process.communicate(timeout=60)
    return text.splitlines()


def sh(script: str) -> tuple[Ended, list[str]]:
    lines = list[str]()
    command = Invocation(("/bin/sh", "-c", script), {"PATH": "/usr/bin:/bin", "A": "b"})
    return run(command, on_line=lines.append, on_silence=lambda: None, silence=60), lines


@pytest.mark.parametrize("code", [0, 1, 7, 137, 255])
def test_exit_codes(code: int):
    assert sh(f"exit {code}") == (Ended(code), [])


def test_death_by_a_signal():
    assert sh("kill -SEGV $$") == (Ended(None, signal.SIGSEGV), [])


def test_both_outputs_in_order_and_a_clean_environment():
    ended, lines = sh("echo out; echo err >&2; printf 'a\\rb\\r\\nlast'; cat; env | sort | head -2; ulimit -c")
    assert ended == Ended(0)
    assert lines[:4] == ["out", "err", "b", "lastA=b"]


def test_what_others_open_meanwhile_stays_open():
    """The threads that serve BuildKit's pushes open connections: they get the numbers of what was closed before."""
    opened = list[int]()
    command = Invocation(("/bin/sh", "-c", "exit 3"), {"PATH": "/usr/bin:/bin"})

    def start(_: int) -> None:
        opened.extend(os.open("/dev/null", os.O_RDONLY) for _ in range(8))

    ended = run(command, on_line=lambda _: None, on_silence=lambda: None, silence=60, on_start=start)
    assert ended == Ended(3)
    for descriptor in opened:
        os.close(descriptor)


def test_much_output_is_all_there():
    _, lines = sh("seq 1 200000")
    assert lines == [str(number) for number in range(1, 200001)]


def test_a_signal_is_passed_on_to_the_whole_family_and_then_comes_sigkill():
    process = shim("trap '' TERM; sh -c 'trap \"\" TERM; echo inner; sleep 300' & sleep 300; wait", grace=0.5)
    assert process.stdout
    assert process.stdout.readline() == "inner\n"
    process.send_signal(signal.SIGTERM)
    assert output(process) == [f"[null, 9, {int(signal.SIGTERM)}]"]


def test_orphans_are_reaped_and_do_not_pass_for_the_program(tmp_path: Path):
    file = tmp_path / "pid"
    orphan = f"(sh -c 'echo $$ > {file}; exit 3' &)"
    # The orphan's id is free only once it has been reaped.
    gone = f"until test -s {file} && ! kill -0 $(cat {file}); do sleep 0.01; done 2> /dev/null"
    assert output(shim(f"{orphan}; {gone}; exit 5")) == ["[5, 0, 0]"]


def test_what_was_left_running_is_ended(tmp_path: Path):
    file = tmp_path / "pid"
    left = f"setsid sh -c 'echo $$ > {file}; exec sleep 300' &"
    started = f"until test -s {file}; do sleep 0.01; done"
    assert output(shim(f"{left} {started}; echo done")) == ["done", "[0, 0, 0]"]
    assert not Path(f"/proc/{file.read_text().strip()}").exists()


def test_silence_is_noticed():
    lines = output(shim("sleep 1.1", silence=0.5))
    assert lines == ["beat", "beat", "[0, 0, 0]"]


def test_a_program_that_is_not_there():
    command = Invocation(("/nosuch",), {})
    with pytest.raises(FileNotFoundError):
        run(command, on_line=lambda _: None, on_silence=lambda: None, silence=1)


def test_descriptors_are_not_leaked():
    before = len(list(Path("/proc/self/fd").iterdir()))
    sh("true")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
