"""Something that happens in a thread of its own while a block of a test runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def alongside(run: Callable[[threading.Event], object]) -> Iterator[None]:
    """Run a function for as long as the block lasts; it has to return soon after the event that it gets is set."""
    over = threading.Event()
    thread = threading.Thread(target=run, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
