"""How much time the shim adds to a build: the whole job, compared with the bare executor with the same flags.

Needs root and the test cluster's registry (`make cluster-up image`):

    REGISTRY_ADDRESS=10.244.0.1:5000 .venv/bin/python bench/shim_overhead.py [ROUNDS]

Both run in turn in containers of the builder image. The executor's flags are those that --dry-run shows; its context is
mounted where the shim would have put it, so that the shim's copying counts. Prints medians, and the median of
the pairs' ratios with its range.
"""

import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from standalone.container import Builder  # noqa: E402

DOCKERFILES = {
    "one long RUN": "FROM python:3.11\nCOPY Dockerfile /x\nRUN python3 -c 'print(sum(range(10_000_000)))' > /y\n",
    "many small layers": "FROM busybox\n" + "".join(f"RUN echo {number} > /{number}\n" for number in range(12)),
    "many files": "FROM busybox\nCOPY . /files\n",
}
FILES = 2000
SHIM = "/kaniko/.Shim/bin/kaniko-shim"


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    registry = os.environ.get("REGISTRY_ADDRESS", "10.244.0.1:5000")
    script = [sys.executable, str(ROOT / "shim" / "image" / "build.py"), "--print-layout"]
    layout = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    with tempfile.TemporaryDirectory() as directory:
        builder = Builder.unpack(Path(layout), Path(directory))
        for name, dockerfile in DOCKERFILES.items():
            source = Path(directory) / name
            source.mkdir()
            (source / "Dockerfile").write_text(dockerfile)
            if name == "many files":
                for number in range(FILES):
                    (source / f"{number}.txt").write_text(f"{number}\n" * 100)
            pairs = [pair(builder, source, registry) for _ in range(rounds)]
            ratios = [shim / bare for shim, bare in pairs]
            shim, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(
                f"{name}: shim {shim:.2f} s, executor {bare:.2f} s, "
                f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}, {rounds} rounds)"
            )
        builder.remove()


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
