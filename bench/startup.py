"""How long the shim takes until the executor runs, for a context that stands in the variables themselves.

Needs root and the builder image (`make image`):

    .venv/bin/python bench/startup.py [--quick]

In the executor's place stands crane, which ends at once. Containers with the whole shim and containers with nothing but
that program run in turn, so that the runtime's own time drops out. Measured are both, and what the shim adds
(goal: 150 ms); a failed job's report is in it, which a real one has behind the build.
"""

import shutil
import sys
import tempfile
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from tarfile import TarFile, TarInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from measure.report import Report, options  # noqa: E402
from measure.samples import alternately  # noqa: E402
from standalone.container import Builder, builder_layout  # noqa: E402

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
    """Measure and report."""
    told = options(__doc__)
    report = Report("startup", "bench/startup.py", {"container start to end": "executor alone"})
    layout = builder_layout()
    with tempfile.TemporaryDirectory() as directory:
        builder = Builder.unpack(layout, Path(directory))
        report.context["executor"] = builder.abilities.name
        put_stand_in(builder.rootfs)
        cases = {"executor alone": lambda: alone(builder), "with the shim": lambda: with_shim(builder)}
        samples = alternately(cases, 5 if told.quick else 20)
        builder.remove()
    report.add("container start to end", samples)
    pairs = zip(samples["with the shim"], samples["executor alone"], strict=True)
    report.add("added by the shim", {"shim": [one - other for one, other in pairs]})
    report.finish(told)


def with_shim(builder: Builder) -> float:
    """Seconds of a container that fails as soon as the executor is started."""
    builder.config["Entrypoint"] = [SHIM]
    done = builder.run("build", env={"SOURCE_GET_URL": context()})
    if "unknown flag" not in done.log:
        sys.exit(f"the stand-in did not run:\n{done.log}")
    return done.seconds


def alone(builder: Builder) -> float:
    """Seconds of a container with nothing but the stand-in."""
    builder.config["Entrypoint"] = [EXECUTOR]
    return builder.run("--context=x", env={}).seconds


if __name__ == "__main__":
    main()
