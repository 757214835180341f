import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from kaniko_shim.system.private_directory import make_private

SHIM = Path(__file__).parents[4] / "shim"


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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_what_is_read_only_stays_as_it_is(tmp_path: Path):
    (tmp_path / "run/docker").mkdir(parents=True)
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(SHIM)!r})\n"
        "from pathlib import Path\n"
        "from kaniko_shim.system.private_directory import make_private\n"
        f"make_private(Path({str(tmp_path / 'run')!r}))\n"
    )
    script = f'mount --bind {tmp_path}/run {tmp_path}/run && mount -o remount,ro,bind {tmp_path}/run && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, "-c", code]
    subprocess.run(command, check=True, timeout=60)
    assert mode(tmp_path / "run") == 0o755
