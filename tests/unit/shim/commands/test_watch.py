"""A watcher whose remote is away for an hour, by a clock that the test moves; the Git server is a real one."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from kaniko_shim.commands import watch as module
from kaniko_shim.commands.watch import Watcher
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.request.watch_request import WatchRequest
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.subcommand import Command
from kaniko_shim.webhook.receiver import Receiver
from support.git_server import git, make_repository, serve_git
from support.waiting import until

MINUTE = 60.0


class Remote:
    """A repository that three TrackedImages share.

    Attributes:
        is_up: Whether its server answers.
        asked: How often it was asked.
    """

    def __init__(self, folder: Path) -> None:
        self.repository = folder / "git" / "app.git"
        self.first = make_repository(self.repository, {"Dockerfile": b"FROM scratch\n"})
        self.is_up = True
        self.asked = 0

    def allows(self, _: str) -> bool:
        self.asked += 1
        return self.is_up


class Clock:
    """The watcher's clock, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path)


@pytest.fixture
def url(remote: Remote, tmp_path: Path) -> Iterator[str]:
    with serve_git(tmp_path / "git", remote.allows) as found:
        yield found


def watcher(url: str, folder: Path, **variables: str) -> Watcher:
    names = ("a", "b", "c")
    watched = [{"name": name, "sourceSeconds": 300} for name in names]
    sources = {f"W{number}_SOURCE_GET_URL": f"git+{url}/app.git#main" for number in range(len(names))}
    request = parse_request(Command.WATCH, {"WATCH": json.dumps(watched), **sources, **variables})
    assert isinstance(request, WatchRequest)
    return Watcher(request, Job({}, Paths(scratch=folder), Console(Masker()), LogTail(), Phases(), Warnings()))


def said(capfd: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What was said since the last time."""
    lines = [line for line in capfd.readouterr().out.splitlines() if "watch: " in line]
    return [json.loads(line.partition("watch: ")[2]) for line in lines]


def settle(watcher: Watcher) -> None:
    """Until nothing is asked for any more."""
    end = time.monotonic() + 30
    watcher.step()
    while watcher.is_asking:
        assert time.monotonic() < end
        watcher.step()


def test_a_source_that_is_down_for_an_hour_is_asked_less_often_and_seen_again(
    remote: Remote, url: str, clock: Clock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    looking = watcher(url, tmp_path)
    settle(looking)
    assert [(each["name"], each["commit"]) for each in said(capfd)] == [(name, remote.first) for name in "abc"]
    # One look for all three.
    one_look = remote.asked
    clock.now += 6 * MINUTE
    settle(looking)
    assert remote.asked == 2 * one_look

    remote.is_up = False
    asked = remote.asked
    problems: set[object] = set()
    for _ in range(12):
        clock.now += 5 * MINUTE
        settle(looking)
        told = said(capfd)
        # What is known stays known.
        assert all(each["commit"] == remote.first for each in told)
        problems |= {each["problem"] for each in told if each["problem"]}
    assert len(problems) == 1
    # Every five minutes it would have been twelve times.
    assert 2 <= remote.asked - asked <= 4

    remote.is_up = True
    git(remote.repository, "commit", "--quiet", "--allow-empty", "--message=next")
    second = git(remote.repository, "rev-parse", "HEAD")
    clock.now += 66 * MINUTE
    settle(looking)
    # It may have said the old once more before the answer.
    assert [(each["name"], each["commit"], each["problem"]) for each in said(capfd)[-3:]] == [
        (name, second, "") for name in "abc"
    ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver("secret", lambda _: None, ("127.0.0.1", 0))
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def push(remote: Remote) -> str:
    git(remote.repository, "commit", "--quiet", "--allow-empty", "--message=next")
    return git(remote.repository, "rev-parse", "HEAD")


def send_webhook(receiver: Receiver, url: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", receiver.server_address[1], timeout=30)
    body = json.dumps({"repository": {"clone_url": url}})
    connection.request("POST", "/", body, {"X-Gitlab-Token": "secret"})
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.shows("A66")
def test_what_a_webhook_names_is_looked_at_soon_and_not_more_often_than_every_ten_seconds(
    remote: Remote, url: str, clock: Clock, receiver: Receiver, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    looking = watcher(url, tmp_path, WEBHOOK_URL=f"http://127.0.0.1:{receiver.server_address[1]}")
    settle(looking)
    said(capfd)
    second, asked = push(remote), remote.asked

    def is_heard() -> bool:
        send_webhook(receiver, f"{url}/other.git")
        send_webhook(receiver, f"{url}/app.git")
        return not looking._heard.empty()  # noqa: SLF001 - what another thread has put there

    # Before the watcher listens, nothing is news for it.
    until(is_heard)
    looking.step()
    assert remote.asked == asked
    clock.now += 10
    settle(looking)
    assert [(each["name"], each["commit"]) for each in said(capfd)] == [(name, second) for name in "abc"]
