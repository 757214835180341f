"""Starts programs on a busy machine."""

import errno
import subprocess
import time
from typing import Any, Final

_ATTEMPTS: Final = 5
# What execve(2) and fork(2) answer for reasons of the moment, whatever the program and its arguments are. Seen: EFAULT,
# once in tens of thousands of starts, in suites with many threads.
_OF_THE_MOMENT: Final = frozenset({errno.EFAULT, errno.EAGAIN, errno.ENOMEM, errno.ETXTBSY})


class Program(subprocess.Popen[Any]):
    """A process that is started again where the kernel could not do it at that moment."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - what subprocess.Popen takes
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                super().__init__(*arguments, **options)
            except OSError as error:
                if error.errno not in _OF_THE_MOMENT or attempt == _ATTEMPTS:
                    raise
                time.sleep(0.02)
            else:
                break


def start_programs_again() -> None:
    """Let all that starts programs in this process use `Program`: subprocess.run, asyncio and pytest's plugins too."""
    subprocess.Popen = Program  # type: ignore[misc]
