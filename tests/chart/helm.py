"""Where Helm is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
CHART = TESTS.parent / "charts" / "imagebuild-operator"


def find_helm() -> Path:
    """Give HELM, the one on PATH, or the test cluster's, which is built where it isn't cached."""
    found = os.environ.get("HELM") or shutil.which("helm")
    if found:
        return Path(found)
    command = [sys.executable, "-m", "cluster", "artefact", "helm"]
    done = subprocess.run(command, cwd=TESTS, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip())
