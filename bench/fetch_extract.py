"""How fast the shim fetches and unpacks a context, beside `curl | tar`, and how much memory it takes.

    .venv/bin/python bench/fetch_extract.py [ROUNDS [KIND]]

The context has 50,000 files and 500 MB, is compressed as KIND (gz, zst, xz or tar) and comes from a server on
loopback. Both unpack into new directories of one file system, in turn. Prints medians, their ratio, and the peak
memory of the shim's process. The goals: at most 1.2, and at most 80 MB.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FILES, SIZE, PER_DIRECTORY = 50_000, 10_000, 100
COMPRESS = {"gz": ("gzip", "-6"), "zst": ("zstd", "-3"), "xz": ("xz", "-1", "-T0"), "tar": ("cat",)}

FETCH = """
import resource, sys, time
begin = time.monotonic()
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.fetch import fetch
from kaniko_shim.sources.kinds import parse_source
from kaniko_shim.sources.place import Place
into = Path(sys.argv[3])
fetch(SourceRequest(parse_source(sys.argv[2])), Place(into, into.parent, {}, lambda line: None))
print(time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    kind = sys.argv[2] if len(sys.argv) > 2 else "gz"  # noqa: PLR2004 - the second argument
    with tempfile.TemporaryDirectory(prefix="fetch-extract-") as directory:
        scratch = Path(directory)
        archive = make_archive(scratch, kind)
        print(f"{archive.stat().st_size / 1e6:.0f} MB compressed with {' '.join(COMPRESS[kind])}")
        server = serve(archive)
        url = f"http://127.0.0.1:{server.server_address[1]}/context"
        shim, bare, memory = list[float](), list[float](), list[float]()
        for _ in range(rounds):
            bare.append(curl_and_tar(url, scratch / "bare", kind))
            seconds, peak = fetch_with_shim(url, scratch / "shim")
            shim.append(seconds)
            memory.append(peak)
        server.shutdown()
    ours, theirs = statistics.median(shim), statistics.median(bare)
    print(f"shim {ours:.2f} s, curl and tar {theirs:.2f} s, ratio {ours / theirs:.2f}; memory {max(memory):.0f} MB")


def make_archive(scratch: Path, kind: str) -> Path:
    """A context of many small files."""
    source = scratch / "source"
    for number in range(FILES):
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
    flag = {"gz": "z", "zst": " --zstd -", "xz": "J", "tar": ""}[kind]
    into.mkdir()
    begin = time.monotonic()
    subprocess.run(["bash", "-o", "pipefail", "-c", f"curl -fsS {url} | tar -x{flag}f - -C {into}"], check=True)
    seconds = time.monotonic() - begin
    shutil.rmtree(into)
    return seconds


def fetch_with_shim(url: str, into: Path) -> tuple[float, float]:
    """Seconds and megabytes of a process that does what the shim does."""
    command = [sys.executable, "-I", "-c", FETCH, str(ROOT / "shim"), url, str(into)]
    begin = time.monotonic()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - begin
    shutil.rmtree(into)
    return seconds, float(done.stdout.split()[1])


if __name__ == "__main__":
    main()
