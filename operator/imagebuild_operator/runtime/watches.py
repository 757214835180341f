"""The progress of kopf's watches, for the probes and metrics; kopf itself does not expose it.

kopf's requests go through a session of the operator, which traces each. A live watch receives bytes: events, and on a
quiet cluster a bookmark each minute.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Final

import aiohttp

from imagebuild_operator.api.names import CLUSTER_DEFAULTS_PLURAL, DEFAULTS_PLURAL, GROUP, PLURAL, VERSION
from imagebuild_operator.client.authentication import Authentication
from imagebuild_operator.runtime.watch_errors import WatchErrors
from imagebuild_operator.telemetry.prometheus import Metrics

#: Where each watched resource is, in all namespaces and in one.
ROOTS: Final[Mapping[str, str]] = {
    PLURAL: f"/apis/{GROUP}/{VERSION}",
    DEFAULTS_PLURAL: f"/apis/{GROUP}/{VERSION}",
    "pods": "/api/v1",
}
#: What a cluster may lack; kopf then does not watch it.
OPTIONAL: Final = frozenset({DEFAULTS_PLURAL, CLUSTER_DEFAULTS_PLURAL})


class Watches:
    """The progress of each watch."""

    def __init__(
        self,
        namespaces: Sequence[str],
        metrics: Metrics,
        authentication: Authentication,
        silence: float = 90.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Expect the watches of these namespaces, or one of each resource for all of them.

        Args:
            namespaces: The namespaces; empty for all.
            metrics: Counts and times each request.
            authentication: Takes note of the status of each answer.
            silence: Seconds without a byte after which kopf starts a watch again.
            clock: Seconds that never go back.
        """
        self._errors = WatchErrors(silence)
        self._metrics = metrics
        self._authentication = authentication
        self._clock = clock
        self._resources = {
            f"{root}{f'/namespaces/{namespace}' if namespace else ''}/{resource}": resource
            for resource, root in ROOTS.items()
            for namespace in namespaces or ("",)
        }
        if not namespaces:
            self._resources[f"/apis/{GROUP}/{VERSION}/{CLUSTER_DEFAULTS_PLURAL}"] = CLUSTER_DEFAULTS_PLURAL
        self._progress = dict.fromkeys(self._resources, clock())
        self._streams: dict[str, tuple[aiohttp.ClientResponse, int]] = {}
        self._listed: set[str] = set()

    @property
    def have_listed(self) -> bool:
        """Whether the first list of each required resource is complete."""
        needed = {path for path, resource in self._resources.items() if resource not in OPTIONAL}
        return needed <= self._listed

    def ages(self) -> dict[str, float]:
        """Seconds since the watch of each resource received anything; of several watches, the one most behind."""
        for path, (response, known) in self._streams.items():
            received = response.content.total_bytes
            if received > known:
                self._progress[path], self._streams[path] = self._clock(), (response, received)
        now = self._clock()
        ages: dict[str, float] = {}
        for path, resource in self._resources.items():
            if resource not in OPTIONAL or path in self._listed:
                ages[resource] = max(ages.get(resource, 0.0), now - self._progress[path])
        return ages

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
            is_ok = request.response.status == 200  # noqa: PLR2004 - OK
            await self._errors.check(call.path, request.response, is_watch=call.verb == "watch")
            if is_ok and call.verb == "watch":
                self.ages()
                self._streams[call.path] = (request.response, 0)
            elif is_ok:
                self._progress[call.path] = self._clock()

        async def failed(_: object, call: SimpleNamespace, __: object) -> None:
            if getattr(call, "is_counted", False):
                return  # It was answered, and its error is one that kopf is to see.
            self._metrics.count_request(call.verb, None, self._clock() - call.since)

        tracing.on_request_start.append(start)
        tracing.on_request_end.append(end)
        tracing.on_request_exception.append(failed)
        return tracing
