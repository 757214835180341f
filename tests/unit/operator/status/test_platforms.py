"""What a multi-platform build shows of its platforms."""

from imagebuild_operator.status.platforms import progress_of


def test_the_progress_is_that_of_the_platform_that_is_least_far():
    far, near = {"summary": "8/9", "step": 8, "steps": 9}, {"summary": "2/3", "step": 2, "steps": 3}
    forged = {"summary": "1/0", "step": 1, "steps": 0}
    building = [{"platform": "linux/amd64", "progress": far}, {"platform": "linux/arm64", "progress": near}]
    assert progress_of(building) == near
    assert progress_of([*building, {"platform": "linux/s390x", "progress": forged}]) == near
    assert progress_of([{"platform": "linux/amd64"}]) is None
