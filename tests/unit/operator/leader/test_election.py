from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.leader.election import (
    GIVE_UP,
    READ,
    RENEW,
    Election,
    after_acquisition,
    after_read,
    after_resignation,
    claim,
    release,
)
from imagebuild_operator.leader.lease import Lease, parse_lease

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EARLIER = "2026-11-24T11:00:00.000000Z"
THEIRS = Lease("1", "them", 10, EARLIER, 3)
MINE = Lease("2", "me", 10, EARLIER, 4)


def body(version: str = "7", **spec: object) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": version}, "spec": spec}


def test_a_lease_is_read_as_the_api_server_holds_it():
    read = parse_lease(
        body(holderIdentity="them", leaseDurationSeconds=15, acquireTime=EARLIER, renewTime=EARLIER, leaseTransitions=2)
    )
    assert read == Lease("7", "them", 15, EARLIER, 2)
    assert parse_lease({"metadata": {"resourceVersion": "1"}}) == Lease("1")


def test_the_first_one_takes_it_at_once():
    election = after_read(Election("me", 10), None, 100)
    assert election.may_claim(100)
    assert claim(election, NOON) == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 10,
        "acquireTime": "2026-11-24T12:00:00.000000Z",
        "renewTime": "2026-11-24T12:00:00.000000Z",
        "leaseTransitions": 0,
    }
    election = after_acquisition(election, MINE, 100)
    assert election.is_leader(100 + 10 * GIVE_UP - 0.1)
    assert not election.is_leader(100 + 10 * GIVE_UP)
    assert election.wait(101) == 10 * RENEW


def test_a_renewal_keeps_when_it_was_acquired():
    spec = claim(after_acquisition(Election("me", 10), MINE, 100), NOON)
    assert (spec["acquireTime"], spec["leaseTransitions"]) == (EARLIER, 4)


def test_another_waits_until_it_has_not_changed_for_its_duration():
    election = after_read(Election("me", 10), THEIRS, 100)
    assert not election.is_leader(100)
    election = after_read(election, THEIRS, 109.5)
    assert not election.may_claim(109.5)
    assert election.wait(109.5) == 0.5
    assert election.wait(101) == 10 * READ
    assert election.may_claim(110)
    spec = claim(election, NOON)
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("me", 4)
    assert spec["acquireTime"] == spec["renewTime"]


def test_each_change_lets_it_wait_anew():
    election = after_read(Election("me", 10), THEIRS, 100)
    election = after_read(election, replace(THEIRS, version="2"), 109)
    assert not election.may_claim(118)
    assert election.may_claim(119)


def test_a_released_lease_is_taken_at_once():
    election = after_acquisition(Election("me", 10), MINE, 100)
    spec = release(election, NOON)
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("", 1)
    other = after_read(Election("them", 10), parse_lease(body(**spec)), 500)
    assert other.may_claim(500)
    assert claim(other, NOON)["leaseTransitions"] == 5


@pytest.mark.parametrize("lease", [None, THEIRS, Lease("3")])
def test_a_lease_that_another_has_taken_or_deleted_is_lost(lease: Lease | None):
    election = after_read(after_acquisition(Election("me", 10), MINE, 100), lease, 101)
    assert not election.is_leader(101)


def test_a_lease_that_has_changed_but_not_hands_is_held_on():
    election = after_read(after_acquisition(Election("me", 10), MINE, 100), replace(MINE, version="9"), 102)
    assert election.is_leader(102)
    assert not election.is_leader(107)


def test_who_has_stopped_may_claim_what_still_bears_its_name():
    election = after_resignation(after_acquisition(Election("me", 10), MINE, 100))
    assert not election.is_leader(101)
    assert election.may_claim(101)


@pytest.mark.shows("F19")
@given(
    st.integers(1, 60),
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 10), st.floats(0, 1e5)), min_size=1, max_size=8),
)
def test_nobody_may_claim_while_another_acts(duration: int, renewals: list[tuple[float, float, float]]):
    """However late a renewal reaches the API server and the other one sees it, and whatever their clocks say."""
    offset = 12345.0  # between the two clocks
    holder, other = Election("them", duration), Election("me", 10)
    for number, (asked, transit, delay) in enumerate(sorted(renewals)):
        lease = Lease(str(number), "them", duration)
        holder = after_acquisition(holder, lease, asked)
        other = after_read(other, lease, asked + transit + delay + offset)
    assert holder.until is not None
    last_moment_of_acting = holder.until
    assert not other.may_claim(last_moment_of_acting + offset)
