"""Projects that are typical of what people build: wheels, C in two stages, many small files."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from cluster import toolchain  # noqa: E402
from support.serving import Quiet, serving  # noqa: E402

FILES, QUICK_FILES = 20_000, 2_000
WHEELS = ("django==5.1.3", "numpy==2.1.3", "requests==2.32.3", "sqlalchemy==2.0.36", "flask==3.1.0")
ZSTD = "github.com/DataDog/zstd@v1.5.6"

PYTHON = """\
FROM python:3.11
ARG INDEX
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-index --find-links=$INDEX --trusted-host=127.0.0.1 -r requirements.txt
COPY . .
RUN python3 -m compileall -q .
USER nobody
CMD ["python3", "app.py"]
"""
C = """\
FROM python:3.11 AS build
WORKDIR /src
COPY . .
RUN make
FROM debian:bookworm-slim
COPY --from=build /src/pack /usr/local/bin/pack
RUN echo hello | pack | wc -c
ENTRYPOINT ["pack"]
"""
MAKEFILE = """\
CFLAGS = -O1 -DZSTD_DISABLE_ASM -DZSTD_LEGACY_SUPPORT=0
pack: $(patsubst %.c,%.o,$(wildcard *.c))
\tcc -o $@ $^ -lpthread
"""
MAIN = """\
#include <stdio.h>
#include "zstd.h"
static char in[1 << 20], out[2 << 20];
int main(void) {
    size_t size = ZSTD_compress(out, sizeof out, in, fread(in, 1, sizeof in, stdin), 3);
    return fwrite(out, 1, size, stdout) != size;
}
"""
DIAMOND = """\
FROM python:3.11 AS base
WORKDIR /src
COPY . .
RUN python3 -m compileall -q .
FROM base AS left
RUN find /usr/lib -type f -exec cat {} + | head -c 300M | sha256sum > /left
FROM base AS right
RUN find /usr/lib -type f -exec cat {} + | head -c 300M | md5sum > /right
FROM debian:bookworm-slim
COPY --from=left /left /
COPY --from=right /right /
RUN cat /left /right > /both
CMD ["cat", "/both"]
"""
NODE = """\
FROM busybox
WORKDIR /app
COPY package.json .
COPY node_modules node_modules
RUN find node_modules -name '*.map' -exec rm {} +
COPY . .
RUN find . -type f | wc -l > /count
CMD ["cat", "/count"]
"""


@dataclass(frozen=True)
class Project:
    """What is built."""

    name: str
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict)


class _Handler(Quiet, SimpleHTTPRequestHandler):
    """Serves a directory."""


@contextmanager
def projects(scratch: Path, *, quick: bool) -> Iterator[list[Project]]:
    """The projects; in the short form, only one whose parts are made here."""
    files = _make(scratch, "files", partial(_small_files, QUICK_FILES if quick else FILES))
    if quick:
        yield [files]
        return
    wheels = scratch / "wheels"
    _download_wheels(wheels)
    with serving(partial(_Handler, directory=str(wheels))) as port:
        index = {"INDEX": f"http://127.0.0.1:{port}/"}
        yield [
            _make(scratch, "python", _python, index),
            _make(scratch, "c", _c),
            _make(scratch, "diamond", _diamond),
            files,
        ]


def _make(
    scratch: Path, name: str, write: Callable[[Path], None], arguments: Mapping[str, str] | None = None
) -> Project:
    context = scratch / f"project-{name}"
    context.mkdir()
    write(context)
    return Project(name, context, arguments or {})


def _python(context: Path) -> None:
    (context / "Dockerfile").write_text(PYTHON)
    (context / "requirements.txt").write_text("".join(f"{wheel}\n" for wheel in WHEELS))
    (context / "app.py").write_text("import django, flask, numpy, requests, sqlalchemy\n")
    for number in range(200):
        (context / f"module_{number}.py").write_text(f"def answer():\n    return {number}\n" * 40)


def _c(context: Path) -> None:
    module = subprocess.run(
        [toolchain.go(), "mod", "download", "-json", ZSTD], cwd="/", check=True, capture_output=True, text=True
    )
    sources = Path(json.loads(module.stdout)["Dir"])
    for path in (*sources.glob("*.c"), *sources.glob("*.h")):
        shutil.copyfile(path, context / path.name)
    (context / "Dockerfile").write_text(C)
    (context / "Makefile").write_text(MAKEFILE)
    (context / "pack.c").write_text(MAIN)


def _diamond(context: Path) -> None:
    (context / "Dockerfile").write_text(DIAMOND)
    for number in range(200):
        (context / f"module_{number}.py").write_text(f"def answer():\n    return {number}\n" * 40)


def _small_files(count: int, context: Path) -> None:
    """Packages of twenty files each, of a few kilobytes of text that compresses as code does."""
    chance = random.Random(count)  # noqa: S311 - the same files each time
    words = [f"word{number}" for number in range(500)]
    for number in range(count):
        package = context / "node_modules" / f"package-{number // 20}" / ("lib" if number % 2 else "dist")
        package.mkdir(parents=True, exist_ok=True)
        name = f"index-{number}.{'map' if number % 10 == 0 else 'js'}"
        (package / name).write_text(" ".join(chance.choices(words, k=chance.randrange(20, 600))))
    (context / "package.json").write_text('{"name": "files"}\n')
    (context / "Dockerfile").write_text(NODE)


def _download_wheels(folder: Path) -> None:
    python = Path(sys.base_prefix, "bin", "python3")
    command = [str(python), "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version=3.11"]
    command += ["--implementation=cp", "--abi=cp311", "--abi=none", f"--dest={folder}"]
    command += [f"--platform=manylinux_2_17_{os.uname().machine}", f"--platform=manylinux2014_{os.uname().machine}"]
    subprocess.run([*command, *WHEELS], check=True)
