"""No port is handed out twice, not even to two processes."""

import subprocess
import sys
from pathlib import Path

from support.ports import free_port

PROGRAM = "from support.ports import free_port; print(*(free_port() for _ in range(20)))"


def test_ports_are_handed_out_once_in_and_between_processes():
    own = {free_port() for _ in range(20)}
    assert len(own) == 20
    other = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )
    assert own.isdisjoint(map(int, other.stdout.split()))
