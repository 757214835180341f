"""What a hostile archive may cost: bytes, entries, memory and time."""

import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from kaniko_shim.archives.extract import extract
from kaniko_shim.archives.tree import Tree
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from support.linear import assert_linear
from unit.shim.archives.archives import COMPRESSIONS, member, tar, tar_of, unpack, zip_of


@pytest.mark.shows("A2")
@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_bytes_are_limited_whatever_the_compression(tmp_path: Path, kind: str):
    bomb = COMPRESSIONS[kind](tar_of({"zeros": bytes(5_000_000)}))
    with pytest.raises(JobError) as caught:
        unpack(bomb, tmp_path / "tree", max_bytes=1_000_000)
    assert caught.value.failure.reason is Reason.SOURCE_TOO_LARGE
    assert (tmp_path / "tree/zeros").stat().st_size <= 1_000_000


def test_bytes_of_a_zip_are_counted_as_they_come(tmp_path: Path):
    with pytest.raises(JobError) as caught:
        unpack(zip_of({"zeros": bytes(5_000_000)}), tmp_path / "tree", max_bytes=1_000_000)
    assert caught.value.failure.reason is Reason.SOURCE_TOO_LARGE


@pytest.mark.shows("A2")
def test_entries_are_limited(tmp_path: Path):
    with pytest.raises(JobError) as caught:
        unpack(tar_of({str(number): b"" for number in range(11)}), tmp_path / "tree", max_entries=10)
    assert caught.value.failure.reason is Reason.SOURCE_TOO_LARGE


def test_a_huge_extended_header_is_refused(tmp_path: Path):
    info = member("x")
    info.pax_headers = {"comment": "x" * 2_000_000}
    with pytest.raises(JobError, match="extended header is too long"):
        unpack(tar([(info, b"")]), tmp_path / "tree")


class Repeated:
    """A tar of so many entries that is nowhere in whole."""

    def __init__(self, entries: int) -> None:
        self._header = member("x").tobuf()
        self._left = entries

    def read(self, size: int) -> bytes:
        blocks = min(size // 512, self._left)
        self._left -= blocks
        return self._header * blocks if blocks else b""


def peak(work: Callable[[], object]) -> int:
    """Bytes that Python had in use at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_entries(tmp_path: Path):
    def work() -> None:
        with Tree(tmp_path / "tree", max_bytes=1, max_entries=5000) as tree:
            extract(Repeated(5000), tree, has_digest=True)
        assert tree.entries == 5000

    # Five hundred bytes for each of them would be more.
    assert peak(work) < 1_500_000


@pytest.mark.shows("A2")
@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_memory_does_not_grow_with_a_bomb(tmp_path: Path, kind: str):
    bomb = COMPRESSIONS[kind](tar_of({"zeros": bytes(20_000_000)}))

    def work() -> None:
        with pytest.raises(JobError, match="more than 19000000 bytes"):
            unpack(bomb, tmp_path / "tree", max_bytes=19_000_000)

    # The dictionary of an xz has 8 MB.
    assert peak(work) < 12_000_000


def test_time_grows_linearly_with_the_records_of_an_extended_header(tmp_path: Path):
    def archive(records: int) -> bytes:
        info = member("x")
        info.pax_headers = {f"k{number}": "" for number in range(records)}
        return tar([(info, b"")])

    assert_linear(lambda content: unpack(content, tmp_path / "tree"), archive, 8_000)


def test_time_grows_linearly_with_entries_that_global_records_precede(tmp_path: Path):
    def archive(entries: int) -> bytes:
        header = tarfile.TarInfo.create_pax_global_header({f"k{number}": "" for number in range(100 * entries)})
        return header + tar_of({"x" * (number % 50 + 1): b"" for number in range(entries)})

    assert_linear(lambda content: unpack(content, tmp_path / "tree"), archive, 60)


@pytest.mark.parametrize(
    "header", [b"9" * 5000 + b" a=b\n", b"5 a=\n7 path\n", b"6 a=b\nx", b"8 path=\n8", b"0 =\n", b"5 =bb\n", b"6 a=bb"]
)
def test_a_malformed_extended_header_is_refused(tmp_path: Path, header: bytes):
    info = member("x", tarfile.XHDTYPE)
    with pytest.raises(JobError, match=r"extended header is malformed|missing"):
        unpack(tar([(info, header), (member("x"), b"")]), tmp_path / "tree")
