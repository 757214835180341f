"""The progress of kopf's watches, for the probes and metrics; kopf itself does not expose it.

kopf's requests go through a session of the operator, which traces each. A live watch receives bytes: events, and on a
quiet cluster a bookmark each minute.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Final

import aiohttp
from imagebuild_vocabulary.names import (
    CLUSTER_DEFAULTS_PLURAL,
    DEFAULTS_PLURAL,
    GROUP,
    PLURAL,
    PODS,
    TRACKED_PLURAL,
    VERSION,
)

from imagebuild_operator.client.authentication import Authentication
from imagebuild_operator.runtime.watched_objects import OK, Receiver, Watched, WatchedObjects
from imagebuild_operator.telemetry.health import GRANT
from imagebuild_operator.telemetry.prometheus import Metrics

_logger: Final = logging.getLogger(__name__)

FORBIDDEN: Final = 403

#: Where each watched resource is, in all namespaces and in one.
ROOTS: Final[Mapping[str, str]] = {
    PLURAL: f"/apis/{GROUP}/{VERSION}",
    DEFAULTS_PLURAL: f"/apis/{GROUP}/{VERSION}",
    TRACKED_PLURAL: f"/apis/{GROUP}/{VERSION}",
    PODS: "/api/v1",
}
#: What a cluster may lack; kopf then does not watch it.
OPTIONAL: Final = frozenset({DEFAULTS_PLURAL, CLUSTER_DEFAULTS_PLURAL, TRACKED_PLURAL})


class Watches:
    """The progress of each watch."""

    def __init__(
        self,
        namespaces: Sequence[str],
        receiver: Receiver,
        metrics: Metrics,
        authentication: Authentication,
        silence: float = 90.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Expect the watches of these namespaces, or one of each resource for all of them.

        Args:
            namespaces: The namespaces; empty for all.
            receiver: Receives what is listed and watched.
            metrics: Counts and times each request.
            authentication: Takes note of the status of each answer.
            silence: Seconds without a byte after which kopf starts a watch again.
            clock: Seconds that never go back.
        """
        self._metrics = metrics
        self._authentication = authentication
        self._clock = clock
        self._resources = {
            f"{root}{f'/namespaces/{namespace}' if namespace else ''}/{resource}": Watched(resource, namespace)
            for resource, root in ROOTS.items()
            for namespace in namespaces or ("",)
        }
        if not namespaces:
            self._resources[f"/apis/{GROUP}/{VERSION}/{CLUSTER_DEFAULTS_PLURAL}"] = Watched(CLUSTER_DEFAULTS_PLURAL, "")
        self._objects = WatchedObjects(self._resources, receiver, silence)
        self._progress = dict.fromkeys(self._resources, clock())
        self._streams: dict[str, tuple[aiohttp.ClientResponse, int]] = {}
        #: What was listed as a whole, and what in part.
        self._listed: set[str] = set()
        self._begun: set[str] = set()
        self._denied: set[str] = set()

    @property
    def denied(self) -> list[str]:
        """The paths of required resources that the operator lacks permission to list or watch."""
        return sorted(path for path in self._denied if self._resources[path].plural not in OPTIONAL)

    @property
    def have_listed(self) -> bool:
        """Whether the first list of pods is complete, and that of ImageBuilds has begun; it may be long."""
        needed = {path: watched for path, watched in self._resources.items() if watched.plural not in OPTIONAL}
        return all(path in (self._begun if each.plural == PLURAL else self._listed) for path, each in needed.items())

    def ages(self) -> dict[str, float]:
        """Seconds since the watch of each resource received anything; of several watches, the one most behind."""
        for path, (response, known) in self._streams.items():
            received = response.content.total_bytes
            if received > known:
                self._progress[path], self._streams[path] = self._clock(), (response, received)
        now = self._clock()
        ages: dict[str, float] = {}
        for path, watched in self._resources.items():
            if watched.plural not in OPTIONAL or path in self._listed:
                ages[watched.plural] = max(ages.get(watched.plural, 0.0), now - self._progress[path])
        return ages

    def _permit(self, path: str, *, is_denied: bool) -> None:
        """Take note of whether the operator may list and watch a path; log a change to the worse."""
        if is_denied and path not in self._denied and self._resources[path].plural not in OPTIONAL:
            _logger.error("The API server denies the operator %s (403); retrying. %s", path, GRANT)
        (self._denied.add if is_denied else self._denied.discard)(path)

    def tracing(self) -> aiohttp.TraceConfig:
        """The hooks that trace the requests of a session."""
        tracing = aiohttp.TraceConfig()

        async def start(_: object, call: SimpleNamespace, request: aiohttp.TraceRequestStartParams) -> None:
            is_watch = request.url.query.get("watch") == "true"
            call.path = request.url.path
            call.verb = "watch" if is_watch else "list" if call.path in self._resources else request.method.lower()
            call.since = self._clock()
            if is_watch and call.path in self._resources:
                # It begins where the list has ended.
                self._listed.add(call.path)

        async def end(
            session: aiohttp.ClientSession, call: SimpleNamespace, request: aiohttp.TraceRequestEndParams
        ) -> None:
            if session.closed:
                # Answered while kopf gave the session up for a new login. To read it would be a RuntimeError, which
                # ends the operator; where it is closed, that is a lost connection, and kopf asks again.
                request.response.close()
            self._metrics.count_request(call.verb, request.response.status, self._clock() - call.since)
            self._authentication.answered(request.response.status, f"{call.verb} {call.path}")
            call.is_counted = True
            if call.path not in self._resources:
                return
            is_ok = request.response.status == OK
            self._permit(call.path, is_denied=request.response.status == FORBIDDEN)
            await self._objects.check(call.path, request.response, is_watch=call.verb == "watch")
            if is_ok and call.verb == "watch":
                self.ages()
                self._streams[call.path] = (request.response, 0)
            elif is_ok:
                self._progress[call.path] = self._clock()
                self._begun.add(call.path)

        async def failed(_: object, call: SimpleNamespace, __: object) -> None:
            if getattr(call, "is_counted", False):
                return  # It was answered, and its error is one that kopf is to see.
            self._metrics.count_request(call.verb, None, self._clock() - call.since)

        tracing.on_request_start.append(start)
        tracing.on_request_end.append(end)
        tracing.on_request_exception.append(failed)
        return tracing
