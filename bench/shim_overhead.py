"""How much time the shim adds to a build: the whole job, compared with the bare executor with the same flags.

Needs root and the test cluster's registry (`make cluster-up image`):

    REGISTRY_ADDRESS=10.244.0.1:5000 .venv/bin/python bench/shim_overhead.py [--quick]

Both run in turn in containers of the builder image. The executor's flags are those that --dry-run shows; its context is
mounted where the shim would have put it, so that the shim's copying counts.
"""

import os
import shlex
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from measure.file_system import file_system  # noqa: E402
from measure.report import Report, options  # noqa: E402
from standalone.container import Builder, builder_layout  # noqa: E402

RUN, LAYERS, COPY = "one long RUN", "RUN instructions", "files to COPY"
SIZES = {RUN: (1,), LAYERS: (1, 10, 40), COPY: (100, 2000, 20_000)}
QUICK = {LAYERS: (10,)}
SHIM = "/kaniko/.Shim/bin/kaniko-shim"


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    report = Report("shim_overhead", "bench/shim_overhead.py", dict.fromkeys(SIZES, "executor alone"))
    registry = os.environ.get("REGISTRY_ADDRESS", "10.244.0.1:5000")
    layout = builder_layout()
    for name, size in ((name, size) for name, sizes in (QUICK if told.quick else SIZES).items() for size in sizes):
        with tempfile.TemporaryDirectory() as scratch, file_system(Path(scratch)) as directory:
            builder = Builder.unpack(layout, directory)
            report.context["executor"] = builder.abilities.name
            source = directory / "source"
            write(source, name, size)
            # The first pair warms caches up.
            pairs = [pair(builder, source, registry) for _ in range(2 if told.quick else 6)][1:]
            builder.remove()
        samples = {"executor alone": [bare for _, bare in pairs], "shim": [shim for shim, _ in pairs]}
        report.add(name, samples, "s", size)
    report.context["sizes"] = {name: name for name in SIZES}
    report.finish(told)


def write(source: Path, name: str, size: int) -> None:
    """Write a build context."""
    source.mkdir()
    text = {
        RUN: "FROM python:3.11\nCOPY Dockerfile /x\nRUN python3 -c 'print(sum(range(10_000_000)))' > /y\n",
        LAYERS: "FROM busybox\n" + "".join(f"RUN echo {number} > /{number}\n" for number in range(size)),
        COPY: "FROM busybox\nCOPY . /files\n",
    }
    (source / "Dockerfile").write_text(text[name])
    if name == COPY:
        for number in range(size):
            (source / f"{number}.txt").write_text(f"{number}\n" * 100)


def pair(builder: Builder, source: Path, registry: str) -> tuple[float, float]:
    """Seconds of a build through the shim, and of one by the executor alone right after it."""
    env = {
        "OUTPUT_IMAGE": f"{registry}/bench/overhead:1",
        "SOURCE_GET_URL": "dir:///mnt/source",
        "INSECURE_REGISTRIES": registry,
        "REGISTRY_MIRRORS": registry,
    }
    builder.config["Entrypoint"] = [SHIM]
    shown = builder.run("--dry-run", env=env, mounts={"/mnt/source": source}).log
    executor = shlex.split(next(line for line in shown.splitlines() if line.startswith("/kaniko/executor")))
    done = builder.run(env=env, mounts={"/mnt/source": source})
    shim = done.seconds if done.code == 0 else sys.exit(done.log)
    builder.config["Entrypoint"] = executor[:1]
    with tempfile.TemporaryDirectory() as run:
        mounts = {"/kaniko/buildcontext": source, "/kaniko/.run": Path(run)}
        done = builder.run(*executor[1:], env={"container": "kube"}, mounts=mounts)
    return shim, done.seconds if done.code == 0 else sys.exit(done.log)


if __name__ == "__main__":
    main()
