"""What `sign` and `webhook` share: they serve until a signal ends them."""

import threading
from collections.abc import Callable

from kaniko_shim.net.server import LimitedServer
from kaniko_shim.outcome.result import Result
from kaniko_shim.system.job import Job


def serve(job: Job, port: int, listen: Callable[[Callable[[str], None]], LimitedServer]) -> Result:
    """Answer connections; only a signal ends it.

    Args:
        job: the job.
        port: where it listens, for the log.
        listen: makes the server; gets what writes a line of the log, from any thread.
    """
    lock = threading.Lock()

    def say(text: str) -> None:
        with lock:
            job.say(text)

    server = listen(say)
    say(f"listening on port {port}")
    server.serve_forever()
    raise AssertionError("only an exception ends it")
