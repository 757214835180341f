"""What must be true whatever was done to the operator, read from all that the API server has seen."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from functional.autopilot import Autopilot

Json = dict[str, Any]
Events = Iterable[tuple[str, Json]]
FINAL = {"Succeeded", "Failed", "Cancelled"}


def check(pilot: Autopilot) -> None:
    """Assert what must be true of everything that was seen during a flight.

    Raises:
        AssertionError: names the first that does not hold, and where.
    """
    _one_pod_for_each_attempt(pilot.pods)
    _every_build_ends_once(pilot.builds)
    _digest_is_that_of_a_push(pilot.pods, pilot.builds)


def _one_pod_for_each_attempt(pods: Events) -> None:
    made = Counter(pod["metadata"]["name"] for kind, pod in pods if kind == "ADDED")
    assert not [name for name, count in made.items() if count > 1], f"made twice: {made}"
    alive: defaultdict[str, set[str]] = defaultdict(set)
    for kind, pod in pods:
        [owner] = pod["metadata"]["ownerReferences"]
        assert owner["kind"] == "ImageBuild", pod
        is_over = kind == "DELETED" or pod["status"].get("phase") in {"Succeeded", "Failed"}
        change = alive[owner["uid"]].discard if is_over else alive[owner["uid"]].add
        change(pod["metadata"]["name"])
        assert len(alive[owner["uid"]]) <= 1, f"{owner['name']} has several: {alive[owner['uid']]}"


def _every_build_ends_once(builds: Events) -> None:
    final: dict[str, Json] = {}
    last: dict[str, Json] = {}
    for kind, build in builds:
        uid, status = build["metadata"]["uid"], build.get("status") or {}
        last[uid] = build
        if uid in final:
            assert status == final[uid], f"the final status of {build['metadata']['name']} has changed"
        elif status.get("phase") in FINAL and kind != "DELETED":
            final[uid] = status
    unfinished = [build["metadata"]["name"] for uid, build in last.items() if uid not in final]
    assert not unfinished, f"never ended: {unfinished}"


def _digest_is_that_of_a_push(pods: Events, builds: Events) -> None:
    pushed: defaultdict[str, set[str]] = defaultdict(set)
    for _, pod in pods:
        for status in pod["status"].get("containerStatuses") or ():
            ended = status.get("state", {}).get("terminated")
            if ended and ended["exitCode"] == 0:
                pushed[pod["metadata"]["ownerReferences"][0]["uid"]].add(pod["metadata"]["name"])
    for _, build in builds:
        status = build.get("status") or {}
        if status.get("digest"):
            assert status["phase"] == "Succeeded"
            assert status["podName"] in pushed[build["metadata"]["uid"]]
        else:
            assert status.get("phase") != "Succeeded"
