"""The receiver's server: takes webhooks, and tells watchers what was pushed to."""

import json
import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, urlsplit

from kaniko_shim.net.server import (
    BAD_REQUEST,
    BUSY,
    NOT_FOUND,
    OK,
    TOO_LARGE,
    UNAUTHORIZED,
    Answering,
    LimitedServer,
)
from kaniko_shim.webhook.payload import is_authentic, pushed

#: What a watcher asks for; its query has the number of what it knows.
NEWS_PATH: Final = "/news"
#: Seconds that a watcher waits for news before it asks again.
PATIENCE: Final = 25.0
#: Bytes of a webhook: a push of hundreds of commits. What names more is seen when it is looked at as always.
MOST_BYTES: Final = 1024 * 1024
#: Webhooks at once, of which anybody may send one slowly; further ones are told to come back.
AT_ONCE: Final = 64
#: Connections at once: one of each watcher, in the end; and of one address, which may be a node's.
CONNECTIONS: Final = 1024
OF_ONE: Final = 128
#: Webhooks that are remembered for watchers that come back. All their marks fit into an answer.
REMEMBERED: Final = 200


class News:
    """What was pushed to, numbered; watchers wait for more."""

    def __init__(self) -> None:
        #: Differs for each start, so that a number of another one means nothing.
        self._epoch = secrets.token_hex(4)
        self._told = deque[tuple[int, frozenset[str]]](maxlen=REMEMBERED)
        self._number = 0
        self._changed = threading.Condition()

    def add(self, marks: frozenset[str]) -> None:
        """Wake the watchers."""
        with self._changed:
            self._number += 1
            self._told.append((self._number, marks))
            self._changed.notify_all()

    def since(self, known: str, seconds: float) -> tuple[str, frozenset[str]]:
        """What has come since.

        Args:
            known: what this said last; anything else for nothing, which is then told the number only.
            seconds: how long to wait if there is nothing.

        Returns:
            What to ask with next, and the marks of what was pushed to.
        """
        epoch, _, text = known.partition("-")
        with self._changed:
            number = int(text) if epoch == self._epoch and text.isascii() and text.isdigit() else self._number
            self._changed.wait_for(lambda: self._number > number, seconds if known else 0)
            marks = frozenset[str]().union(*(each for at, each in self._told if at > number))
            return f"{self._epoch}-{self._number}", marks


class Receiver(LimitedServer):
    """Listens, and answers each connection."""

    def __init__(self, secret: str, say: Callable[[str], None], address: tuple[str, int]) -> None:
        """Listen.

        Args:
            secret: what those who send webhooks have.
            say: writes a line of the log; from any thread.
            address: host, empty for every one, and port.
        """
        self.secret = secret
        self.say = say
        self.news = News()
        self.free = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, _Connection, CONNECTIONS, OF_ONE)


class _Connection(Answering):
    """One request."""

    server: Receiver
    server_version = "imagebuild-webhook"

    def do_GET(self) -> None:  # noqa: N802 - the name that the library calls
        """Tell a watcher what was pushed to, or say that this lives."""
        parts = urlsplit(self.path)
        if parts.path == NEWS_PATH:
            known = parse_qs(parts.query).get("after", [""])[-1]
            after, marks = self.server.news.since(known, PATIENCE)
            self.answer(OK, json.dumps({"after": after, "marks": sorted(marks)}).encode())
        else:
            self.answer(OK if parts.path == "/healthz" else NOT_FOUND, b"")

    def do_POST(self) -> None:  # noqa: N802 - same
        """Take a webhook; its path means nothing, since some servers want one."""
        length = self.length()
        if length is None:
            self.answer(BAD_REQUEST, b"send a body with its Content-Length")
        elif length > MOST_BYTES:
            self.answer(TOO_LARGE, b"the body is too large")
        elif not self.server.free.acquire(blocking=False):
            self.answer(BUSY, b"too many webhooks at once")
        else:
            try:
                status, answer = self._take(self.rfile.read(length))
            finally:
                self.server.free.release()
            self.answer(status, answer)

    def _take(self, body: bytes) -> tuple[int, bytes]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not is_authentic(headers, body, self.server.secret):
            self.server.say("refused a webhook without the secret")
            return UNAUTHORIZED, b"sign it with the secret, or send the secret"
        try:
            marks = pushed(body)
        except (ValueError, RecursionError):
            return BAD_REQUEST, b"the body is not JSON; choose the content type application/json"
        if marks:
            self.server.news.add(marks)
        # Not which ones: what was sent may have secrets.
        self.server.say(f"a webhook named {len(marks)} repositories")
        return OK, f"{len(marks)} repositories\n".encode()
