"""The archive and the manifest by which krew installs the plugin.

The client of Kubernetes needs compiled modules, which differ by platform and by version of Python. So the archive has
no packages: it has a program that runs the plugin of its version from PyPI by uv, or else by pipx.
"""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import yaml

from release.tree import REPOSITORY, ROOT

NAME = "imagebuild"
_PROGRAM = """\
#!/bin/sh
# Runs kubectl-imagebuild VERSION from PyPI. The first call downloads it; later ones use the cache of uv or pipx.
set -eu
if command -v uv >/dev/null 2>&1; then
  exec uv tool run --quiet --from kubectl-imagebuild==VERSION kubectl-imagebuild "$@"
elif command -v pipx >/dev/null 2>&1; then
  exec pipx run --spec kubectl-imagebuild==VERSION kubectl-imagebuild "$@"
fi
echo "error: kubectl imagebuild needs uv (https://docs.astral.sh/uv/) or pipx on PATH" >&2
exit 127
"""
_DESCRIPTION = """\
Builds container images inside the cluster, from a directory of your machine,
from Git or from a file, with the ImageBuild operator: sends the directory,
shows the steps live, and ends with the digest of the image or the reason of
the failure.
"""
_CAVEATS = """\
The plugin needs uv or pipx on PATH, and downloads its Python packages from
PyPI when it is called first. The cluster needs the ImageBuild operator; check
it with: kubectl imagebuild doctor
"""


def archive(folder: Path, version: str) -> Path:
    """Write the archive; the same version makes the same bytes.

    Args:
        folder: Where to.
        version: The version of the plugin.

    Returns:
        Its path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"kubectl-imagebuild-{version}.tar.gz"
    program = _PROGRAM.replace("VERSION", version).encode()
    files = (("LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644), ("kubectl-imagebuild", program, 0o755))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:") as tar:
        for name, content, mode in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    path.write_bytes(_gzipped(packed.getvalue()))
    return path


def manifest(folder: Path, version: str) -> Path:
    """Write the manifest for an archive in the same folder.

    Args:
        folder: Where the archive is.
        version: The version of the plugin.

    Returns:
        The path of the manifest.
    """
    packed = folder / f"kubectl-imagebuild-{version}.tar.gz"
    systems = {"matchExpressions": [{"key": "os", "operator": "In", "values": ["linux", "darwin"]}]}
    document = {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": NAME},
        "spec": {
            "version": f"v{version}",
            "homepage": REPOSITORY,
            "shortDescription": "Build container images in the cluster",
            "description": _DESCRIPTION,
            "caveats": _CAVEATS,
            "platforms": [
                {
                    "selector": systems,
                    "uri": f"{REPOSITORY}/releases/download/v{version}/{packed.name}",
                    "sha256": hashlib.sha256(packed.read_bytes()).hexdigest(),
                    "bin": "kubectl-imagebuild",
                }
            ],
        },
    }
    path = folder / f"{NAME}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _gzipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as zipped:
        zipped.write(content)
    return stream.getvalue()
