"""Programs of other projects as images in the test registry, with the files of their Go modules."""

import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from cluster import oci, toolchain
from cluster.artefacts import TOOLS, artefact
from support.registry import Registry

NOBODY = "65532:65532"


def push_programs(registry: Registry, folder: Path, image: str, programs: Mapping[str, str]) -> None:
    """Push an image with nothing but programs at its root, which nobody runs as root.

    Args:
        registry: Where it is put.
        folder: An empty one.
        image: Its name with its tag.
        programs: What the artefacts are called in it, and their names.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, name in programs.items():
            content = artefact(name).read_bytes()
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    archive.seek(0)
    oci.write_layout(folder, archive, {"User": NOBODY})
    registry.push(str(folder), image)


def module_folder(program: str, module: str) -> Path:
    """The folder of a Go module, of the version that a program is built from."""
    pins = TOOLS[program].module
    assert pins
    command: list[str | Path] = [toolchain.go(), "mod", "download", "-json", module]
    asked = subprocess.run(command, cwd=pins, stdout=subprocess.PIPE, check=True)
    return Path(json.loads(asked.stdout)["Dir"])
