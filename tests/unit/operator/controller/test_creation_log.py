from dataclasses import replace

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.controller.creation_log import CreationLog
from support.builds import a_build


def build(uid: str, version: int, **status: str) -> ImageBuild:
    return replace(a_build(), uid=uid, resource_version=str(version), status=status)


def test_a_build_is_certainly_new_if_it_is_later_than_an_own_write():
    own = CreationLog(has_lease=True)
    own.wrote("100")
    own.wrote("200")
    assert own.begin(build("before", 100)) is False
    assert own.begin(build("after", 101)) is True


def test_nothing_is_certain_before_the_first_own_write():
    assert CreationLog(has_lease=True).begin(build("a", 101)) is False


def test_nothing_is_certain_without_a_lease():
    own = CreationLog(has_lease=False)
    own.wrote("100")
    assert own.begin(build("a", 101)) is False


def test_a_build_with_a_status_has_been_somebody_elses():
    own = CreationLog(has_lease=True)
    own.wrote("100")
    assert own.begin(build("a", 101, phase="Pending")) is False


def test_a_build_that_comes_back_is_not_new():
    own = CreationLog(has_lease=True)
    own.wrote("100")
    assert own.begin(build("a", 101)) is True
    assert own.begin(build("a", 101)) is False


def test_of_builds_that_were_forgotten_and_those_before_them_nothing_is_certain():
    own = CreationLog(has_lease=True, most=2)
    own.wrote("100")
    assert [own.begin(build(str(version), version)) for version in (101, 103, 105)] == [True] * 3
    assert own.begin(build("101", 101)) is False
    assert own.begin(build("other", 102)) is False
    assert own.begin(build("new", 106)) is True
