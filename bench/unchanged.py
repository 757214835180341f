"""How long a build takes when nothing has changed: both engines, beside BuildKit, and kaniko without its feature flags.

Needs root and the test cluster's registry (`make cluster-up image buildkit-image`):

    REGISTRY_ADDRESS=10.244.0.1:5000 .venv/bin/python bench/unchanged.py [--quick]

Two stages on a base image of 382 MB, all of whose layers are in the cache. Each way has a cache of its own, which the
first build fills. BuildKit has a new daemon for each build, as a build pod is new, and its cache in the same registry;
the start of the daemon does not count, that of the container does.
"""

import os
import subprocess
import sys
import tempfile
import time
import uuid
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shim")]

from kaniko_shim.engines.kaniko.executor.feature_flags import TABLE  # noqa: E402
from measure.report import Report, options  # noqa: E402
from measure.samples import alternately  # noqa: E402
from standalone.container import Builder, builder_layout  # noqa: E402
from truth.buildkit import running  # noqa: E402

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
    """Measure and report."""
    told = options(__doc__)
    plain, fast, kit = "without feature flags", "builder image", "BuildKit, new daemon"
    ours = "builder image with BuildKit"
    report = Report("unchanged", "bench/unchanged.py", dict.fromkeys(("first build", "unchanged build"), kit))
    registry = os.environ.get("REGISTRY_ADDRESS", "10.244.0.1:5000")
    layout = builder_layout()
    with tempfile.TemporaryDirectory() as directory:
        builder = Builder.unpack(layout, Path(directory))
        report.context["executor"] = builder.abilities.name
        source = Path(directory) / "source"
        source.mkdir()
        Path(directory, "buildkit").mkdir()
        (source / "Dockerfile").write_text(DOCKERFILE)
        (source / "requirements.txt").write_text("flask\n")
        (source / "app.py").write_text("print('hello')\n")
        ways = {fast: environment(registry, {}), plain: environment(registry, WITHOUT)}
        if told.quick:
            del ways[plain]
        cases = {name: partial(build, builder, source, way) for name, way in ways.items()}
        buildkit = Builder.unpack(builder_layout("buildkit"), Path(directory, "buildkit"))
        cases[ours] = partial(build, buildkit, source, environment(registry, {}))
        cases[kit] = partial(build_with_buildkit, source, registry, uuid.uuid4().hex[:12])
        report.add("first build", alternately(cases, 1, warmup=0))
        report.add("unchanged build", alternately(cases, 1 if told.quick else 5, warmup=0))
        builder.remove()
        buildkit.remove()
    report.finish(told)


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


def build_with_buildkit(source: Path, registry: str, own: str) -> float:
    """Seconds of a build by a daemon that knows nothing, with a cache in the registry."""
    cache = f"type=registry,ref={registry}/bench/kit-cache-{own}:1,oci-mediatypes=true"
    image = f"type=image,name={registry}/bench/kit-{own}:1,push=true,oci-mediatypes=true"
    with running(registry) as kit:
        command: list[str | Path] = [kit.client, "--addr", f"unix://{kit.socket}", "build", "--progress=plain"]
        command += ["--frontend=dockerfile.v0", f"--local=context={source}", f"--local=dockerfile={source}"]
        command += [f"--import-cache={cache}", f"--export-cache={cache},mode=max", f"--output={image}"]
        begin = time.monotonic()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return time.monotonic() - begin if done.returncode == 0 else sys.exit(done.stderr)


if __name__ == "__main__":
    main()
