"""How often the kernel killed a process of this container because it ran out of memory."""

import re
from pathlib import Path

_COUNTERS = (
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
)
_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def oom_kills() -> int:
    """The cgroup's counter; 0 where it can't be read."""
    for path in _COUNTERS:
        try:
            match = _KILLS.search(path.read_text())
        except OSError:
            continue
        if match:
            return int(match[1])
    return 0
