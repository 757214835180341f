"""The receiver of webhooks, over loopback."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from kaniko_shim.webhook import receiver as module
from kaniko_shim.webhook.listening import _MOST_BYTES
from kaniko_shim.webhook.payload import MOST, mark_of_repository, pushed
from kaniko_shim.webhook.receiver import AT_ONCE, MOST_BYTES, REMEMBERED, News, Receiver

SECRET = "correct horse"
URL = "https://git.example.com/team/web"
BODY = json.dumps({"repository": {"clone_url": f"{URL}.git"}}).encode()
MARK = mark_of_repository(URL)


class Serving:
    """A receiver that runs, and what it has said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.receiver = Receiver(SECRET, self.said.append, ("127.0.0.1", 0))
        self.port = int(self.receiver.server_address[1])
        threading.Thread(target=self.receiver.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        status, content = answer.status, answer.read()
        connection.close()
        return status, content

    def news(self, after: str = "") -> tuple[str, list[str]]:
        status, content = self.ask("GET", f"/news?after={after}")
        assert status == 200
        document = json.loads(content)
        return document["after"], document["marks"]


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    monkeypatch.setattr(module, "PATIENCE", 5.0)
    made = Serving()
    yield made
    made.receiver.shutdown()
    made.receiver.server_close()


def test_a_watcher_hears_of_what_was_pushed_after_it_had_asked(serving: Serving):
    assert serving.ask("POST", "/", BODY, x_gitlab_token=SECRET) == (200, b"1 repositories\n")
    # It looks at everything when it begins, so nothing from before is news.
    after, marks = serving.news()
    assert marks == []
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(serving.news, after)
        assert serving.ask("POST", "/any/path", BODY, X_GitLab_Token=SECRET)[0] == 200
        after, marks = waiting.result(timeout=30)
    assert marks == [MARK]
    assert serving.said == ["a webhook named 1 repositories"] * 2


def test_a_watcher_that_was_away_hears_of_it_and_one_of_an_earlier_receiver_begins_anew():
    news = News()
    after, _ = news.since("", 0)
    news.add(frozenset({"a"}))
    news.add(frozenset({"b"}))
    again, marks = news.since(after, 0)
    assert marks == {"a", "b"}
    assert news.since(again, 0.01) == (again, frozenset())
    for strange in ("00000000-0", after.partition("-")[0], "x", f"{after.partition('-')[0]}-²"):
        assert news.since(strange, 0.01)[1] == frozenset()


@pytest.mark.shows("A66")
def test_however_much_webhooks_name_an_answer_fits_a_watcher(serving: Serving):
    after, _ = serving.news()
    for number in range(REMEMBERED + 10):
        urls = [{"clone_url": f"{URL}/{number}/{each}"} for each in range(2 * MOST)]
        serving.receiver.news.add(pushed(json.dumps({"repository": urls}).encode()))
    status, content = serving.ask("GET", f"/news?after={after}")
    assert (status, len(json.loads(content)["marks"])) == (200, REMEMBERED * MOST)
    assert len(content) < _MOST_BYTES


@pytest.mark.shows("A66")
def test_without_the_secret_nothing_is_taken(serving: Serving):
    after, _ = serving.news()
    for headers in ({}, {"x_gitlab_token": "wrong"}, {"x_hub_signature_256": "sha256=00"}):
        assert serving.ask("POST", "/", BODY, **headers)[0] == 401
    assert serving.receiver.news.since(after, 0.01)[1] == frozenset()
    assert SECRET not in " ".join(serving.said)


@pytest.mark.shows("A66")
def test_what_is_too_large_or_not_json_is_refused(serving: Serving):
    assert serving.ask("POST", "/", b"payload=1", x_gitlab_token=SECRET)[0] == 400
    assert serving.ask("POST", "/", b"[" * 100_000, x_gitlab_token=SECRET)[0] == 400
    assert serving.ask("POST", "/", b"", Content_Length=str(MOST_BYTES + 1), x_gitlab_token=SECRET)[0] == 413
    assert serving.ask("POST", "/", Content_Length="-1", x_gitlab_token=SECRET)[0] == 400
    assert serving.ask("GET", "/other")[0] == 404
    assert serving.ask("PUT", "/", b"")[0] == 501
    assert serving.ask("GET", "/healthz") == (200, b"")


@pytest.mark.shows("A66")
def test_who_sends_slowly_keeps_no_watcher_waiting(serving: Serving):
    after, _ = serving.news()
    slow = [socket.create_connection(("127.0.0.1", serving.port), timeout=30) for _ in range(AT_ONCE)]
    for connection in slow:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
    while serving.ask("POST", "/", BODY, x_gitlab_token=SECRET)[0] != 503:
        pass
    assert serving.ask("GET", "/healthz")[0] == 200
    for connection in slow:
        connection.close()
    while serving.ask("POST", "/", BODY, x_gitlab_token=SECRET)[0] != 200:
        pass
    assert serving.news(after)[1] == [MARK]
