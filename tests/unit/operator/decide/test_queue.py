from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.queue import NO_LIMITS, Waiting, admit, why
from imagebuild_operator.settings import Limits
from support.builds import after


def build(namespace: str, number: int, *, priority: int = 0, age: int | None = None) -> Waiting:
    name = f"{namespace}-{number}"
    return Waiting(namespace, name, f"uid-{name}", after(number if age is None else -age), priority)


def names(builds: list[Waiting]) -> list[str]:
    return [build.name for build in builds]


def test_the_oldest_is_first_and_the_uid_decides_between_twins():
    assert names(admit([build("a", 2), build("a", 1)], {}, NO_LIMITS)) == ["a-1", "a-2"]
    twins = [build("a", 2, age=5), build("a", 1, age=5)]
    assert names(admit(twins, {}, NO_LIMITS)) == ["a-1", "a-2"]


def test_namespaces_take_turns_and_what_runs_counts():
    waiting = [*(build("a", number) for number in range(4)), build("b", 8), build("b", 9)]
    assert names(admit(waiting, {}, NO_LIMITS)) == ["a-0", "b-8", "a-1", "b-9", "a-2", "a-3"]
    assert names(admit(waiting, {"a": 2}, Limits(cluster=4))) == ["b-8", "b-9"]


def test_priority_goes_before_turns_and_age():
    waiting = [build("a", 1), build("a", 2, priority=5), build("b", 3), build("a", 4, priority=5)]
    assert names(admit(waiting, {}, NO_LIMITS)) == ["a-2", "a-4", "b-3", "a-1"]


def test_limits_hold_for_the_cluster_and_for_each_namespace():
    waiting = [build(namespace, number) for namespace in "abc" for number in range(9)]
    admitted = admit(waiting, {"a": 1}, Limits(cluster=20, namespace=3, namespaces={"b": 5, "c": 0}))
    assert Counter(build.namespace for build in admitted) == {"a": 2, "b": 5, "c": 9}
    assert admit(waiting, {"a": 20}, Limits(cluster=20)) == []
    assert admit(waiting, {"a": 25}, Limits(cluster=20)) == []


def test_a_burst_delays_a_single_build_by_no_more_than_what_runs():
    burst = [build("burst", number) for number in range(2000)]
    single = build("single", 5000)
    assert admit([*burst, single], {"burst": 9}, Limits(cluster=10)) == [single]


def test_why_a_build_waits():
    limits = Limits(cluster=10, namespace=2)
    assert why("a", {"a": 2}, limits).reason is Reason.NAMESPACE_LIMIT
    assert why("a", {"a": 1, "b": 9}, limits).reason is Reason.CLUSTER_LIMIT


WAITING = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-1, 2), st.integers(0, 30)), max_size=60).map(
    lambda made: [build(ns, n, priority=priority, age=age) for n, (ns, priority, age) in enumerate(made)]
)
LIMITS = st.builds(
    Limits,
    cluster=st.integers(0, 12),
    namespace=st.integers(0, 5),
    namespaces=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 6)),
)
RUNNING = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 8))


@given(WAITING, RUNNING, LIMITS)
def test_no_limit_is_ever_exceeded_and_no_place_left_empty(
    waiting: list[Waiting], running: dict[str, int], limits: Limits
):
    admitted = admit(waiting, running, limits)
    assert len(set(admitted)) == len(admitted)
    assert set(admitted) <= set(waiting)
    counts = Counter(running) + Counter(build.namespace for build in admitted)
    if admitted:
        assert not limits.cluster or counts.total() <= limits.cluster
    for build in admitted:
        limit = limits.of(build.namespace)
        assert not limit or counts[build.namespace] <= limit
    is_full = bool(limits.cluster) and counts.total() >= limits.cluster
    for build in set(waiting) - set(admitted):
        limit = limits.of(build.namespace)
        assert is_full or (limit and counts[build.namespace] >= limit)


@given(WAITING, RUNNING, LIMITS)
def test_nobody_is_overtaken_by_a_lower_priority_or_in_its_namespace_by_a_younger(
    waiting: list[Waiting], running: dict[str, int], limits: Limits
):
    admitted = admit(waiting, running, limits)
    left = set(waiting) - set(admitted)
    for early in admitted:
        for late in left:
            if early.namespace == late.namespace:
                assert (-early.priority, early.created, early.uid) < (-late.priority, late.created, late.uid)
    places = {build: place for place, build in enumerate(admit(waiting, running, NO_LIMITS))}
    assert [b.priority for b in sorted(waiting, key=places.__getitem__)] == sorted(
        (b.priority for b in waiting), reverse=True
    )


@given(WAITING, LIMITS)
def test_nobody_starves(waiting: list[Waiting], limits: Limits):
    """However the builds of one round end before the next, each has its turn within as many rounds as builds."""
    left, running = list(waiting), Counter[str]()
    for _ in range(len(waiting)):
        admitted = admit(left, running, limits)
        assert admitted or not left
        left = [build for build in left if build not in set(admitted)]
        running = Counter()
    assert left == []


@given(WAITING, RUNNING)
def test_no_namespace_gets_two_more_than_another_that_still_waits(waiting: list[Waiting], running: dict[str, int]):
    equals = [build(b.namespace, number, age=number) for number, b in enumerate(waiting)]
    limits = Limits(cluster=sum(running.values()) + 7)
    admitted = admit(equals, running, limits)
    counts = Counter(running) + Counter(b.namespace for b in admitted)
    for winner in {b.namespace for b in admitted}:
        for waiter in {b.namespace for b in equals if b not in set(admitted)}:
            assert counts[winner] <= counts[waiter] + 1
