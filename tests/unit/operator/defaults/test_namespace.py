"""What the store and the gate make of the defaults of a namespace."""

from typing import Any

import pytest
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.cache.keys import DefaultsKey, Sweep
from imagebuild_operator.cache.store import Store
from imagebuild_operator.decide.gate import Gate
from imagebuild_operator.decide.queue import BEGIN
from imagebuild_operator.settings import History, Limits
from support.builds import a_build, after, body

DONE = {"phase": "Succeeded", "completionTime": "2026-11-24T08:01:00Z"}
BEGUN = {"phase": "Preparing", "podName": "app-eebc00bd"}
SWEPT, STATUS = Sweep("team"), DefaultsKey("team")


def defaults(
    namespace: str = "team",
    uid: str = "one",
    version: str = "7",
    **spec: Any,  # noqa: ANN401 - any field
) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": "default", "uid": uid, "resourceVersion": version}
    return {"metadata": metadata, "spec": spec}


def a_store() -> Store:
    store = Store(history=History(succeeded=5))
    store.put_build(body(name="waits"))
    store.put_build(body(status=BEGUN, name="runs"))
    store.put_build(body(namespace="other", name="elsewhere"))
    return store


def test_a_change_concerns_the_builds_of_the_namespace_that_have_not_begun():
    store = a_store()
    assert store.put_defaults(defaults(timeoutSeconds=5)) == [BuildKey("team", "waits"), STATUS]
    assert store.put_defaults(defaults(timeoutSeconds=5)) == [STATUS]
    assert store.defaults("team").values == {"timeoutSeconds": 5}
    assert store.defaults("other").values == {}


def test_a_list_that_is_late_brings_nothing_back():
    store = a_store()
    with store.relist() as relist:
        store.put_defaults(defaults(version="8", timeoutSeconds=8))
        relist.defaults(defaults(version="7", timeoutSeconds=7))
        store.put_defaults(defaults("other", uid="two"))
        store.drop_defaults(defaults("other", uid="two"))
        relist.defaults(defaults("other", uid="two", timeoutSeconds=5))
    assert store.defaults("team").values == {"timeoutSeconds": 8}
    assert store.defaults("other").values == {}
    with store.relist():
        pass
    assert store.defaults("team").values == {}


def test_defaults_that_have_gone_are_forgotten_but_not_those_made_since():
    store = a_store()
    store.put_defaults(defaults(uid="one", limits={"maxRunning": 1}))
    store.put_defaults(defaults(uid="two", limits={"maxRunning": 2}))
    assert store.drop_defaults(defaults(uid="one")) == []
    assert store.max_running == {"team": 2}
    assert store.drop_defaults(defaults(uid="two")) == [BuildKey("team", "waits")]
    assert store.max_running == {}
    assert store.drop_defaults(defaults(uid="two")) == []


def test_what_finished_builds_are_kept_for_is_looked_at_again_when_it_changes():
    store = a_store()
    store.put_build(body(status=DONE, name="done"))
    store.put_build(body({"ttlSecondsAfterFinished": 5}, DONE, name="own"))
    assert [(build.name, build.ttl) for build in store.finished.of("team")] == [("done", None), ("own", 5)]
    assert SWEPT in store.put_defaults(defaults(history={"failed": 1}))
    assert store.history("team") == History(succeeded=5, failed=1)
    assert store.history("other") == History(succeeded=5)
    assert SWEPT not in store.put_defaults(defaults(history={"failed": 1}, timeoutSeconds=5))
    assert SWEPT in store.put_defaults(defaults(ttlSecondsAfterFinished=60))


def test_without_a_finished_build_there_is_nothing_to_look_at_again():
    store = Store()
    assert store.put_defaults(defaults(history={"failed": 1})) == [STATUS]


@pytest.mark.parametrize(
    ("own", "by_name", "for_all", "expected"),
    [
        (None, None, 3, 3),
        (None, 2, 3, 2),
        (None, 0, 3, 0),
        (5, None, 3, 5),
        (5, 2, 3, 2),
        (1, 2, 3, 1),
        (5, 0, 3, 5),
        (0, None, 3, 0),
        (0, 2, 3, 2),
        (0, 0, 3, 0),
    ],
)
def test_how_many_may_run(own: int | None, by_name: int | None, for_all: int, expected: int):
    limits = Limits(
        namespace=for_all,
        namespaces={} if by_name is None else {"team": by_name},
        defaults={} if own is None else {"team": own},
    )
    assert limits.of("team") == expected
    assert limits.of("other") == for_all


def test_the_gate_knows_the_limits_of_the_moment():
    numbers: dict[str, int] = {}
    gate = Gate(Limits(), numbers)
    first, second = a_build(name="a", uid="a"), a_build(name="b", uid="b", creationTimestamp="2026-11-24T08:00:01Z")
    assert gate.admission(second) == BEGIN
    numbers["team"] = 1
    assert gate.admission(second) is None
    gate.decide([(first, True), (second, False)], after(2))
    admission = gate.admission(second)
    assert admission is not None
    assert admission.reason is Reason.NAMESPACE_LIMIT
    # One that waits for the decision is decided about, although there is no limit any more.
    numbers.clear()
    assert gate.decide([(first, True), (second, False)], after(3)).due == [BuildKey("team", "b")]
    assert gate.admission(second) == BEGIN
