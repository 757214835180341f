"""`make demo` does what README.md promises."""

import subprocess
import sys

from environment import ROOT


def test_the_demo_ends_with_the_output_of_what_it_built():
    command = [sys.executable, "tools/demo.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Hello, world!" in done.stdout
    assert "==> Follow the build" in done.stdout
    assert "kaniko-shim: pushed" in done.stdout
