"""How fast the shim fetches and unpacks a context, beside `curl | tar`, and how much memory it takes.

    .venv/bin/python bench/fetch_extract.py [--quick]

Needs root. The contexts have up to 20,000 files of 10 kB, are compressed with gzip or zstd and come from a server on
loopback. Both unpack in turn, each into a new file system. Measured are the times, and the peak memory of the shim's
process. The goals: a ratio of at most 1.2, and at most 80 MB.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from measure.file_system import file_system
from measure.report import Report, options
from measure.samples import alternately

ROOT = Path(__file__).resolve().parents[1]

SIZE, PER_DIRECTORY = 10_000, 100
SIZES, QUICK = {"gz": (1000, 5000, 20_000), "zst": (20_000,)}, {"gz": (2000,)}
COMPRESS = {"gz": ("gzip", "-6"), "zst": ("zstd", "-3")}

FETCH = """
import resource, sys, time
begin = time.monotonic()
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.fetch import fetch
from kaniko_shim.sources.kinds import parse_source
from kaniko_shim.sources.workspace import Workspace
into = Path(sys.argv[3])
fetch(SourceRequest(parse_source(sys.argv[2])), Workspace(into, into.parent, {}, lambda line: None))
print(time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    names = {kind: f"fetch and unpack, {COMPRESS[kind][0]}" for kind in SIZES}
    report = Report("fetch_extract", "bench/fetch_extract.py", dict.fromkeys(names.values(), "curl and tar"))
    for kind, sizes in (QUICK if told.quick else SIZES).items():
        for files in sizes:
            with tempfile.TemporaryDirectory(prefix="fetch-extract-") as directory:
                times, memory = measure(Path(directory), kind, files)
            report.add(names[kind], times, "s", files)
            report.add(f"memory, {COMPRESS[kind][0]}", {"shim": memory}, "MB", files)
    report.context["sizes"] = {each.measure: "files" for each in report.series}
    report.finish(told)


def measure(scratch: Path, kind: str, files: int) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds of both, and megabytes of the shim."""
    archive, memory = make_archive(scratch, kind, files), list[float]()
    server = serve(archive)
    url = f"http://127.0.0.1:{server.server_address[1]}/context"

    def shim() -> float:
        with file_system(scratch) as folder:
            seconds, peak = fetch_with_shim(url, folder / "context")
        memory.append(peak)
        return seconds

    def bare() -> float:
        with file_system(scratch) as folder:
            return curl_and_tar(url, folder / "context", kind)

    times = alternately({"curl and tar": bare, "shim": shim}, 5)
    server.shutdown()
    return times, memory


def make_archive(scratch: Path, kind: str, files: int) -> Path:
    """A context of many small files."""
    source = scratch / "source"
    for number in range(files):
        place = source / f"directory-{number // PER_DIRECTORY:03d}"
        if number % PER_DIRECTORY == 0:
            place.mkdir(parents=True)
        # It compresses to a quarter, as text does.
        (place / f"file-{number:05d}.txt").write_text(os.urandom(SIZE // 4).hex() * 2)
    archive = scratch / "context"
    compress = " ".join(COMPRESS[kind])
    subprocess.run(["sh", "-c", f"tar -C {source} -cf - . | {compress} > {archive}"], check=True)
    shutil.rmtree(source)
    return archive


def serve(archive: Path) -> ThreadingHTTPServer:
    """A server that takes next to no time itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(archive.stat().st_size))
            self.end_headers()
            with archive.open("rb") as stream:
                self.connection.sendfile(stream)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def curl_and_tar(url: str, into: Path, kind: str) -> float:
    """Seconds of a pipe that unpacks into a new directory."""
    # GNU tar recognises the compression of a file, not that of a pipe.
    flag = {"gz": "z", "zst": " --zstd -"}[kind]
    into.mkdir()
    begin = time.monotonic()
    subprocess.run(["bash", "-o", "pipefail", "-c", f"curl -fsS {url} | tar -x{flag}f - -C {into}"], check=True)
    return time.monotonic() - begin


def fetch_with_shim(url: str, into: Path) -> tuple[float, float]:
    """Seconds and megabytes of a process that does what the shim does."""
    command = [sys.executable, "-I", "-c", FETCH, str(ROOT / "shim"), url, str(into)]
    begin = time.monotonic()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return time.monotonic() - begin, float(done.stdout.split()[1])


if __name__ == "__main__":
    main()
