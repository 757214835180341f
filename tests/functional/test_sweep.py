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
FIELDS = "status.phase!=Failed,status.phase!=Cancelled"


@pytest.mark.shows("F35")
@pytest.mark.parametrize("history", [History(), History(succeeded=0)], ids=["ttl", "history"])
def test_a_namespace_is_swept_in_batches_at_a_bounded_rate(
    kubeconfig: Path, namespace: str, builds: Builds, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("imagebuild_operator.controller.sweep.BATCH", 3)
    ttl = {} if history != History() else {"ttlSecondsAfterFinished": 60}
    for number in range(7):
        builds.create(spec(**ttl), name=f"old-{number}")
        builds.patch_status({"phase": "Succeeded", "completionTime": "2026-11-24T08:00:00Z"}, name=f"old-{number}")
    now = START

    async def sweep() -> list[float | None]:
        nonlocal now
        cluster = await Cluster.connect(Metrics())
        store = Store(history=history)
        # What holds before the defaults are known: test_no_build_is_deleted_before_the_defaults_are_known.
        store.is_complete = True
        sweeper = Sweeper(cluster, store, FIELDS, lambda: now)
        store.finished.unlist(namespace)
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
    # Not listed again for each batch.
    assert len([call for call in proxy.calls if call.is_list]) <= 2
