"""The Python packages of a release, built by uv and uploaded to PyPI."""

from collections.abc import Iterator
from pathlib import Path

from release.errors import ReleaseError
from release.programs import run
from release.tree import ROOT

PACKAGES = ("imagebuild", "imagebuild-rules", "kubectl-imagebuild")
"""What users install from PyPI, each after those that it needs. The operator and the shim are in images only."""

_UV = ROOT / "build" / "uv"


def build(folder: Path) -> list[Path]:
    """Build the sdist and the wheel of each package into an empty folder.

    Raises:
        ReleaseError: the folder has files, or uv fails.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ReleaseError(f"{folder} has files already. Remove it: all that is in it would be published.")
    for name in PACKAGES:
        run(_UV, "build", "--quiet", f"--project={ROOT}", f"--package={name}", f"--out-dir={folder}")
    # uv ignores the folder for Git.
    (folder / ".gitignore").unlink(missing_ok=True)
    return sorted(folder.iterdir())


def publish(folder: Path) -> Iterator[str]:
    """Upload them to PyPI with the identity of the workflow (trusted publishing); files that are there already stay.

    Yields:
        The name of each file.

    Raises:
        ReleaseError: PyPI refuses them.
    """
    files = sorted([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])
    attestations = sorted(folder.glob("*.publish.attestation"))
    if len(attestations) != len(files):
        raise ReleaseError(
            f"{folder} has {len(files)} packages and {len(attestations)} attestations. Sign all of them."
        )
    run(_UV, "publish", "--trusted-publishing=always", "--check-url=https://pypi.org/simple/", *files)
    yield from (file.name for file in files)
