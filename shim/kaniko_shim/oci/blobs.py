"""Blobs in OCI image layouts, which name each one by its digest."""

from collections.abc import Iterable
from pathlib import Path

from kaniko_shim.oci.digests import digest_of


def blob_path(layout: Path, digest: str) -> Path:
    """Where a layout keeps the content with a digest."""
    return layout / "blobs" / "sha256" / digest.partition(":")[2]


def write_layout(directory: Path, index: bytes, contents: Iterable[bytes]) -> None:
    """Write a layout, which is what crane pushes.

    Args:
        directory: where; it need not be there yet.
        index: the content of `index.json`.
        contents: what the layout holds of all that the index leads to.
    """
    (directory / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    for content in contents:
        blob_path(directory, digest_of(content)).write_bytes(content)
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="ascii")
    (directory / "index.json").write_bytes(index)
