"""The gate where the API server refuses pods."""

from datetime import datetime
from itertools import pairwise

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.gate import Gate
from imagebuild_operator.decide.queue import BEGIN, NO_QUOTA
from imagebuild_operator.decide.retry import MAX_DELAY
from imagebuild_operator.settings import Limits
from support.builds import after
from unit.operator.decide.test_gate import builds

NO_ROOM = Reason.QUOTA_EXCEEDED


class Namespace:
    """A namespace with a quota that has room for some pods, below an operator without limits."""

    def __init__(self, waiting: list[ImageBuild], room: int = 0) -> None:
        self.gate = Gate(Limits())
        self.waiting = waiting
        self.begun: list[ImageBuild] = []
        self.room = room
        #: When the creation of a pod was tried, and of which build.
        self.tried: list[tuple[float, str]] = []

    def pass_time(self, seconds: int) -> None:
        """Let every build that may begin try to, once a second."""
        for second in range(int(self._now), int(self._now) + seconds):
            self._now = second
            moment = after(second)
            for build in list(self.waiting):
                if self.gate.admission(build) == BEGIN:
                    self._try(build, moment)
            self.gate.decide([*((b, False) for b in self.waiting), *((b, True) for b in self.begun)], moment)
        self._now += 1

    _now = 0.0

    def _try(self, build: ImageBuild, moment: datetime) -> None:
        self.tried.append((self._now, build.name))
        if self.room:
            self.room -= 1
            self.waiting.remove(build)
            self.begun.append(build)
        else:
            self.gate.refused(build, NO_ROOM, moment)

    def end_a_pod(self) -> None:
        self.begun.pop()
        self.room += 1
        self.gate.probe_soon("team", after(self._now))


def test_a_full_quota_costs_the_same_however_many_builds_wait_for_it():
    tries: list[int] = []
    for count in (5, 200):
        namespace = Namespace(builds(count))
        namespace.pass_time(3600)
        # The first second is that in which nothing is known of the quota.
        tries.append(sum(1 for second, _ in namespace.tried if second > 0))
    few, many = tries
    assert few < 5 * (3600 / (0.75 * MAX_DELAY) + 6)
    assert many <= 3600 / (0.75 * 10)


def test_one_build_is_refused_ever_less_often():
    namespace = Namespace(builds(1))
    namespace.pass_time(3600)
    seconds = [second for second, _ in namespace.tried]
    waits = [later - earlier for earlier, later in pairwise(seconds)]
    assert 7 <= waits[0] <= 14
    assert waits[-1] >= 0.75 * MAX_DELAY
    assert len(seconds) < 20


def test_every_build_has_its_try_so_that_a_large_one_does_not_keep_the_small_ones_out():
    namespace = Namespace(builds(10))
    namespace.pass_time(200)
    assert {name for _, name in namespace.tried} == {f"b{number}" for number in range(10)}


def test_room_is_filled_as_soon_as_a_pod_ends():
    namespace = Namespace(builds(8), room=2)
    namespace.pass_time(60)
    assert len(namespace.begun) == 2
    for left in (5, 4, 3):
        namespace.pass_time(300)
        namespace.end_a_pod()
        namespace.pass_time(3)
        assert len(namespace.waiting) == left


def test_all_begin_one_after_the_other_where_the_quota_is_raised():
    namespace = Namespace(builds(20))
    namespace.pass_time(5)
    namespace.room = 20
    namespace.pass_time(60)
    assert namespace.waiting == []
    # Nobody waits for it any more, so that the next one begins at once.
    namespace.pass_time(1)
    assert namespace.gate.admission(builds(21)[-1]) == BEGIN


def test_only_the_namespace_is_held_and_its_builds_are_told_why():
    gate = Gate(Limits())
    first, second = builds(2)
    other = builds(1, "other")[0]
    gate.refused(first, NO_ROOM, after(0))
    decision = gate.decide([(build, False) for build in (first, second)], after(0))
    assert (gate.admission(other), gate.concerns("other", {})) == (BEGIN, False)
    told = gate.admission(second)
    assert told
    assert (told.reason, told.message) == (NO_QUOTA.reason, NO_QUOTA.message)
    assert decision.waiting == [BuildKey.of(first), BuildKey.of(second)]
    assert decision.requeue_after
    # The builds of a namespace whose last one has gone are not held.
    gate.decide([], after(1))
    assert gate.admission(second) == BEGIN


def test_defaults_that_cannot_be_read_hold_their_namespace():
    gate = Gate(Limits())
    first, second = builds(2)
    gate.refused(first, Reason.DEFAULTS_UNREADABLE, after(0))
    gate.decide([(build, False) for build in (first, second)], after(0))
    assert [getattr(gate.admission(build), "reason", None) for build in (first, second)] == [
        Reason.DEFAULTS_UNREADABLE
    ] * 2
