"""What must be true whatever was done to the operator, read from all that the API server has seen."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from kubernetes import client, watch
from support.watching import GROUP, PLURAL, VERSION

Json = dict[str, Any]
FINAL = {"Succeeded", "Failed", "Cancelled"}


class History:
    """Every version of the pods and ImageBuilds of a namespace since some moment."""

    def __init__(self, api: client.ApiClient, namespace: str, since: str) -> None:
        lists: Any = (
            client.CoreV1Api(api).list_namespaced_pod,
            client.CustomObjectsApi(api).list_namespaced_custom_object,
        )
        self.pods = list(_events(lists[0], namespace, resource_version=since))
        self.builds = list(_events(lists[1], GROUP, VERSION, namespace, PLURAL, resource_version=since))

    def check(self) -> None:
        """Assert the invariants.

        Raises:
            AssertionError: names the first that does not hold, and where.
        """
        self._one_pod_for_each_attempt()
        self._every_build_ends_once()
        self._digest_is_that_of_a_push()

    def _one_pod_for_each_attempt(self) -> None:
        made = Counter(pod["metadata"]["name"] for kind, pod in self.pods if kind == "ADDED")
        assert not [name for name, count in made.items() if count > 1], f"made twice: {made}"
        alive: defaultdict[str, set[str]] = defaultdict(set)
        for kind, pod in self.pods:
            [owner] = pod["metadata"]["ownerReferences"]
            assert owner["kind"] == "ImageBuild", pod
            is_over = kind == "DELETED" or pod["status"].get("phase") in {"Succeeded", "Failed"}
            change = alive[owner["uid"]].discard if is_over else alive[owner["uid"]].add
            change(pod["metadata"]["name"])
            assert len(alive[owner["uid"]]) <= 1, f"{owner['name']} has several: {alive[owner['uid']]}"

    def _every_build_ends_once(self) -> None:
        final: dict[str, Json] = {}
        last: dict[str, Json] = {}
        for kind, build in self.builds:
            uid, status = build["metadata"]["uid"], build.get("status") or {}
            last[uid] = build
            if uid in final:
                assert status == final[uid], f"the final status of {build['metadata']['name']} has changed"
            elif status.get("phase") in FINAL and kind != "DELETED":
                final[uid] = status
        unfinished = [build["metadata"]["name"] for uid, build in last.items() if uid not in final]
        assert not unfinished, f"never ended: {unfinished}"

    def _digest_is_that_of_a_push(self) -> None:
        pushed: defaultdict[str, set[str]] = defaultdict(set)
        for _, pod in self.pods:
            for status in pod["status"].get("containerStatuses") or ():
                ended = status.get("state", {}).get("terminated")
                if ended and ended["exitCode"] == 0:
                    pushed[pod["metadata"]["ownerReferences"][0]["uid"]].add(pod["metadata"]["name"])
        for _, build in self.builds:
            status = build.get("status") or {}
            if status.get("digest"):
                assert status["phase"] == "Succeeded"
                assert status["podName"] in pushed[build["metadata"]["uid"]]
            else:
                assert status.get("phase") != "Succeeded"


def _events(call: Any, *arguments: str, **options: str) -> Iterator[tuple[str, Json]]:  # noqa: ANN401 - a call of the client
    for event in watch.Watch().stream(call, *arguments, timeout_seconds=1, **options):
        yield event["type"], event.get("raw_object") or event["object"]
