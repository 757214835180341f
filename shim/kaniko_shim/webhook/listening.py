"""How a watcher hears of webhooks."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import quote, urlsplit

from kaniko_shim.webhook.receiver import NEWS_PATH, PATIENCE

#: Seconds until the receiver is asked again that did not answer: without it, remotes are looked at as often as always.
PAUSE: Final = 15.0
_MOST_BYTES: Final = 1024 * 1024


def listen(url: str, hear: Callable[[str], None]) -> None:
    """Ask the receiver for news, in a thread that ends with the process.

    Args:
        url: `http://HOST:PORT` of the receiver.
        hear: called with the mark of each repository that was pushed to; from that thread.
    """
    threading.Thread(target=_listen, args=(url, hear), daemon=True).start()


def _listen(url: str, hear: Callable[[str], None]) -> None:
    after = ""
    while True:
        try:
            after, marks = _ask(url, after)
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            time.sleep(PAUSE)
            continue
        for mark in marks:
            hear(mark)


def _ask(url: str, after: str) -> tuple[str, list[str]]:
    parts = urlsplit(url)
    # No proxy: the receiver is in the cluster.
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE * 2)) as connection:
        connection.request("GET", f"{NEWS_PATH}?after={quote(after)}")
        document = json.loads(connection.getresponse().read(_MOST_BYTES))
    return str(document["after"]), [str(mark) for mark in document["marks"]]
