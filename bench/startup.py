"""How long the shim takes until the executor runs, for a context that stands in the variables themselves.

Needs root and the builder image (`make image`):

    .venv/bin/python bench/startup.py [ROUNDS]

In the executor's place stands crane, which ends at once. Containers with the whole shim and containers with nothing but
that program run in turn, so that the runtime's own time drops out. Prints both medians, and what the shim adds (goal:
150 ms); a failed job's report is in it, which a real one has behind the build.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from tarfile import TarFile, TarInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from standalone.container import Builder  # noqa: E402

SHIM, EXECUTOR = "/kaniko/.Shim/bin/kaniko-shim", "/kaniko/executor"
CRANE, HELP = "kaniko/.Shim/bin/crane", "kaniko/.Shim/executor.help"


def context() -> str:
    """A data: URL with a tar of one Dockerfile."""
    content = b"FROM scratch\nCOPY Dockerfile /\n"
    entry = TarInfo("Dockerfile")
    entry.size = len(content)
    made = BytesIO()
    with TarFile(fileobj=made, mode="w") as tar:
        tar.addfile(entry, BytesIO(content))
    return "data:application/x-tar;base64," + b64encode(made.getvalue()).decode()


def put_stand_in(root: Path) -> None:
    """Put crane where the executor is, with the executor's flags noted as its own."""
    executor, note = root / EXECUTOR[1:], root / HELP
    flags = note.read_text(encoding="utf-8").partition("\n")[2]
    shutil.copy(root / CRANE, executor)
    note.write_text(f"{executor.stat().st_size}\n{flags}", encoding="utf-8")


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    script = [sys.executable, str(ROOT / "shim" / "image" / "build.py"), "--print-layout"]
    layout = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    shim, bare = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as directory:
        builder = Builder.unpack(Path(layout), Path(directory))
        put_stand_in(builder.rootfs)
        for _ in range(rounds):
            builder.config["Entrypoint"] = [SHIM]
            done = builder.run("build", env={"SOURCE_GET_URL": context()})
            if "unknown flag" not in done.log:
                sys.exit(f"the stand-in did not run:\n{done.log}")
            shim.append(done.seconds * 1000)
            builder.config["Entrypoint"] = [EXECUTOR]
            bare.append(builder.run("--context=x", env={}).seconds * 1000)
        builder.remove()
    added = [one - other for one, other in zip(shim, bare, strict=True)]
    low, middle, high = statistics.quantiles(added, n=4)
    print(f"with the shim {statistics.median(shim):.0f} ms, the stand-in alone {statistics.median(bare):.0f} ms")
    print(f"start-up {middle:.0f} ms (middle half {low:.0f} to {high:.0f} ms, {rounds} rounds)")


if __name__ == "__main__":
    main()
