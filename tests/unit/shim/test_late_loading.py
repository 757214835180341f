"""A RUN can replace the shim's own files: none of them is read once a RUN may have run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SHIM = Path(__file__).parents[3] / "shim"
#: Notes each module that is looked for, and each file with code that is opened, after the executor was started.
PROGRAM = """
import sys
sys.path.insert(0, {shim!r})
from pathlib import Path
from kaniko_shim.system.paths import Paths
from kaniko_shim.run import run

here = Path({here!r})
executor = here / "executor"
started, late = [], []

def note(event, arguments):
    if event == "os.posix_spawn" and arguments[0] == str(executor):
        started.append(1)
    elif started and event == "import":
        late.append(arguments[0])
    elif started and event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so")):
        late.append(str(arguments[0]))

if {end!r} == "an error of its own":
    import kaniko_shim.oci.layout
    kaniko_shim.oci.layout.open_to_all = lambda _: 1 // 0

sys.addaudithook(note)
run(["build"], {environment!r}, Paths(
    executor=executor,
    executor_help=here / "executor.help",
    context=here / "context",
    heredocs=here / "heredocs",
    scratch=here / "scratch",
    docker_config=here / "none",
    termination_log=here / "termination-log",
))
print("\\nLATE", len(started), *late)
"""
FLAGS = ("context", "dockerfile", "oci-layout-path", "cache", "cache-repo")
#: How the stand-in for the executor ends, and what the result must be for it.
ENDS = {
    "well": ("exit 0", None),
    "a RUN that fails": (
        (
            "echo 'error building image: error building stage: failed to execute command: "
            "waiting for process to exit: exit status 3'; exit 1"
        ),
        "RunCommandFailed",
    ),
    "an unknown base image": (
        "echo 'error building image: GET https://r.example/v2/x/manifests/1: MANIFEST_UNKNOWN: unknown'; exit 1",
        "BaseImageNotFound",
    ),
    "a COPY without its source": (
        (
            "echo 'error building image: error building stage: failed to get files used from context: "
            "copy failed: no source files specified'; exit 1"
        ),
        "CopyFailed",
    ),
    "bytes that are no text": (r"printf 'error building image: \377\376 grüße\n'; exit 1", "Internal"),
    "a signal": ("kill -TERM $PPID; sleep 60", "Cancelled"),
    "an error of its own": ("exit 0", "Internal"),
    "silence": ("sleep 1.2; exit 0", None),
}


@pytest.mark.shows("A30")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("log", ["text", "json"])
def test_nothing_is_loaded_after_the_executor_began(tmp_path: Path, end: str, log: str):
    script, reason = ENDS[end]
    (tmp_path / "source").mkdir()
    (tmp_path / "source/Dockerfile").write_text("FROM busybox\nCOPY x* /\nRUN exit 3\n")
    executor = tmp_path / "executor"
    executor.write_text(f"#!/bin/sh\n{script}\n")
    executor.chmod(0o755)
    known = "".join(f"      --{name} string\n" for name in FLAGS)
    (tmp_path / "executor.help").write_text(f"{executor.stat().st_size}\n{known}")
    (tmp_path / "termination-log").touch()
    environment = {
        "SOURCE_GET_URL": f"dir://{tmp_path}/source",
        "OUTPUT_LAYOUT": f"{tmp_path}/layout",
        "RESULT_FILE": f"{tmp_path}/result",
        "HEARTBEAT_SECONDS": "1",
        "LOG_FORMAT": log,
        "CACHE": "true",
        "CACHE_REPO": "r.example/cache",
    }
    program = PROGRAM.format(shim=str(SHIM), here=str(tmp_path), end=end, environment=environment)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert json.loads((tmp_path / "termination-log").read_text()).get("reason") == reason, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "LATE 1"
