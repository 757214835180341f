"""A RUN can replace the shim's own files: none of them is read once a RUN may have run."""

import hashlib
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
started, late, loaded = [], [], set()

def note(event, arguments):
    if event == "os.posix_spawn" and arguments[0] == str(executor):
        started.append(1)
        loaded.update(sys.modules)
    elif started and event == "import":
        late.append(arguments[0])
    elif started and event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so")):
        late.append(str(arguments[0]))

if {end!r} == "an error of its own":
    import kaniko_shim.oci.layout
    kaniko_shim.oci.layout.open_to_all = lambda _: 1 // 0

sys.addaudithook(note)
run({command!r}, {environment!r}, Paths(
    executor=executor,
    crane=here / "crane",
    executor_help=here / "executor.help",
    context=here / "context",
    heredocs=here / "heredocs",
    scratch=here / "scratch",
    docker_config=here / "none",
    termination_log=here / "termination-log",
))
print("\\nLATE", len(started), *late, *(set(sys.modules) - loaded))
"""
FLAGS = (
    *("context", "dockerfile", "oci-layout-path", "cache", "cache-repo", "destination", "digest-file"),
    *("push-retry", "push-ignore-immutable-tag-errors"),
)
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


MANIFEST = json.dumps({"config": {"size": 1}, "layers": [{"size": 2}]}).encode()
#: What crane, which looks at what was pushed, finds, and what the result must be for it.
PUSHES = {
    "what was built": ("cat {manifest}", "sha256:{digest}", None),
    "something else": ("cat {manifest}", "sha256:0", "Internal"),
    "bytes that are no digest": ("cat {manifest}", r"\377\376", "Internal"),
    "a registry that is down": (
        "echo 'Error: GET https://r.example/v2/: unexpected status code 503 X' >&2; exit 1",
        "sha256:{digest}",
        "RegistryUnavailable",
    ),
}


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run(directory: Path, command: list[str], end: str, environment: dict[str, str]) -> tuple[str, str | None]:
    """Run the shim with the stand-ins in a directory; returns what was loaded late, and the reason of its failure."""
    (directory / "source").mkdir()
    (directory / "source/Dockerfile").write_text("FROM busybox\nCOPY x* /\nRUN exit 3\n")
    known = "".join(f"      --{name} string\n" for name in FLAGS)
    (directory / "executor.help").write_text(f"{(directory / 'executor').stat().st_size}\n{known}")
    (directory / "termination-log").touch()
    environment = {
        "SOURCE_GET_URL": f"dir://{directory}/source",
        "OUTPUT_LAYOUT": f"{directory}/layout",
        "RESULT_FILE": f"{directory}/result",
        "HEARTBEAT_SECONDS": "1",
        **environment,
    }
    program = PROGRAM.format(shim=str(SHIM), here=str(directory), end=end, environment=environment, command=command)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert "LATE" in done.stdout, done.stdout + done.stderr
    return done.stdout.splitlines()[-1], json.loads((directory / "termination-log").read_text()).get("reason")


@pytest.mark.shows("A30")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("log", ["text", "json"])
def test_nothing_is_loaded_after_the_executor_began(tmp_path: Path, end: str, log: str):
    text, reason = ENDS[end]
    script(tmp_path / "executor", text)
    environment = {"LOG_FORMAT": log, "CACHE": "true", "CACHE_REPO": "r.example/cache"}
    assert run(tmp_path, ["build"], end, environment) == ("LATE 1", reason)


@pytest.mark.parametrize("push", PUSHES)
def test_nothing_is_loaded_after_the_executor_pushed(tmp_path: Path, push: str):
    crane, digest, reason = PUSHES[push]
    (tmp_path / "manifest").write_bytes(MANIFEST)
    script(tmp_path / "crane", crane.format(manifest=tmp_path / "manifest"))
    digest = digest.format(digest=hashlib.sha256(MANIFEST).hexdigest())
    script(tmp_path / "executor", f"printf '{digest}\\n' > {tmp_path}/scratch/digest")
    assert run(tmp_path, [], push, {"OUTPUT_IMAGE": "r.example/app:1"}) == ("LATE 1", reason)


@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_a_run_may_put_anything_in_place_of_the_digest(tmp_path: Path, kind: str):
    digest = tmp_path / "scratch/digest"
    (tmp_path / "manifest").write_bytes(MANIFEST)
    script(tmp_path / "crane", f"cat {tmp_path}/manifest")
    making = {"fifo": f"mkfifo {digest}", "link": f"ln -s /dev/zero {digest}", "directory": f"mkdir {digest}"}
    script(tmp_path / "executor", making[kind])
    assert run(tmp_path, [], kind, {"OUTPUT_IMAGE": "r.example/app:1"}) == ("LATE 1", "Internal")


@pytest.mark.parametrize(
    ("flag", "reason"), [("--push-ignore-immutable-tag-errors=true", None), ("--push-retry=1", "Internal")]
)
def test_a_tag_that_stays_what_it_was(tmp_path: Path, flag: str, reason: str | None):
    (tmp_path / "manifest").write_bytes(MANIFEST)
    script(tmp_path / "crane", f"cat {tmp_path}/manifest")
    script(tmp_path / "executor", f"echo sha256:{'0' * 64} > {tmp_path}/scratch/digest")
    environment = {"OUTPUT_IMAGE": "r.example/app:1", "EXTRA_ARGS": flag}
    assert run(tmp_path, [], "ignored", environment) == ("LATE 1", reason)
    warnings = json.loads((tmp_path / "termination-log").read_text()).get("warnings", [])
    immutable = [warning for warning in warnings if warning.startswith("r.example/app:1 is immutable and stays")]
    assert len(immutable) == (reason is None)


HOSTILE = """
import sys
sys.path[:0] = [{shim!r}, {here!r}]
from kaniko_shim.system.imports import refuse_imports

refuse_imports()
refuse_imports()
try:
    import planted
except ImportError as error:
    print(error)
print(b"x".decode("ascii"), b"x".decode("utf-8"), "planted" in sys.modules)
try:
    b"x".decode("planted")
except LookupError as error:
    print(error)
"""


def test_an_import_is_refused_once_a_run_may_have_run(tmp_path: Path):
    (tmp_path / "planted.py").write_text("print('planted')\n")
    program = HOSTILE.format(shim=str(SHIM), here=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [
        "planted can't be imported: a RUN may have changed its file",
        "x x False",
        "unknown encoding: planted",
    ]
