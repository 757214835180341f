"""How often the kernel killed a process of this container because it ran out of memory."""

import re
from pathlib import Path

_COUNTERS = (
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
)
_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def oom_kills(counters: tuple[Path, ...] = _COUNTERS) -> int | None:
    """The counter of the container's cgroup (v2 or v1); None where it can't be read."""
    for path in counters:
        try:
            match = _KILLS.search(path.read_text())
        except OSError:
            continue
        if match:
            return int(match[1])
    return None
