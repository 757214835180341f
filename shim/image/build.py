#!/usr/bin/env python3
"""Builds the builder image with docker, podman or buildah, whichever works: `make image`.

With internet access, its parts are the images that Dockerfile.builder names. If no registry is reachable, the executor
and crane are built from their Go modules, and Python comes from Debian packages; both ways run the same Dockerfile.
EXECUTOR_IMAGE, CRANE_IMAGE and PYTHON_IMAGE replace single parts, also by images of the tool's own storage.
The image is cached as an OCI layout in the user's cache directory under a hash of its inputs.
"""

# ruff: noqa: S603 - it runs the tools on the PATH of whoever makes the image

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from image.inputs import (
    ROOT,
    SOURCES,
    Artefacts,
    drop_wheels,
    fetch_wheels,
    find_artefacts,
    image_parts,
    key_of,
    make_source_images,
    registry_reachable,
    source_parts,
)
from image.tools import Buildah, Tool, choose_tool, layout_size, run, succeeds

IMAGE = "localhost/imagebuild-builder:latest"
DEBIAN_PYTHON = "3.11"


def main() -> None:
    """Read the command line and make the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default=IMAGE, help="the image's name (default: %(default)s)")
    parser.add_argument("--tool", default=os.environ.get("CONTAINER_TOOL", ""), help="docker, podman or buildah")
    parser.add_argument(
        "--from",
        dest="origin",
        choices=("auto", "registries", "packages"),
        default=os.environ.get("IMAGE_PARTS", "auto"),
        help="take the parts from image registries, or make them of Go modules and Debian packages",
    )
    parser.add_argument("--print-layout", action="store_true", help="print only the path of the image's OCI layout")
    options = parser.parse_args()
    begin = time.monotonic()
    layout, made = make(options.image, options.tool, options.origin)
    if options.print_layout:
        print(layout)  # noqa: T201 - what was asked for
        return
    seconds = time.monotonic() - begin
    lines = [
        f"builder image  {options.image}",
        f"OCI layout     {layout}",
        f"size           {layout_size(layout) / 1_000_000:.1f} MB compressed",
        f"made           in {seconds:.1f} s" if made else f"cached         ({seconds:.1f} s)",
    ]
    if start := start_up(layout):
        lines.append(f"start-up       {start * 1000:.0f} ms until the executor's command is known")
    print("\n".join(lines))  # noqa: T201 - the report of `make image`


def make(image: str, tool_name: str, origin: str) -> tuple[Path, bool]:
    """Make the image unless it is cached.

    Returns:
        Its OCI layout, and whether it was made.
    """
    given = {name: os.environ[name] for name in SOURCES if os.environ.get(name)}
    if origin == "auto":
        origin = "registries" if len(given) == len(SOURCES) or registry_reachable() else "packages"
    artefacts = find_artefacts() if origin == "packages" else None
    tool = choose_tool(tool_name) if given else None
    # A name may be given to another image tomorrow; None: not in the tool's storage, it is going to be pulled.
    identities = {name: tool.identify(image) for name, image in given.items()} if tool else {}
    key = key_of(part for parts in (source_parts(), image_parts(given, identities, artefacts)) for part in parts)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imagebuild-operator"
    layout = cache / f"builder-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "builder.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (layout / "index.json").exists():
            return layout, False
        tool = tool or choose_tool(tool_name)
        if isinstance(tool, Buildah):
            tool.offline = artefacts is not None and None not in identities.values()
        _make(image, tool, given, artefacts, layout)
    return layout, True


def _make(image: str, tool: Tool, given: dict[str, str], artefacts: Artefacts | None, layout: Path) -> None:
    arguments = given
    if artefacts:
        arguments = make_source_images(artefacts, tool, given)
        fetch_wheels(DEBIAN_PYTHON)
    try:
        tool.build(ROOT, ROOT / "Dockerfile.builder", image, arguments)
    finally:
        drop_wheels()
    _save(tool, image, layout)


def _save(tool: Tool, image: str, layout: Path) -> None:
    """Write the layout whole or not at all."""
    draft = layout.with_name(f".{layout.name}.{os.getpid()}")
    draft.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(draft, ignore_errors=True)
    tool.save(image, draft)
    if not layout.exists():
        draft.rename(layout)
    shutil.rmtree(draft, ignore_errors=True)


def start_up(layout: Path) -> float | None:
    """Seconds from the shim's start until it knows the executor's command; None where it can't be measured.

    It is measured in a chroot, so without the time that a container runtime takes.
    """
    if os.geteuid() != 0 or not shutil.which("buildah"):
        return None
    image = "localhost/imagebuild-measured:latest"
    Buildah().load(layout, image)
    container = run("buildah", "from", "--pull-never", image).strip()
    try:
        root = run("buildah", "mount", container).strip()
        command = ["chroot", root, "/kaniko/.Shim/bin/kaniko-shim", "--dry-run", "--no-push=true"]
        best = float("inf")
        for _ in range(5):
            begin = time.monotonic()
            subprocess.run(command, check=True, capture_output=True, env={"PATH": os.defpath + ":/usr/sbin"})
            best = min(best, time.monotonic() - begin)
        return best
    finally:
        succeeds("buildah", "rm", container)
        succeeds("buildah", "rmi", image)


if __name__ == "__main__":
    main()
