"""Starts programs on a busy machine."""

import errno
from collections.abc import Callable
from typing import TypeVar

Started = TypeVar("Started")


def start_again(start: Callable[[], Started]) -> Started:
    """Start a program, once more if the kernel could not read its arguments: seen once in thousands of starts."""
    try:
        return start()
    except OSError as error:
        if error.errno != errno.EFAULT:
            raise
        return start()
