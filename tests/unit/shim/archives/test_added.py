import io
import tarfile
from pathlib import Path

import pytest
from backports import zstd
from kaniko_shim.archives.added import Added, Lost, added_as, decompress, lost_of
from kaniko_shim.outcome.errors import JobError
from unit.shim.archives.archives import COMPRESSIONS, tar_of, xz_alone, zip_of

TAR = tar_of({"a": b"1", "b": b"2" * 100_000})
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", Added.FILE),
        (b"text", Added.FILE),
        (bytes(10_240), Added.FILE),
        (zip_of({"a": b"1"}), Added.FILE),
        (xz_alone(TAR), Added.FILE),
        (TAR, Added.ARCHIVE),
        (COMPRESSIONS["gz"](TAR), Added.ARCHIVE),
        (COMPRESSIONS["gz"](TAR)[:1000], Added.ARCHIVE),
        (COMPRESSIONS["bz2"](TAR), Added.ARCHIVE),
        (COMPRESSIONS["xz"](TAR), Added.DECOMPRESSED),
        (COMPRESSIONS["zst"](TAR), Added.DECOMPRESSED),
        (SKIPPABLE + zstd.compress(TAR), Added.DECOMPRESSED),
        *((COMPRESSIONS[kind](b""), Added.MISTAKEN) for kind in ("gz", "bz2", "xz", "zst")),
        *((COMPRESSIONS[kind](b"x"), Added.MISTAKEN) for kind in ("gz", "bz2", "xz", "zst")),
        (b"\x1f\x8b\x08 not gzip", Added.MISTAKEN),
        (b"BZh", Added.MISTAKEN),
    ],
)  # fmt: skip
def test_the_content_decides_what_add_does(tmp_path: Path, content: bytes, expected: Added):
    (tmp_path / "file").write_bytes(content)
    assert added_as(tmp_path / "file") is expected


@pytest.mark.parametrize("kind", ["xz", "zst"])
def test_an_archive_is_decompressed(tmp_path: Path, kind: str):
    (tmp_path / "file").write_bytes(COMPRESSIONS[kind](TAR))
    decompress(tmp_path / "file", tmp_path / "tar")
    assert (tmp_path / "tar").read_bytes() == TAR


def test_a_damaged_archive_is_refused(tmp_path: Path):
    (tmp_path / "file").write_bytes(COMPRESSIONS["xz"](TAR)[:-20])
    with pytest.raises(JobError, match="damaged"):
        decompress(tmp_path / "file", tmp_path / "tar")


# As setcap cap_net_bind_service+ep writes it: bytes that are no text.
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000").decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("kind", "user", "records", "lost"),
    [
        (tarfile.REGTYPE, 0, {}, Lost()),
        (tarfile.REGTYPE, 1000, {"SCHILY.xattr.user.note": "x"}, Lost()),
        (tarfile.REGTYPE, 0, {"SCHILY.xattr.security.capability": CAPABILITY}, Lost(capabilities=True)),
        (tarfile.SYMTYPE, 0, {}, Lost()),
        (tarfile.SYMTYPE, 1000, {}, Lost(owners=True)),
        (tarfile.FIFOTYPE, 0, {}, Lost(pipes=True)),
    ],
)
def test_what_is_lost_of_an_archive_is_known_from_its_headers(
    tmp_path: Path, kind: bytes, user: int, records: dict[str, str], lost: Lost
):
    with tarfile.open(tmp_path / "archive.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for name, header in (("first", {}), ("it", records), ("last", {})):
            entry = tarfile.TarInfo(name)
            if name == "it":
                entry.type, entry.uid, entry.linkname = kind, user, "first" if kind == tarfile.SYMTYPE else ""
            entry.pax_headers = header
            archive.addfile(entry, io.BytesIO())
    assert lost_of(tmp_path / "archive.tar") == lost
