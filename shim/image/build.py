#!/usr/bin/env python3
"""Builds the builder image with docker, podman or buildah, whichever works: `make image`.

With internet access, its parts are the images that Dockerfile.builder names. If no registry is reachable, the executor
and crane are built from their Go modules, and Python comes from Debian packages; both ways run the same Dockerfile.
EXECUTOR_IMAGE, CRANE_IMAGE and PYTHON_IMAGE replace single parts, also by images of the tool's own storage.
The image is cached as an OCI layout in the user's cache directory under a hash of its inputs. In the end, it is in
the storage of the tool too, under the name that the chart uses by default.
"""

# ruff: noqa: S603 - it runs the tools on the PATH of the user who makes the image

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from image.inputs import (
    ROOT,
    Artefacts,
    drop_wheels,
    engine_arguments,
    fetch_wheels,
    find_artefacts,
    image_parts,
    key_of,
    make_source_images,
    registry_reachable,
    source_parts,
    sources_of,
)
from image.names import image_name
from image.report import put_into_storage, report
from image.tools import Buildah, Tool, ToolError, choose_tool, run, succeeds

DEBIAN_PYTHON = "3.11"


def main() -> None:
    """Read the command line and make the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("kaniko", "buildkit"), default="kaniko", help="what builds (kaniko)")
    parser.add_argument("--image", default="", help="the image's name (default: what the chart uses)")
    parser.add_argument("--tool", default=os.environ.get("CONTAINER_TOOL", ""), help="docker, podman or buildah")
    parser.add_argument(
        "--from",
        dest="origin",
        choices=("auto", "registries", "packages"),
        default=os.environ.get("IMAGE_PARTS", "auto"),
        help="take the parts from image registries, or make them of Go modules and Debian packages",
    )
    parser.add_argument("--no-cache", action="store_true", help="build the image even if it is cached")
    parser.add_argument("--print-layout", action="store_true", help="print only the path of the image's OCI layout")
    options = parser.parse_args()
    part = "builder" if options.engine == "kaniko" else "builder-buildkit"
    image = options.image or image_name(part, os.environ.get("IMAGE_REGISTRY", ""))
    begin = time.monotonic()
    try:
        tool = None if options.print_layout else choose_tool(options.tool)
        layout, made = make(options.engine, image, tool, options.tool, options.origin, cached=not options.no_cache)
        if tool is None:
            print(layout)  # noqa: T201 - what was asked for
            return
        loaded = put_into_storage(tool, layout, image)
        start = start_up(tool, image) if isinstance(tool, Buildah) else None
    except ToolError as error:
        raise SystemExit(f"error: {error}") from error
    seconds = time.monotonic() - begin
    facts = {"made": f"in {seconds:.1f} s"} if made else {"cached": f"({'loaded, ' if loaded else ''}{seconds:.1f} s)"}
    if start:
        facts["start-up"] = f"{start * 1000:.0f} ms until the executor's command is known"
    print(report(part, image, tool, layout, facts))  # noqa: T201 - the report of `make image`


def make(engine: str, image: str, tool: Tool | None, tool_name: str, origin: str, *, cached: bool) -> tuple[Path, bool]:
    """Make the image of an engine, unless it is cached and that may be used.

    Returns:
        Its OCI layout, and whether it was made.
    """
    sources = sources_of(engine)
    given = {name: os.environ[name] for name in sources if os.environ.get(name)}
    if origin == "auto":
        origin = "registries" if len(given) == len(sources) or registry_reachable() else "packages"
    artefacts = find_artefacts(engine) if origin == "packages" else None
    if given and not tool:
        tool = choose_tool(tool_name)
    # A name may be given to another image tomorrow; None: not in the tool's storage, it is going to be pulled.
    identities = {name: tool.identify(image) for name, image in given.items() if tool}
    parts = (source_parts(), image_parts(given, identities, artefacts), [engine.encode()])
    key = key_of(chain.from_iterable(parts))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imagebuild-operator"
    layout = cache / f"builder-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "builder.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if cached and (layout / "index.json").exists():
            return layout, False
        tool = tool or choose_tool(tool_name)
        if isinstance(tool, Buildah):
            tool.offline = artefacts is not None and None not in identities.values()
        _make(engine, image, tool, given, artefacts, layout)
    return layout, True


def _make(
    engine: str, image: str, tool: Tool, given: dict[str, str], artefacts: Artefacts | None, layout: Path
) -> None:
    arguments = given
    if artefacts:
        arguments = make_source_images(engine, artefacts, tool, given)
        fetch_wheels(DEBIAN_PYTHON)
    try:
        tool.build(ROOT, ROOT / "Dockerfile.builder", image, engine_arguments(engine, arguments))
    finally:
        drop_wheels()
    _save(tool, image, layout)


def _save(tool: Tool, image: str, layout: Path) -> None:
    """Write the layout whole or not at all."""
    draft = layout.with_name(f".{layout.name}.{os.getpid()}")
    draft.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(draft, ignore_errors=True)
    tool.save(image, draft)
    old = layout.with_name(f".{layout.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if layout.exists():
        layout.rename(old)
    draft.rename(layout)
    shutil.rmtree(old, ignore_errors=True)


def start_up(buildah: Buildah, image: str) -> float | None:
    """Seconds from the shim's start until it knows the executor's command; None where it can't be measured.

    It is measured in a chroot, so without the time that a container runtime takes.
    """
    if os.geteuid() != 0:
        return None
    container = run(buildah.name, "from", "--pull-never", image).strip()
    try:
        root = run(buildah.name, "mount", container).strip()
        command = ["chroot", root, "/kaniko/.Shim/bin/kaniko-shim", "--dry-run", "--no-push=true"]
        best = float("inf")
        for _ in range(5):
            begin = time.monotonic()
            done = subprocess.run(command, check=False, capture_output=True, env={"PATH": os.defpath + ":/usr/sbin"})
            if done.returncode:
                return None
            best = min(best, time.monotonic() - begin)
        return best
    finally:
        succeeds(buildah.name, "rm", container)


if __name__ == "__main__":
    main()
