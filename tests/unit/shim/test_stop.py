"""SIGTERM in every phase of every sub-command: always Cancelled, with 143, and nothing is tried after it."""

import io
import json
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from kaniko_shim.oci.digests import digest_of
from unit.shim.sources.servers import Answer, Server, serve

SHIM = Path(__file__).parents[3] / "shim"
#: Sends SIGTERM to itself when a function of the shim is called, once.
PROGRAM = """
import os, signal, sys
sys.path.insert(0, {shim!r})
from pathlib import Path
from kaniko_shim.system.paths import Paths
from kaniko_shim.run import run

here = Path({here!r})
sent = []

def note(frame, event, argument):
    code = frame.f_code
    if event == "call" and not sent and code.co_filename.endswith({file!r}) and code.co_name == {function!r}:
        sent.append(1)
        os.kill(os.getpid(), signal.SIGTERM)

sys.setprofile(note)
code = run({command!r}, {environment!r}, Paths(
    executor=here / "executor",
    crane=here / "crane",
    executor_help=here / "executor.help",
    context=here / "context",
    heredocs=here / "heredocs",
    scratch=here / "scratch",
    docker_config=here / "none",
    termination_log=here / "termination-log",
))
sys.setprofile(None)
print("SENT", len(sent))
sys.exit(code)
"""
FLAGS = ("context", "dockerfile", "oci-layout-path", "destination", "digest-file", "no-push", "cache", "cache-repo")
CRANE = """#!/bin/sh
echo "$@" >> {calls}
case "$1" in
  --insecure) shift;;
esac
case "$1" in
  manifest) cat {manifest};;
esac
"""


@dataclass(frozen=True)
class Phase:
    """Where the signal comes."""

    command: list[str]
    file: str
    function: str
    environment: Mapping[str, str] = field(default_factory=dict)


BUCKET = {"SOURCE_GET_URL": "gs://bucket/x", "GCE_METADATA_HOST": "{host}", "STORAGE_EMULATOR_HOST": "{url}/refused"}
INDEX = {"INDEX_MANIFESTS": "linux/amd64={digest}"}
PHASES = {
    "reading the request": Phase(["build"], "request/command_request.py", "parse_request"),
    "fetch over HTTP": Phase(["build"], "sources/download.py", "download", {"SOURCE_GET_URL": "{url}/a.tar"}),
    "fetch, in a library": Phase(["build"], "urllib3/connectionpool.py", "urlopen", {"SOURCE_GET_URL": "{url}/a.tar"}),
    "fetch of a directory": Phase(["build"], "sources/directory.py", "copy_directory"),
    "fetch from a bucket": Phase(["build"], "sources/buckets/bucket.py", "target", BUCKET),
    "credentials of a bucket": Phase(["build"], "sources/buckets/bucket.py", "_google_token", BUCKET),
    "request for a bucket's credentials": Phase(["build"], "net/web.py", "get", BUCKET),
    "digests of base images": Phase(["build"], "registry/crane.py", "manifest", {"CACHE_REPO": "r.example/cache"}),
    "the Dockerfile": Phase(["build"], "engines/kaniko/build.py", "_prepare"),
    "start of the executor": Phase(["build"], "executor/follow.py", "begin"),
    "the executor's run": Phase(["build"], "executor/follow.py", "read"),
    "end of the executor": Phase(["build"], "system/processes/process.py", "_end_leftovers"),
    "the record": Phase(["build"], "attest/record.py", "write_record"),
    "check of the digest": Phase([], "registry/crane.py", "inspect"),
    "check of the layout": Phase(["push"], "oci/layout.py", "check_layout"),
    "provenance": Phase(["push"], "attest/provenance.py", "provenance", {"PROVENANCE": "true"}),
    "SBOM": Phase(["push"], "sbom/inventory.py", "take_inventory", {"SBOM": "true"}),
    "SBOM, in a layer": Phase(["push"], "archives/tar.py", "read_tar", {"SBOM": "true"}),
    "SBOM, in a package database": Phase(["push"], "sbom/databases.py", "read_os_release", {"SBOM": "true"}),
    "push": Phase(["push"], "registry/push.py", "push"),
    "push, in crane": Phase(["push"], "system/processes/process.py", "_follow"),
    "look at what was pushed": Phase(["push"], "registry/crane.py", "inspect"),
    "attestations": Phase(["push"], "attest/attach.py", "_attach", {"PROVENANCE": "true"}),
    "manifests of an index": Phase(["index"], "registry/crane.py", "manifest", INDEX),
    "check of the registry": Phase(["check"], "registry/registry_api.py", "_send"),
}  # fmt: skip


def make_layout(directory: Path) -> bytes:
    """Write the layout of an image with one layer; returns its manifest."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("etc/os-release")
        entry.size = 10
        archive.addfile(entry, io.BytesIO(b"ID=debian\n"))
    blobs = directory / "blobs/sha256"
    blobs.mkdir(parents=True)

    def add(content: bytes, media_type: str) -> dict[str, object]:
        (blobs / digest_of(content).removeprefix("sha256:")).write_bytes(content)
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    media_type = "application/vnd.oci.image.manifest.v1+json"
    config = add(b"{}", "application/vnd.oci.image.config.v1+json")
    layers = [add(stream.getvalue(), "application/vnd.oci.image.layer.v1.tar")]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers}).encode()
    (directory / "index.json").write_text(json.dumps({"manifests": [add(manifest, media_type)]}))
    return manifest


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(Answer(403)) as server:
        yield server


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES)
def test_a_stop_is_a_cancellation(tmp_path: Path, server: Server, phase: Phase):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/Dockerfile").write_text("FROM r.example/app:1\nCOPY --from=r.example/base:1 / /\n")
    script(tmp_path / "executor", f"#!/bin/sh\necho output\necho sha256:0 > {tmp_path}/scratch/digest\nsleep 0.1\n")
    known = "".join(f"      --{name} string\n" for name in FLAGS)
    (tmp_path / "executor.help").write_text(f"{(tmp_path / 'executor').stat().st_size}\n{known}")
    manifest = make_layout(tmp_path / "layout")
    (tmp_path / "manifest").write_bytes(manifest)
    script(tmp_path / "crane", CRANE.format(calls=tmp_path / "calls", manifest=tmp_path / "manifest"))
    (tmp_path / "termination-log").touch()
    places = {"url": server.url, "host": server.url.removeprefix("http://"), "digest": digest_of(manifest)}
    environment = {
        "SOURCE_GET_URL": f"dir://{tmp_path}/source",
        "OUTPUT_LAYOUT": f"{tmp_path}/layout",
        "OUTPUT_IMAGE": "127.0.0.1:9/app:1",
        "INSECURE_REGISTRIES": "127.0.0.1:9",
        "HEARTBEAT_SECONDS": "30",
        **{name: value.format_map(places) for name, value in phase.environment.items()},
    }
    program = PROGRAM.format(
        shim=str(SHIM),
        here=str(tmp_path),
        file=phase.file,
        function=phase.function,
        command=phase.command,
        environment=environment,
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert "SENT 1" in done.stdout, done.stdout + done.stderr
    result = json.loads((tmp_path / "termination-log").read_text())
    assert (result["reason"], result["exitCode"], done.returncode) == ("Cancelled", 143, 143), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "attempt 2" not in done.stdout


SWALLOWING = """
import os, signal, sys, time
sys.path.insert(0, {shim!r})
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.processes.interruption import CancelledError
from kaniko_shim.system.processes.signals import raise_on_stop

raise_on_stop()
try:
    with heartbeat(lambda: None, 3600):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        except CancelledError:
            pass
        time.sleep(60)
except CancelledError as error:
    sys.exit(128 + error.number)
"""


def test_a_swallowed_stop_is_raised_again():
    done = subprocess.run([sys.executable, "-c", SWALLOWING.format(shim=str(SHIM))], check=False, timeout=50)
    assert done.returncode == 143


STARTING = """
import os, signal, sys
sys.path.insert(0, {shim!r})
from kaniko_shim.log.masking import Masker
from kaniko_shim.system.processes.interruption import CancelledError
from kaniko_shim.system.processes.invocation import Invocation
from kaniko_shim.system.processes.process import run
from kaniko_shim.system.processes.signals import raise_on_stop

raise_on_stop()
try:
    os.kill(os.getpid(), signal.SIGTERM)
except CancelledError:
    pass
try:
    run(Invocation(("/bin/sleep", "60"), {{}}), on_line=print, on_silence=print, silence=60, masker=Masker())
except CancelledError as error:
    sys.exit(128 + error.number)
"""


def test_no_program_is_started_after_a_swallowed_stop():
    done = subprocess.run([sys.executable, "-c", STARTING.format(shim=str(SHIM))], check=False, timeout=50)
    assert done.returncode == 143


def test_a_second_signal_does_not_disturb_the_report(tmp_path: Path):
    """The process is told twice, the second time while it reports the first."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source/Dockerfile").write_text("FROM scratch\n")
    script(tmp_path / "executor", "#!/bin/sh\nkill -TERM $PPID\nkill -TERM $PPID\nsleep 60\n")
    known = "".join(f"      --{name} string\n" for name in FLAGS)
    (tmp_path / "executor.help").write_text(f"{(tmp_path / 'executor').stat().st_size}\n{known}")
    (tmp_path / "termination-log").touch()
    environment = {"SOURCE_GET_URL": f"dir://{tmp_path}/source", "OUTPUT_LAYOUT": f"{tmp_path}/layout"}
    program = PROGRAM.format(
        shim=str(SHIM), here=str(tmp_path), file="log/console.py", function="nothing", command=["build"],
        environment=environment,
    )  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 128 + signal.SIGTERM
    assert json.loads((tmp_path / "termination-log").read_text())["reason"] == "Cancelled"
    assert list((tmp_path / "scratch/docker").iterdir()) == []
