import os
from pathlib import Path

from kaniko_shim.system.container.disk import has_no_room, is_full

MEGA = 1024 * 1024


def system(size: int, free: int, inodes: int = 0, free_inodes: int = 0) -> os.statvfs_result:
    """A file system with blocks of 1 MiB; sizes are in MiB."""
    return os.statvfs_result((MEGA, MEGA, size, free, free, inodes, free_inodes, free_inodes, 0, 255))


def test_a_disk_is_full_when_next_to_nothing_is_left():
    assert has_no_room(system(24, 0))
    assert not has_no_room(system(24, 2))
    assert has_no_room(system(100_000, 50))
    assert not has_no_room(system(100_000, 70))


def test_a_disk_is_full_without_inodes():
    assert has_no_room(system(1000, 900, 100, 0))
    assert not has_no_room(system(1000, 900, 100, 1))


def test_a_place_that_does_not_exist_is_not_full(tmp_path: Path):
    assert not is_full((tmp_path / "nothing",))
