from pathlib import Path

from kaniko_shim.system.container.memory import oom_kills

V2 = "low 0\nhigh 0\nmax 31\noom 2\noom_kill 2\noom_group_kill 0\n"
V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"


def test_the_counter_of_either_version_of_cgroups_is_read(tmp_path: Path):
    v2, v1, neither = (tmp_path / name for name in ("memory.events", "memory.oom_control", "nothing"))
    v2.write_text(V2)
    v1.write_text(V1)
    assert oom_kills((v2, neither)) == 2
    assert oom_kills((neither, v1)) == 3
    # Older kernels do not count.
    v1.write_text("oom_kill_disable 0\nunder_oom 0\n")
    assert oom_kills((neither, v1)) is None
