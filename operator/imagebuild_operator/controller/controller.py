"""Connects the watches with the work: what they show goes to the cache and, in the leader, to the work queue."""

import secrets
import socket
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from imagebuild_vocabulary.names import PLURAL, PODS, TRACKED_KIND, TRACKED_PLURAL

from imagebuild_operator.cache.keys import TrackedKey
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.authentication import Authentication
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.worker import Worker
from imagebuild_operator.leader.leader import Leadership
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.telemetry.counts import queued_and_running, tracked_images
from imagebuild_operator.telemetry.metrics import (
    DEFAULTS_UNREADABLE,
    LEADER,
    WORK_QUEUE_DEPTH,
    WORK_QUEUE_LONGEST,
    Observation,
)
from imagebuild_operator.telemetry.otlp import Send
from imagebuild_operator.telemetry.prometheus import Metrics
from imagebuild_operator.telemetry.recorder import status_recorder


class Controller:
    """The operator without its framework.

    With a Lease, it is a standby until it holds the Lease: it keeps its cache up to date, and writes nothing.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        metrics: Metrics,
        authentication: Authentication,
        send: Send | None = None,
    ) -> None:
        self._settings = settings
        self._authentication = authentication
        self._metrics = metrics
        self._written = status_recorder(metrics, send)
        self._store = Store(settings.keep_pods, settings.history)
        self._cluster: Cluster | None = None
        self._leadership: Leadership | None = None
        self._worker: Worker | None = None
        metrics.sample(self._sample)

    async def start(self) -> None:
        """Connect, and start the work at once or, with a Lease, when this operator becomes the leader."""
        cluster = self._cluster = await Cluster.connect(self._metrics, self._settings.selector)
        cluster.session.answered = self._authentication.answered
        if self._settings.lease is None:
            self._begin(cluster)
            return
        identity = f"{socket.gethostname()}_{secrets.token_hex(4)}"
        self._leadership = Leadership(cluster, self._settings.lease, identity, partial(self._begin, cluster), self._end)
        cluster.session.may_write = lambda: self._leadership is not None and self._leadership.is_leader
        self._leadership.start()

    async def stop(self) -> None:
        """Stop at once, and release the Lease; the next start continues where things stand."""
        if self._leadership is not None:
            await self._leadership.stop()
        await self._end()
        if self._cluster is not None:
            await self._cluster.close()

    @property
    def has_started(self) -> bool:
        """Whether it works, or is a standby."""
        return self._worker is not None or self._leadership is not None

    @property
    def has_unreadable_defaults(self) -> bool:
        """Whether the API server refuses to list some ImageBuildDefaults, so that builds wait."""
        return self._store.has_unreadable_defaults

    @property
    def stuck(self) -> float:
        """Seconds for which the work queue has made no progress."""
        return self._worker.queue.stuck if self._worker else 0.0

    @property
    def unreached_lease(self) -> float:
        """Seconds by which the Lease could not be read or renewed for longer than it lasts; 0 if it could."""
        return self._leadership.unreached if self._leadership else 0.0

    @property
    def election_failure(self) -> BaseException | None:
        """The unexpected exception that ended its part in the election."""
        return self._leadership.failure if self._leadership else None

    async def api_answers(self) -> bool:
        """Whether the API server answers a list of ImageBuilds."""
        return self._cluster is not None and await self._cluster.builds.can_list((*self._settings.namespaces, "")[0])

    def seen(self, plural: str, kind: str, body: Mapping[str, Any]) -> None:
        """Handle an event of a watch.

        Args:
            plural: The resource's name.
            kind: ADDED, MODIFIED or DELETED.
            body: The object.
        """
        handlers = {PLURAL: self.build_seen, PODS: self.pod_seen, TRACKED_PLURAL: self.tracked_seen}
        handle = handlers.get(plural, self.defaults_seen)
        handle(body, is_gone=kind == "DELETED")

    def list_begins(self, plural: str, namespace: str) -> None:
        """Handle the beginning of a list with which a watch begins, at first or after it had expired."""
        self._store.begin_list(plural, namespace)

    def list_ends(self, plural: str, namespace: str, version: int, uids: set[str]) -> None:
        """Handle its end: what it lacks was deleted, which the watch will not show."""
        keys = self._store.end_list(plural, namespace, version, uids)
        if keys and self._worker is not None:
            self._worker.lost(keys)

    def build_seen(self, body: Mapping[str, Any], *, is_gone: bool) -> None:
        """Handle an event of the watch of ImageBuilds."""
        keys = self._store.remove_build(body) if is_gone else self._store.put_build(body)
        if self._worker is not None:
            namespace = body["metadata"]["namespace"]
            self._worker.enqueue(keys, namespace, body.get("spec") or {})
            for owner in body["metadata"].get("ownerReferences") or ():
                if owner["kind"] == TRACKED_KIND:
                    self._worker.enqueue([TrackedKey(namespace, owner["name"])], namespace)

    def defaults_seen(self, body: Mapping[str, Any], *, is_gone: bool) -> None:
        """Handle an event of a watch of ImageBuildDefaults or ClusterImageBuildDefaults."""
        keys = self._store.drop_defaults(body) if is_gone else self._store.put_defaults(body)
        if keys and self._worker is not None:
            namespace = body["metadata"].get("namespace", "")
            self._worker.enqueue(keys, namespace, {})
            self._worker.retry_soon(namespace)

    def tracked_seen(self, body: Mapping[str, Any], *, is_gone: bool) -> None:
        """Handle an event of the watch of TrackedImages."""
        keys = self._store.tracked.remove(body) if is_gone else self._store.tracked.put(body)
        if self._worker is not None:
            self._worker.enqueue(keys, body["metadata"]["namespace"])

    def pod_seen(self, body: Mapping[str, Any], *, is_gone: bool) -> None:
        """Handle an event of the watch of build pods."""
        key = self._store.remove_pod(body) if is_gone else self._store.put_pod(body)
        if self._worker is None:
            return
        namespace = body["metadata"]["namespace"]
        if key is not None:
            self._worker.enqueue([key], namespace)
        if is_gone or (body.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
            self._worker.retry_soon(namespace)

    def _begin(self, cluster: Cluster) -> None:
        self._worker = Worker(cluster, self._store, self._settings, self._metrics, self._written)
        self._worker.start()

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop()

    def _sample(self) -> Iterator[tuple[Observation, str]]:
        """The values of the gauges; a standby has none except that it is not the leader."""
        yield Observation(LEADER, (), float(self._worker is not None)), ""
        if self._worker is None:
            return
        yield from queued_and_running(self._store.unfinished())
        yield from tracked_images(self._store.tracked.all())
        yield Observation(DEFAULTS_UNREADABLE, (), float(self._store.has_unreadable_defaults)), ""
        yield Observation(WORK_QUEUE_DEPTH, (), self._worker.queue.depth), ""
        yield Observation(WORK_QUEUE_LONGEST, (), self._worker.queue.longest), ""
