"""What every unit test of the shim leaves as it was."""

import signal
from collections.abc import Iterator

import pytest
from kaniko_shim.system.processes.signals import STOPPING


@pytest.fixture(autouse=True)
def stopping_signals() -> Iterator[None]:
    """A job that has ended ignores signals; the process of the tests goes on."""
    before = {number: signal.getsignal(number) for number in STOPPING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
