"""Waiting for what can only be asked for, not watched."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(ask: Callable[[], Found], timeout: float = 30) -> Found:
    """Ask again and again until the answer is true; the answer.

    Raises:
        AssertionError: it was not within `timeout` seconds; the message holds the last answer.
    """
    end = time.monotonic() + timeout
    while not (found := ask()):
        assert time.monotonic() < end, f"not within {timeout} s; the last answer was {found!r}"
        time.sleep(0.05)
    return found
