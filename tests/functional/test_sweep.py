"""Finished builds are deleted in batches, at a bounded rate."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.worker_thread import use_kubeconfig
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.sweep import Sweeper
from imagebuild_operator.settings import History
from imagebuild_operator.telemetry.prometheus import Metrics
from support.api_proxy import ApiProxy

START = datetime(2026, 11, 25, 8, tzinfo=UTC)


@pytest.mark.shows("F35")
@pytest.mark.parametrize("history", [History(), History(succeeded=0)], ids=["ttl", "history"])
def test_a_namespace_is_swept_in_batches_at_a_bounded_rate(
    kubeconfig: Path, namespace: str, builds: Builds, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("imagebuild_operator.controller.sweep.BATCH", 3)
    ttl = {} if history != History() else {"ttlSecondsAfterFinished": 60}
    bodies = []
    for number in range(7):
        builds.create(spec(**ttl), name=f"old-{number}")
        status = {"phase": "Succeeded", "observedGeneration": 1, "completionTime": "2026-11-24T08:00:00Z"}
        bodies.append(builds.patch_status(status, name=f"old-{number}"))
    now = START

    async def sweep() -> list[float | None]:
        nonlocal now
        cluster = await Cluster.connect(Metrics())
        store = Store(history=history)
        # What holds before: test_no_build_is_deleted_before_the_defaults_and_all_builds_are_known.
        with store.relist():
            pass
        store.end_list("imagebuilds", namespace, 0, set())
        for body in bodies:
            store.put_build(body)
        sweeper = Sweeper(cluster, store, lambda: now)
        waits = [await sweeper.sweep(namespace), await sweeper.sweep(namespace)]
        now += timedelta(seconds=0.1)
        waits.append(await sweeper.sweep(namespace))
        for _ in range(2):
            now += timedelta(seconds=0.2)
            waits.append(await sweeper.sweep(namespace))
        await cluster.close()
        return waits

    with ApiProxy(kubeconfig).running() as proxy:
        use_kubeconfig(monkeypatch, proxy.kubeconfig(tmp_path / "kubeconfig"))
        waits = asyncio.run(sweep())
    deleted = [call.build for call in proxy.writes if call.method == "DELETE"]
    assert len(deleted) == len(set(deleted)) == 7
    # Three deletions take 0.15 s of the rate; the second and third call came before that was over.
    assert waits == [pytest.approx(0.15), pytest.approx(0.15), pytest.approx(0.05), pytest.approx(0.15), None]
    assert not [call for call in proxy.calls if call.is_list]
