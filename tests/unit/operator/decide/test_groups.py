from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.decide.groups import Groups, Member, Policy, group
from support.builds import after


def member(number: int, policy: Policy, *, has_begun: bool = False) -> Member:
    name = f"b{number}"
    return Member("team", "main", name, name, after(number), policy, has_begun)


def test_parallel_builds_wait_for_nobody():
    members = [member(number, Policy.PARALLEL, has_begun=number == 0) for number in range(3)]
    assert group(members) == Groups()


def test_serial_builds_run_one_after_the_other_the_oldest_first():
    members = [member(number, Policy.SERIAL) for number in (2, 0, 1)]
    assert group(members) == Groups(blocked={"b1": "b0", "b2": "b0"})
    members[1] = member(0, Policy.SERIAL, has_begun=True)
    assert group(members) == Groups(blocked={"b1": "b0", "b2": "b0"})


def test_the_latest_waits_for_what_runs_and_replaces_what_waits():
    members = [member(0, Policy.SERIAL, has_begun=True), member(1, Policy.PARALLEL), member(2, Policy.LATEST)]
    assert group(members) == Groups(blocked={"b2": "b0"}, superseded={"b1": "b2"})


def test_the_latest_replaces_what_runs_where_asked_and_waits_for_its_end():
    members = [member(0, Policy.SERIAL, has_begun=True), member(1, Policy.LATEST_CANCEL_RUNNING)]
    assert group(members) == Groups(blocked={"b1": "b0"}, superseded={"b0": "b1"})


@pytest.mark.parametrize("begun", [0, 1])
def test_of_the_same_second_what_has_begun_is_older(begun: int):
    members = [replace(member(n, Policy.LATEST_CANCEL_RUNNING, has_begun=n == begun), created=after(0)) for n in (0, 1)]
    first, second = f"b{begun}", f"b{1 - begun}"
    assert group(members) == Groups(blocked={second: first}, superseded={first: second})


def test_what_is_younger_than_the_latest_waits_behind_it():
    assert group([member(0, Policy.LATEST), member(1, Policy.SERIAL)]) == Groups(blocked={"b1": "b0"})


def test_groups_of_other_namespaces_and_names_do_not_meet():
    other = Member("other", "main", "x", "x", after(9), Policy.LATEST)
    branch = Member("team", "branch", "y", "y", after(9), Policy.LATEST)
    assert group([member(0, Policy.SERIAL), other, branch]) == Groups()


@given(st.lists(st.tuples(st.sampled_from(Policy), st.booleans()), max_size=12))
def test_a_group_never_comes_to_a_standstill(made: list[tuple[Policy, bool]]):
    members = [member(number, policy, has_begun=has_begun) for number, (policy, has_begun) in enumerate(made)]
    found = group(members)
    assert not set(found.blocked) & set(found.superseded)
    waiting = [m for m in members if not m.has_begun and m.uid not in found.superseded]
    if waiting and not any(m.has_begun for m in members):
        assert [m for m in waiting if m.uid not in found.blocked]
    latest = [m for m in members if m.policy.supersedes]
    if latest:
        assert latest[-1].uid not in found.superseded
