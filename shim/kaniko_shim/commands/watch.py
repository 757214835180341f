"""`watch`: look at branches and base images again and again, and say in the log what they are.

Each remote is asked once, however many need it. Whoever reads the log gets all of it again every few minutes, so that
its end is enough.
"""

import json
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from dulwich.client import HTTPUnauthorized
from dulwich.errors import GitProtocolError, NotGitRepository

from kaniko_shim.log.masking import mask_url
from kaniko_shim.net.ca_bundle import trust
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.result import Result
from kaniko_shim.registry.image_digests import Tagged, look_up
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registry_api import RegistryApi
from kaniko_shim.request.variables.watch_variables import SHORTEST_INTERVAL
from kaniko_shim.request.watch_request import WatchedItem, WatchRequest
from kaniko_shim.sources.git.failures import final_failure
from kaniko_shim.sources.git.objects import Access, find_commit
from kaniko_shim.sources.git.paths import look_at_paths
from kaniko_shim.sources.git.remotes import parse_remote
from kaniko_shim.sources.kinds import GitSource
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.system.job import Job
from kaniko_shim.webhook.listening import listen
from kaniko_shim.webhook.payload import mark_of_image, mark_of_repository

REPEAT = 240.0
"""Seconds after which everything is said again."""

AT_ONCE = 8
"""Remotes that are asked at once."""

LONGEST_PAUSE = 3600.0
"""Seconds between two looks at a remote that fails, at most; unless it is looked at less often when it works."""

_SHORT = 16
"""Hexadecimal digits of a digest that are said: there may be twenty to an image."""


@dataclass(slots=True, eq=False)
class _Remote:
    """A remote, and what is known of it.

    Attributes:
        look: asks it; gets what it answered before.
        interval: seconds between two looks.
        due: when it is asked next, as `time.monotonic` counts.
        found: what it answered last.
        at: when, RFC 3339.
        problem: why it did not answer since; empty if it did.
        failures: how often it did not, one after the other.
        is_asked: whether it is being asked.
        asked: when it was asked last.
        is_named: whether a webhook has named it since.
    """

    look: Callable[[object], object] = field(repr=False)
    interval: float
    due: float = 0.0
    found: object = None
    at: str = ""
    problem: str = ""
    failures: int = 0
    is_asked: bool = False
    asked: float = -SHORTEST_INTERVAL
    is_named: bool = False

    @property
    def next(self) -> float:
        """When it is asked next: soon, if a webhook has named it."""
        return min(self.due, self.asked + SHORTEST_INTERVAL) if self.is_named else self.due

    def ask(self, now: float) -> None:
        """Take note that it is asked."""
        self.is_asked, self.is_named, self.asked = True, False, now

    def answered(self, found: object, problem: str, now: float) -> None:
        """Take note of an answer."""
        self.is_asked = False
        self.problem = problem
        if problem:
            # An error costs the server as much as an answer, and a user less.
            self.failures += 1
            pause = min(self.interval * 2 ** min(self.failures, 10), max(self.interval, LONGEST_PAUSE))
        else:
            self.found, self.failures = found, 0
            self.at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            pause = self.interval
        # Those that were added together would else be asked together for ever.
        self.due = now + pause * random.uniform(0.9, 1.1)  # noqa: S311 - no secret


def watch(request: WatchRequest, job: Job) -> Result:
    """Run the sub-command; only a signal ends it."""
    watcher = Watcher(request, job)
    while True:
        watcher.step()


class Watcher:
    """Asks the remotes, and says what they answer."""

    def __init__(self, request: WatchRequest, job: Job) -> None:
        self._job = job
        self._remotes = dict[object, _Remote]()
        #: The remotes that a webhook can name, by their mark, and the marks that were named.
        self._marked = dict[str, list[_Remote]]()
        self._heard = queue.SimpleQueue[str]()
        self._items = [(item, *self._remotes_of(number, item)) for number, item in enumerate(request.items)]
        self._answers = queue.SimpleQueue[tuple[_Remote, object, str]]()
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._said = dict[str, dict[str, object]]()
        self._repeat = time.monotonic() + REPEAT
        if request.webhook_url:
            listen(request.webhook_url, self._heard.put)

    def step(self) -> None:
        """Ask what is due, wait for the next answer or until something is due, and say what has changed."""
        now = time.monotonic()
        while not self._heard.empty():
            for remote in self._marked.get(self._heard.get(), ()):
                remote.is_named = True
        for remote in self._remotes.values():
            if remote.next <= now and not remote.is_asked:
                remote.ask(now)
                threading.Thread(target=self._ask, args=(remote,), daemon=True).start()
        due = [remote.next for remote in self._remotes.values() if not remote.is_asked]
        try:
            # Not for ever: a signal would not be handled.
            answer = self._answers.get(timeout=max(0.05, min([1.0, self._repeat - now, *(d - now for d in due)])))
        except queue.Empty:
            pass
        else:
            remote, found, problem = answer
            remote.answered(found, problem, time.monotonic())
        if time.monotonic() >= self._repeat:
            self._repeat = time.monotonic() + REPEAT
            self._said.clear()
        self._say()

    @property
    def is_asking(self) -> bool:
        """Whether a remote has yet to answer."""
        return any(remote.is_asked for remote in self._remotes.values())

    def _ask(self, remote: _Remote) -> None:
        with self._free:
            try:
                self._answers.put((remote, remote.look(remote.found), ""))
            except Exception as error:  # noqa: BLE001 - whatever a server sends, it is asked again
                text = error.failure.message if isinstance(error, JobError) else mask_url(str(error))
                self._answers.put((remote, None, text or type(error).__name__))

    def _say(self) -> None:
        for item, source, images in self._items:
            remotes = [*([source] if source else []), *images.values()]
            if any(not remote.at and not remote.problem for remote in remotes):
                continue
            report = _report(item, source, images)
            # The time alone is no news.
            known = {**report, "at": ""}
            if self._said.get(item.watching.name) != known:
                self._said[item.watching.name] = known
                self._job.say(f"watch: {json.dumps(report, ensure_ascii=False)}")

    def _remotes_of(self, number: int, item: WatchedItem) -> tuple[_Remote | None, Mapping[str, _Remote]]:
        job = self._job
        source = None
        if item.source:
            environment = trust(item.source.ca_bundle, job.environment, job.paths.scratch / f"source-ca-{number}")
            look = _look_at_source(item.source, item.watching.paths, environment, job)
            source = self._remote((_key(item.source), item.watching.paths), look, item.watching.source or REPEAT)
            self._mark(mark_of_repository(_where(item.source).url), source)
        environment = trust(item.registries.ca_bundle, job.environment, job.paths.scratch / f"registry-ca-{number}")
        api = RegistryApi(item.registries, Logins.of(item.docker_config, job), environment)
        credentials = sorted(item.docker_config.secrets()) if item.docker_config else ()
        images = {
            image.familiar: self._remote(
                (image, item.registries, tuple(credentials)), _look_at_image(image, api), item.watching.image_seconds
            )
            for image in item.images
        }
        for image in item.images:
            self._mark(mark_of_image(image.name), images[image.familiar])
        return source, images

    def _mark(self, mark: str, remote: _Remote) -> None:
        remotes = self._marked.setdefault(mark, [])
        if remote not in remotes:
            remotes.append(remote)

    def _remote(self, key: object, look: Callable[[object], object], interval: float) -> _Remote:
        remote = self._remotes.setdefault(key, _Remote(look, interval))
        remote.interval = min(remote.interval, interval)
        return remote


def _key(source: SourceRequest) -> object:
    where = source.source
    secret = f"{source.username}\n{source.password}\n{source.ssh.private_key}\n{source.ca_bundle}"
    return (where.url, where.ref, sha256(secret.encode()).digest()) if isinstance(where, GitSource) else where


def _where(source: SourceRequest) -> GitSource:
    if not isinstance(source.source, GitSource):
        raise TypeError("only Git repositories are watched")
    return source.source


@dataclass(frozen=True, slots=True)
class _Source:
    """A commit, and the hash of what counts in it; empty if all does."""

    commit: str
    tree: str = ""


def _look_at_source(
    source: SourceRequest, paths: tuple[str, ...], environment: Mapping[str, str], job: Job
) -> Callable[[object], object]:
    where = _where(source)
    remote = parse_remote(where.url)
    username, password = source.username or remote.username, source.password or remote.password
    access = Access(remote.origin, username, password, source.ssh, environment, job.say)

    def look(known: object) -> _Source:
        try:
            commit = find_commit(remote, where.ref, access)
            if not paths:
                return _Source(commit)
            if isinstance(known, _Source) and known.commit == commit:
                return known
            return _Source(*look_at_paths(remote, where.ref, access, paths))
        except NotGitRepository as error:
            raise OSError(f"There is no Git repository at {remote.shown}.") from error
        except (GitProtocolError, HTTPUnauthorized, OSError, EOFError) as error:
            raise final_failure(error, remote) or error from error

    return look


def _look_at_image(image: ImageReference, api: RegistryApi) -> Callable[[object], object]:
    return lambda known: look_up(image, api, known if isinstance(known, Tagged) else None)


def _report(item: WatchedItem, source: _Remote | None, images: Mapping[str, _Remote]) -> dict[str, object]:
    remotes = [*([source] if source else []), *images.values()]
    problems = dict.fromkeys(remote.problem for remote in remotes if remote.problem)
    return {
        "name": item.watching.name,
        "commit": source.found.commit if source and isinstance(source.found, _Source) else None,
        "tree": source.found.tree if source and isinstance(source.found, _Source) else "",
        "images": {name: list(_short(remote.found)) for name, remote in images.items() if remote.found},
        "at": min((remote.at for remote in remotes if remote.at), default=""),
        "problem": " ".join(problems)[:500],
    }


def _short(found: object) -> Iterator[str]:
    if isinstance(found, Tagged):
        yield from dict.fromkeys(digest.partition(":")[2][:_SHORT] for digest in found.manifests)
