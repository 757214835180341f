import stat
from pathlib import Path

from kaniko_shim.system.private_directory import make_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_directory_is_made(tmp_path: Path):
    make_private(tmp_path / "a/run")
    assert mode(tmp_path / "a/run") == 0o1700


def test_what_exists_is_closed_to_others(tmp_path: Path):
    (tmp_path / "run/docker").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run/file").touch()
    (tmp_path / "run/link").symlink_to(tmp_path / "elsewhere")
    for path in ("run", "run/docker", "elsewhere"):
        (tmp_path / path).chmod(0o777)
    make_private(tmp_path / "run")
    assert [mode(tmp_path / path) for path in ("run", "run/docker", "elsewhere")] == [0o1700, 0o700, 0o777]
