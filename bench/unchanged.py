"""How long a build takes when nothing has changed: with the executor's feature flags and without them, in turn.

Needs root and the test cluster's registry (`make cluster-up image`):

    REGISTRY_ADDRESS=10.244.0.1:5000 .venv/bin/python bench/unchanged.py [ROUNDS]

Two stages on a base image of 382 MB, all of whose layers are in the cache. Each way has a cache of its own, which the
first build fills. Prints medians, and the median of the pairs' ratios with its range.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shim")]

from kaniko_shim.executor.feature_flags import TABLE  # noqa: E402
from standalone.container import Builder  # noqa: E402

DOCKERFILE = """\
FROM python:3.11 AS build
COPY requirements.txt /src/
RUN mkdir /wheels && cp /src/requirements.txt /wheels/
COPY app.py /src/
RUN python3 -m compileall -q /src
FROM python:3.11
COPY --from=build /wheels /wheels
RUN ls /wheels > /installed
COPY --from=build /src /app
CMD ["python3", "/app/app.py"]
"""
WITHOUT = {**dict.fromkeys(TABLE, "false"), "EXTRA_ARGS": "--cache-copy-layers=false"}


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    registry = os.environ.get("REGISTRY_ADDRESS", "10.244.0.1:5000")
    script = [sys.executable, str(ROOT / "shim" / "image" / "build.py"), "--print-layout"]
    layout = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    with tempfile.TemporaryDirectory() as directory:
        builder = Builder.unpack(Path(layout), Path(directory))
        name = builder.abilities.name
        source = Path(directory) / "source"
        source.mkdir()
        (source / "Dockerfile").write_text(DOCKERFILE)
        (source / "requirements.txt").write_text("flask\n")
        (source / "app.py").write_text("print('hello')\n")
        ways = [environment(registry, extra) for extra in ({}, WITHOUT)]
        first = [build(builder, source, way) for way in ways]
        pairs = [(build(builder, source, ways[0]), build(builder, source, ways[1])) for _ in range(rounds)]
        builder.remove()
    ratios = [slow / fast for fast, slow in pairs]
    fast, slow = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"executor {name}: first build {first[0]:.1f} s with, {first[1]:.1f} s without; unchanged "
        f"{fast:.2f} s with, {slow:.2f} s without, ratio {statistics.median(ratios):.1f} "
        f"({min(ratios):.1f} to {max(ratios):.1f}, {rounds} rounds)"
    )


def environment(registry: str, extra: dict[str, str]) -> dict[str, str]:
    """The variables of a build with a cache of its own."""
    own = uuid.uuid4().hex[:12]
    return {
        "OUTPUT_IMAGE": f"{registry}/bench/unchanged-{own}:1",
        "CACHE_REPO": f"{registry}/bench/cache-{own}",
        "SOURCE_GET_URL": "dir:///mnt/source",
        "INSECURE_REGISTRIES": registry,
        "REGISTRY_MIRRORS": registry,
        **extra,
    }


def build(builder: Builder, source: Path, environment: dict[str, str]) -> float:
    """Seconds of a build."""
    done = builder.run(env=environment, mounts={"/mnt/source": source})
    return done.seconds if done.code == 0 else sys.exit(done.log)


if __name__ == "__main__":
    main()
