"""Write SBOMs of both images as CycloneDX documents: `make sbom`.

Python distributions come from uv.lock by cyclonedx-py, Go modules from the programs in the image by cyclonedx-gomod,
Debian packages from the list in the image's base. Each document is checked against the schema before it is written.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from image_files import image_digest, package_owners, read_image
from sbom_parts import JSON, debian_components, merged

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

from cluster import images as base_images  # noqa: E402 - lies elsewhere in this tree
from cluster import toolchain  # noqa: E402 - same
from cluster.artefacts import HELPERS, artefact  # noqa: E402 - same

SPEC_VERSION = SchemaVersion.V1_6
STATUS = "var/lib/dpkg/status"
#: The extras of pyproject.toml that each image installs.
EXTRAS = {"operator": ("operator", "otel"), "builder": ("shim",)}
LAYOUTS = {"operator": "tools/operator_image.py", "builder": "shim/image/build.py"}
SHIM = PurePosixPath("kaniko/.Shim")
GO_PROGRAMS: dict[str, tuple[str, ...]] = {
    "operator": (),
    "builder": ("kaniko/executor", f"{SHIM}/bin/crane", *(f"{SHIM}/credential-helpers/{name}" for name in HELPERS)),
}


def main() -> None:
    """Write the documents and print their paths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "sbom", help="folder (default: build/sbom)")
    parser.add_argument("--layout", action="append", default=[], help="IMAGE=PATH: an OCI layout made before")
    options = parser.parse_args()
    given = dict(pair.split("=", 1) for pair in options.layout)
    options.output.mkdir(parents=True, exist_ok=True)
    for image in EXTRAS:
        document = describe(image, Path(given[image]) if image in given else layout(image))
        check(document)
        path = options.output / f"{image}.cdx.json"
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print(f"{path}: {len(document['components'])} components")


def describe(image: str, folder: Path) -> JSON:
    """The SBOM of one image."""
    programs = GO_PROGRAMS[image]
    wanted = {STATUS, *programs}
    names, files = read_image(folder, wanted)
    parts = [python_part(EXTRAS[image])]
    with tempfile.TemporaryDirectory(prefix="imagebuild-sbom-") as temporary:
        for name in programs:
            program = Path(temporary, PurePosixPath(name).name)
            program.write_bytes(files[name])
            parts.append(go_part(program))
    debian = debian_of(image, names, files)
    return merged(f"imagebuild-{image}", image_digest(folder), parts, debian)


def debian_of(image: str, names: Iterable[str], files: dict[str, bytes]) -> list[JSON]:
    """The Debian packages in an image; of the builder those whose libraries were copied out of its base."""
    if STATUS in files:
        return debian_components(files[STATUS].decode())
    if os.environ.get("PYTHON_IMAGE"):
        print(f"{image}: the Debian packages that PYTHON_IMAGE gave libraries from are not told", file=sys.stderr)
        return []
    base = base_images.layout("python")
    _, base_files = read_image(base, {STATUS, "var/lib/dpkg/info/*.list"})
    copied = {PurePosixPath(name) for name in names if PurePosixPath(name).is_relative_to(SHIM)}
    libraries = {path.name for path in copied if ".so" in path.name}
    interpreter = {f"/usr/bin/{path.name}" for path in copied if path.parent == SHIM / "lib"}
    owners = package_owners(base_files, libraries | interpreter | {"/usr/sbin/update-ca-certificates"})
    return debian_components(base_files[STATUS].decode(), owners)


def python_part(extras: Sequence[str]) -> JSON:
    """The distributions that uv.lock pins for some extras of ours."""
    export = [
        "build/uv",
        "export",
        "--quiet",
        "--frozen",
        "--no-default-groups",
        "--no-emit-project",
        "--no-header",
        "--no-hashes",
    ]
    pinned = _run([*export, "--no-annotate", *(f"--extra={extra}" for extra in extras)])
    convert = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", "--validate"]
    return _document(_run([*convert, f"--sv={SPEC_VERSION.to_version()}", "-"], pinned))


def go_part(program: Path) -> JSON:
    """The modules that a Go program says it was built from."""
    command = [str(artefact("cyclonedx-gomod")), "bin", "-json", "-std", "-noserial", "-output-version"]
    path = f"{toolchain.go().parent}{os.pathsep}{os.environ['PATH']}"
    return _document(
        _run([*command, SPEC_VERSION.to_version(), str(program)], environment={**os.environ, "PATH": path})
    )


def check(document: JSON) -> None:
    """Validate a document against CycloneDX's schema.

    Raises:
        SystemExit: it is not valid; the message says where.
    """
    error = JsonStrictValidator(SPEC_VERSION).validate_str(json.dumps(document))
    if error:
        raise SystemExit(f"not a valid CycloneDX {SPEC_VERSION.to_version()} document: {error}")


def layout(image: str) -> Path:
    """The OCI layout of an image, which is made where it is missing."""
    return Path(_run([sys.executable, LAYOUTS[image], "--print-layout"]).strip().splitlines()[-1])


def _document(text: str) -> JSON:
    document: JSON = json.loads(text)
    return document


def _run(command: Sequence[str], given: str = "", environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=given, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    main()
