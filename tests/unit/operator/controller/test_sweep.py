"""Finished builds are deleted only by limits that are known."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from imagebuild_operator.cache.store import Store
from imagebuild_operator.controller.sweep import INCOMPLETE_RETRY, Sweeper
from imagebuild_operator.settings import History

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


class NoCluster:
    """Fails if anything is asked of it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever is asked for
        raise AssertionError(name)


def finished(number: int) -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "team",
            "name": f"b{number}",
            "uid": f"u{number}",
            "resourceVersion": str(number + 1),
            "creationTimestamp": "2026-11-24T07:00:00Z",
        },
        "spec": {},
        "status": {"phase": "Succeeded", "completionTime": f"2026-11-24T08:00:0{number}Z"},
    }


@pytest.mark.shows("F39")
def test_no_build_is_deleted_before_the_defaults_and_all_builds_are_known():
    store = Store(history=History(1, 1))
    for number in range(5):
        store.put_build(finished(number))
    assert store.finished.namespaces() == ("team",)
    sweeper = Sweeper(NoCluster(), store, lambda: NOW)  # type: ignore[arg-type] # it is not asked
    assert asyncio.run(sweeper.sweep("team")) == INCOMPLETE_RETRY
    # The defaults of the namespace keep all: known with the first complete list.
    with store.relist() as listed:
        for number in range(5):
            listed.build(finished(number))
        listed.defaults(
            {
                "metadata": {
                    "name": "default",
                    "namespace": "team",
                    "uid": "d",
                    "resourceVersion": "9",
                    "generation": 1,
                },
                "spec": {"history": {"succeeded": 10, "failed": 10}},
            }
        )
    assert not store.has_all_builds("team")
    assert asyncio.run(sweeper.sweep("team")) == INCOMPLETE_RETRY
    # All builds are known with the list that the watch begins with.
    store.end_list("imagebuilds", "", 9, {f"u{number}" for number in range(5)})
    assert store.has_all_builds("team")
    assert store.history("team") == History(10, 10)
    assert asyncio.run(sweeper.sweep("team")) is None
