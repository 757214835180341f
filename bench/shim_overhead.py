"""How much time the shim adds to a build: the whole job, beside the bare executor with the same flags.

Needs root and the test cluster's registry (`make cluster-up image`):

    REGISTRY_ADDRESS=10.244.0.1:5000 .venv/bin/python bench/shim_overhead.py [ROUNDS]

Both run in turn in containers of the builder image. The executor's flags are those that --dry-run shows; its context is
mounted where the shim would have put it. Prints medians and their ratio.
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

DOCKERFILE = "FROM python:3.11\nCOPY Dockerfile /x\nRUN python3 -c 'print(sum(range(10_000_000)))' > /y\n"
SHIM = "/kaniko/.Shim/bin/kaniko-shim"


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    registry = os.environ.get("REGISTRY_ADDRESS", "10.244.0.1:5000")
    script = [sys.executable, str(ROOT / "shim" / "image" / "build.py"), "--print-layout"]
    layout = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        source = scratch / "source"
        source.mkdir()
        (source / "Dockerfile").write_text(DOCKERFILE)
        builder = Builder.unpack(Path(layout), scratch)
        env = {
            "OUTPUT_IMAGE": f"{registry}/bench/overhead:1",
            "SOURCE_GET_URL": "dir:///mnt/source",
            "INSECURE_REGISTRIES": registry,
            "REGISTRY_MIRRORS": registry,
        }
        shown = builder.run("--dry-run", env=env, mounts={"/mnt/source": source}).log
        executor = shlex.split(next(line for line in shown.splitlines() if line.startswith("/kaniko/executor")))
        seconds: dict[str, list[float]] = {"shim": [], "executor": []}
        for _ in range(rounds):
            builder.config["Entrypoint"] = [SHIM]
            done = builder.run(env=env, mounts={"/mnt/source": source})
            seconds["shim"].append(done.seconds if done.code == 0 else sys.exit(done.log))
            builder.config["Entrypoint"] = executor[:1]
            mounts = {"/kaniko/buildcontext": source, "/kaniko/.run": scratch / "run"}
            mounts["/kaniko/.run"].mkdir(exist_ok=True)
            done = builder.run(*executor[1:], env={"container": "kube"}, mounts=mounts)
            seconds["executor"].append(done.seconds if done.code == 0 else sys.exit(done.log))
        builder.remove()
    shim, bare = statistics.median(seconds["shim"]), statistics.median(seconds["executor"])
    print(f"shim {shim:.2f} s, executor {bare:.2f} s, ratio {shim / bare:.3f} ({rounds} rounds)")


if __name__ == "__main__":
    main()
