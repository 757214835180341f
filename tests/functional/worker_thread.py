"""The leader's work in a thread of the test, without kopf: it sees only what the test hands it, and what it lists."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from functional.operator_process import BUILDER_IMAGE
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.worker import Worker
from imagebuild_operator.settings import BuildDefaults, OperatorSettings
from imagebuild_operator.telemetry.prometheus import Metrics
from prometheus_client import generate_latest
from support.metrics import Samples, read_samples

Json = dict[str, Any]


class WorkerThread:
    """A worker that watches nothing."""

    def __init__(self, namespace: str) -> None:
        self._settings = OperatorSettings(defaults=BuildDefaults(BUILDER_IMAGE), namespaces=(namespace,))
        self._metrics = Metrics()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="worker", daemon=True)
        #: Whether it may write.
        self.is_leader = True

    @contextmanager
    def running(self) -> Iterator["WorkerThread"]:
        self._thread.start()
        cluster = self._await(self._start())
        try:
            yield self
        finally:
            self._await(self._stop(cluster))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def build_seen(self, body: Json) -> None:
        """Hand it an ImageBuild, as its watch would."""
        self._call(
            lambda: self._worker.enqueue(self._store.put_build(body), body["metadata"]["namespace"], body["spec"])
        )

    def pod_seen(self, body: Json) -> None:
        """Hand it a pod, as its watch would."""

        def put() -> None:
            if key := self._store.put_pod(body):
                self._worker.enqueue([key], key.namespace)

        self._call(put)

    def metrics(self) -> Samples:
        return read_samples(generate_latest(self._metrics.registry).decode())

    async def _start(self) -> Cluster:
        cluster = await Cluster.connect(self._metrics)
        cluster.session.may_write = lambda: self.is_leader
        self._store = Store()
        self._worker = Worker(cluster, self._store, self._settings, self._metrics, lambda *_: None)
        self._worker.start()
        return cluster

    async def _stop(self, cluster: Cluster) -> None:
        await self._worker.stop()
        await cluster.close()

    def _call(self, function: Callable[[], None]) -> None:
        async def call() -> None:
            function()

        self._await(call())

    def _await(self, coroutine: Any) -> Any:  # noqa: ANN401 - any coroutine, and what it returns
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)


def use_kubeconfig(monkeypatch: pytest.MonkeyPatch, kubeconfig: Path) -> None:
    """Let the client library use a kubeconfig: it has read KUBECONFIG when it was imported."""
    monkeypatch.setattr("kubernetes.aio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
