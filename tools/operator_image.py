"""Build the operator image from Dockerfile.operator, unless it has been built from the same files before.

PYTHON_IMAGE names another base image. Where the default one can't be reached, the test cluster's image of Debian's
Python takes its place, and wheels are fetched here instead of during the build.
"""

import argparse
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

from cluster import images as base_images  # noqa: E402
from cluster import packages, store  # noqa: E402
from cluster.console import ClusterError, answer, say  # noqa: E402
from cluster.settings import cache  # noqa: E402
from images import engine, wheels  # noqa: E402

DOCKERFILE = ROOT / "Dockerfile.operator"
#: What the Dockerfile copies.
CONTEXT = ("README.md", "LICENSE", "pyproject.toml", "uv.lock", "crds", "operator", "shim/kaniko_shim")
HUB = ("registry-1.docker.io", 443)
#: Version of Debian's Python in the base image that stands in for the default one.
LOCAL_PYTHON = "3.11"


def main() -> int:
    """Print where the image lies as an OCI layout."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--print-layout", action="store_true", help="print the path alone")
    alone = parser.parse_args().print_layout
    try:
        layout = operator_image()
    except ClusterError as error:
        say(f"error: {error}")
        return 1
    if not alone:
        size = sum(file.stat().st_size for file in layout.rglob("*") if file.is_file())
        say(f"operator image: {size / 1e6:.0f} MB compressed, in {layout}")
    answer(str(layout))
    return 0


def operator_image() -> Path:
    """Give the folder of the image's OCI layout; build it where its files have changed."""
    local = needs_local_base()
    if local:
        packages.ensure(["buildah"])
    base = base_images.layout("python") if local else None
    ingredients: dict[str, Any] = {str(file.relative_to(ROOT)): file for file in context_files()}
    ingredients |= {"Dockerfile": DOCKERFILE, "base": base and base.name, "image": os.environ.get("PYTHON_IMAGE")}
    ingredients["engine"] = Path(engine.__file__)

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="operator-image-") as temporary:
            context = Path(temporary)
            copy_context(context)
            arguments = {"PYTHON_IMAGE": os.environ["PYTHON_IMAGE"]} if os.environ.get("PYTHON_IMAGE") else {}
            if base:
                shutil.copytree(wheelhouse(), context / "wheels")
                arguments["WHEELS"] = "wheels"
            layouts = {"PYTHON_IMAGE": base} if base else {}
            image = engine.Build("imagebuild-operator", DOCKERFILE, context, arguments, layouts)
            chosen = "buildah" if base else engine.find_engine()
            engine.build(image, chosen, folder, cache() / "operator-image.log")

    return store.entry("operator-image", "building the operator image", ingredients, make)


def needs_local_base() -> bool:
    """Tell whether neither PYTHON_IMAGE nor Docker Hub gives a base image."""
    if os.environ.get("PYTHON_IMAGE"):
        return False
    try:
        socket.create_connection(HUB, timeout=5).close()
    except OSError:
        return True
    return False


def context_files() -> list[Path]:
    """Give the files that the Dockerfile copies."""
    found: list[Path] = []
    for name in CONTEXT:
        path = ROOT / name
        files = path.rglob("*") if path.is_dir() else [path]
        found += [file for file in files if file.is_file() and "__pycache__" not in file.parts]
    return sorted(found)


def copy_context(target: Path) -> None:
    """Copy what the Dockerfile needs into a build context of its own."""
    for file in context_files():
        copy = target / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)  # times too: they count for the layer cache


def wheelhouse() -> Path:
    """Give a folder with the wheels that the image needs."""

    def make(folder: Path) -> None:
        wheels.download(ROOT, "operator", LOCAL_PYTHON, folder)

    ingredients = [ROOT / "uv.lock", Path(wheels.__file__), LOCAL_PYTHON]
    return store.entry("operator-wheels", "fetching the operator's wheels", ingredients, make)


if __name__ == "__main__":
    sys.exit(main())
