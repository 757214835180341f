from pathlib import Path

from kaniko_shim.engines.buildkit.context import lost_modes


def test_files_whose_bits_are_lost_are_named(tmp_path: Path):
    assert lost_modes(tmp_path) == ""
    for number in range(7):
        file = tmp_path / "bin" / f"tool{number}"
        file.parent.mkdir(exist_ok=True)
        file.touch()
        file.chmod(0o4755 if number % 2 else 0o2755)
    (tmp_path / "plain").touch()
    # Of a directory, they are kept.
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o2775)
    (tmp_path / "link").symlink_to("bin/tool0")
    named = ", ".join(f"bin/tool{number}" for number in range(5))
    assert lost_modes(tmp_path).startswith(f"The set-user-ID and set-group-ID bits of {named}, … of the build context")
