"""Build the operator image from Dockerfile.operator, unless the same files were built before.

If no registry is reachable, the test cluster's image of Debian's Python replaces the default base image, and the wheels
that uv.lock pins are fetched here instead of during the build. PYTHON_IMAGE names another base image.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "tests"), str(ROOT / "shim")]

from cluster import images as base_images  # noqa: E402 - lies elsewhere in this tree
from cluster import store  # noqa: E402 - same
from cluster.console import ClusterError, run  # noqa: E402 - same
from image.inputs import registry_reachable  # noqa: E402 - same
from image.names import image_name  # noqa: E402 - same
from image.report import put_into_storage, report  # noqa: E402 - same
from image.tools import Buildah, ToolError, choose_tool  # noqa: E402 - same

LOCAL_BASE = "localhost/imagebuild-python:local"
#: Version of Debian's Python in the local base image.
LOCAL_PYTHON = "3.11"
DOCKERFILE = "Dockerfile.operator"
#: What the Dockerfile copies.
CONTEXT = (
    "README.md",
    "LICENSE",
    "pyproject.toml",
    "uv.lock",
    "crds",
    "operator",
    "shim/kaniko_shim",
    "sdk/imagebuild_dockerignore",
    "sdk/imagebuild_vocabulary",
)


def main() -> None:
    """Print the path of the image's OCI layout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=os.environ.get("CONTAINER_TOOL", ""), help="docker, podman or buildah")
    parser.add_argument("--image", default="", help="the image's name (default: what the chart uses)")
    parser.add_argument("--no-cache", action="store_true", help="build the image even if it is cached")
    parser.add_argument("--print-layout", action="store_true", help="print only the path of the image's OCI layout")
    options = parser.parse_args()
    image = options.image or image_name("operator", os.environ.get("IMAGE_REGISTRY", ""))
    try:
        tool = None if options.print_layout else choose_tool(options.tool)
        layout = operator_image(image, options.tool, cached=not options.no_cache)
        if tool is None:
            print(layout)
            return
        put_into_storage(tool, layout, image)
    except (ClusterError, ToolError) as error:
        raise SystemExit(f"error: {error}") from error
    print(report("operator", image, tool, layout, {}))


def operator_image(image: str, tool_name: str, *, cached: bool) -> Path:
    """Give the folder of the image's OCI layout; build it where its files have changed, or always."""
    given = os.environ.get("PYTHON_IMAGE")
    local = None if given or registry_reachable() else base_images.layout("python")
    ingredients = {str(file.relative_to(ROOT)): file for file in (ROOT / DOCKERFILE, *context_files())}

    def make(folder: Path) -> None:
        tool = choose_tool(tool_name)
        arguments = {"PYTHON_IMAGE": given} if given else {}
        with tempfile.TemporaryDirectory(prefix="operator-image-") as temporary:
            context = Path(temporary)
            copy_context(context)
            if local:
                tool.load(local, LOCAL_BASE)
                if isinstance(tool, Buildah):
                    tool.offline = True
                shutil.copytree(wheelhouse(), context / "wheels")
                arguments |= {"PYTHON_IMAGE": LOCAL_BASE, "WHEELS": "wheels"}
            tool.build(context, ROOT / DOCKERFILE, image, arguments)
        tool.save(image, folder / "layout")

    base = local.name if local else given
    what = "building the operator image"
    folder = store.entry if cached else store.renewed
    return folder("operator", what, [ingredients, base], make) / "layout"


def context_files() -> Iterator[Path]:
    """Give the files that the Dockerfile copies."""
    for name in CONTEXT:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file


def copy_context(target: Path) -> None:
    """Copy what the Dockerfile needs into a build context of its own."""
    for file in context_files():
        copy = target / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)  # times too: they count for the layer cache


def wheelhouse() -> Path:
    """Give a folder with requirements.txt and wheels of all that it pins, and the build backend's."""
    uv = str(ROOT / "build" / "uv")
    tags = [f"manylinux_2_{minor}" for minor in range(36, 16, -1)]  # up to Debian 12's glibc

    def make(folder: Path) -> None:
        requirements = folder / "requirements.txt"
        lock = ["--frozen", "--no-default-groups", "--no-emit-project", "--extra=operator", "--extra=otel"]
        run([uv, "export", "--quiet", f"--project={ROOT}", *lock, f"--output-file={requirements}"])
        pip = [uv, "tool", "run", "--quiet", f"--python={sys.executable}", "pip", "download", "--quiet"]
        pip += ["--only-binary=:all:", f"--python-version={LOCAL_PYTHON}", f"--dest={folder}"]
        pip += [f"--platform={tag}_{platform.machine()}" for tag in (*tags, "manylinux2014")]
        run([*pip, "--require-hashes", f"--requirement={requirements}"])
        run([*pip, "hatchling"])

    return store.entry("operator-wheels", "fetching the operator's wheels", [ROOT / "uv.lock", tags], make)


if __name__ == "__main__":
    main()
