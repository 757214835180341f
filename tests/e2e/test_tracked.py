"""TrackedImages on the real cluster: a commit, a base image that moves, a template, a schedule, a request."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from functional.kube import GROUP, VERSION, Json
from kubernetes import client
from support.git_server import git, make_repository, serve_git
from support.registry import Registry

PLURAL = "trackedimages"


@dataclass(frozen=True)
class Tracked:
    """The TrackedImages of one namespace."""

    api: client.CustomObjectsApi
    namespace: str
    registry: Registry

    def create(
        self,
        template: Json,
        name: str = "web",
        *,
        labels: dict[str, str] | None = None,
        **fields: Any,  # noqa: ANN401 - any field
    ) -> None:
        body: Json = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "TrackedImage",
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {
                "template": {"spec": template},
                "image": {"repositories": [f"{self.registry.name}/{self.namespace}/{name}"], "movingTags": ["latest"]},
                **fields,
            },
        }
        self.api.create_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, body)

    def get(self, name: str = "web") -> Json:
        found: Any = self.api.get_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, name)
        return dict(found)

    def status(self, name: str = "web") -> Json:
        return dict(self.get(name).get("status") or {})

    def patch(self, change: Json, name: str = "web") -> None:
        self.api.patch_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, name, change)

    def delete(self, name: str = "web") -> None:
        self.api.delete_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, name)

    def builds(self, name: str = "web") -> list[str]:
        selector = f"imagebuild.dev/tracked-image={name}"
        found: Any = self.api.list_namespaced_custom_object(
            GROUP, VERSION, self.namespace, "imagebuilds", label_selector=selector
        )
        return sorted(each["metadata"]["name"] for each in found["items"])

    def wait(self, what: Callable[[Json], bool], name: str = "web", timeout: float = 120) -> Json:
        deadline = time.monotonic() + timeout
        while not what(status := self.status(name)):
            assert time.monotonic() < deadline, (status, self.builds(name))
            time.sleep(0.2)
        return status

    def wait_for_builds(self, *names: str) -> None:
        """Wait until these are all that there are."""
        deadline = time.monotonic() + 60
        while self.builds() != list(names):
            assert time.monotonic() < deadline, self.builds()
            time.sleep(0.2)

    def wait_for_build(self, number: int, name: str = "web") -> Json:
        """Wait until a build by this number has made the latest image."""
        return self.wait(lambda status: (status.get("latestBuild") or {}).get("name") == f"{name}-{number}", name)


def condition(status: Json, kind: str) -> Json:
    return next((each for each in status.get("conditions") or () if each["type"] == kind), {})


def inline(dockerfile: str) -> Json:
    return {"source": {"inline": {"files": {"Dockerfile": dockerfile}}}}


def a_commit_starts_a_build_of_that_commit(tracked: Tracked, host_address: str, folder: Path) -> None:
    registry = tracked.registry
    repository = folder / "git" / "repository.git"
    first = make_repository(repository, {"Dockerfile": b"FROM busybox\nCOPY text /\n", "text": b"one"})
    with serve_git(folder / "git", address=host_address) as url:
        template = {"source": {"git": {"url": f"{url}/repository.git", "revision": "main"}}}
        image: Json = {
            "repositories": [f"{registry.name}/{tracked.namespace}/web"],
            "tags": ["{branch}-{number}-{shortCommit}"],
            "movingTags": ["latest"],
        }
        tracked.create(template, image=image, triggers={"source": {"interval": "10s"}})
        status = tracked.wait_for_build(1)
        assert (status["inputs"]["commit"], status["latestBuild"]["reasons"]) == (first, ["Initial"])
        assert status["latestTag"] == f"main-1-{first[:8]}"
        assert condition(status, "Ready")["status"] == "True"
        assert condition(status, "Watching")["status"] == "True"

        (repository / "text").write_bytes(b"two")
        git(repository, "commit", "--quiet", "--all", "--message=second")
        second = git(repository, "rev-parse", "HEAD")
        status = tracked.wait_for_build(2)
        assert (status["inputs"]["commit"], status["latestBuild"]["reasons"]) == (second, ["Source"])
        # The moving tag and the one for this image alone are the same image; the first stays.
        names = (f"main-2-{second[:8]}", "latest", f"main-1-{first[:8]}")
        digests = [registry.digest(f"{image['repositories'][0]}:{name}") for name in names]
        assert f"{image['repositories'][0]}@{digests[0]}" == status["latestImage"]
        assert digests[0] == digests[1] != digests[2]
        assert registry.files(f"{image['repositories'][0]}:latest")["/text"].content == b"two"

        # Back to an older commit by force: what is wanted counts, not what is newer.
        git(repository, "reset", "--quiet", "--hard", first)
        status = tracked.wait_for_build(3)
        assert status["inputs"]["commit"] == first

        # A branch that is deleted leaves the image, and says so.
        git(repository, "checkout", "--quiet", "--detach")
        git(repository, "branch", "--quiet", "-D", "main")
        status = tracked.wait(lambda status: condition(status, "Watching").get("status") == "False")
        assert "main" in condition(status, "Watching")["message"]
        assert condition(status, "Ready")["status"] == "True"
    assert tracked.builds() == ["web-1", "web-2", "web-3"]


def a_base_image_that_moves_starts_a_chain_of_builds(tracked: Tracked) -> None:
    registry = tracked.registry
    triggers = {"baseImages": {"interval": "10s"}}
    tracked.create(inline("FROM busybox\nRUN echo one > /made\n"), "base", triggers=triggers)
    tracked.wait_for_build(1, "base")
    base = f"{registry.name}/{tracked.namespace}/base:latest"
    # It would be looked at in an hour; the operator knows it before.
    hourly = {"baseImages": {"interval": "1h"}}
    tracked.create(inline(f"FROM {base}\nRUN cp /made /copied\n"), "app", triggers=hourly)
    app = tracked.wait_for_build(1, "app")
    app_name = f"{registry.name}/{tracked.namespace}/app:latest"
    assert app["inputs"]["baseImages"] == [{"reference": base, "digest": registry.digest(base)}]
    tracked.create(inline(f"FROM {app_name}\nRUN true\n"), "last", triggers=triggers)
    tracked.wait_for_build(1, "last")

    tracked.patch({"spec": {"template": {"spec": inline("FROM busybox\nRUN echo two > /made\n")}}}, "base")
    assert tracked.wait_for_build(2, "base")["latestBuild"]["reasons"] == ["Template"]
    app = tracked.wait_for_build(2, "app")
    assert app["latestBuild"]["reasons"] == ["BaseImage"]
    assert app["inputs"]["baseImages"] == [{"reference": base, "digest": registry.digest(base)}]
    assert registry.files(f"{registry.name}/{tracked.namespace}/app:latest")["/copied"].content == b"two\n"
    tracked.wait(lambda status: status["inputs"]["baseImages"][0]["digest"] == registry.digest(app_name), "last")


def a_failure_leaves_the_latest_image_and_a_correction_is_built_at_once(tracked: Tracked) -> None:
    tracked.create(inline("FROM busybox\nRUN true\n"), failure={"backoff": {"initial": "1h"}})
    good = tracked.wait_for_build(1)
    tracked.patch({"spec": {"template": {"spec": inline("FROM busybox\nRUN exit 3\n")}}})
    status = tracked.wait(lambda status: status.get("failures") == 1)
    assert status["latestImage"] == good["latestImage"]
    assert condition(status, "Ready")["status"] == "True"
    told = condition(status, "Reconciling")
    assert (told["status"], told["reason"]) == ("True", "BuildFailed")
    assert "web-2 failed" in told["message"]
    assert status["pending"]["reasons"] == ["Template"]
    # What the image does not depend on starts no build.
    tracked.patch({"spec": {"template": {"spec": {"timeoutSeconds": 600}}}})
    tracked.patch({"spec": {"template": {"spec": inline("FROM busybox\nRUN echo good\n")}}})
    status = tracked.wait_for_build(3)
    assert "failures" not in status
    assert tracked.builds() == ["web-1", "web-2", "web-3"]


def a_request_a_schedule_suspend_history_and_deletion(tracked: Tracked) -> None:
    schedule = {"cron": "* * * * *", "timeZone": "Europe/Berlin"}
    tracked.create(inline("FROM busybox\nRUN true\n"), history={"succeeded": 1})
    tracked.wait_for_build(1)
    for number, value in ((2, "once"), (3, "again")):
        tracked.patch({"metadata": {"annotations": {"imagebuild.dev/requested-at": value}}})
        status = tracked.wait_for_build(number)
        assert (status["latestBuild"]["reasons"], status["lastRequest"]) == (["Requested"], value)
    tracked.wait_for_builds("web-3")
    tracked.patch({"spec": {"triggers": {"schedule": schedule}}})
    status = tracked.wait_for_build(4)
    assert status["latestBuild"]["reasons"] == ["Schedule"]
    tracked.patch({"spec": {"suspend": True, "template": {"spec": {"target": "0"}}}})
    tracked.wait(lambda status: condition(status, "Reconciling").get("reason") == "Suspended")
    # A minute later there may be one more of the schedule; that of the latest image stays, and no other is started.
    status = tracked.wait(lambda status: tracked.builds() == [(status.get("latestBuild") or {}).get("name")])
    assert status["latestBuild"]["reasons"] == ["Schedule"]
    tracked.delete()
    tracked.wait_for_builds()


def what_can_not_be_meant_is_said(tracked: Tracked) -> None:
    wrong: dict[str, tuple[Json, str]] = {
        "cron": ({"cron": "61 * * * *"}, "spec.triggers.schedule.cron: '61 * * * *' is no schedule"),
        "zone": ({"cron": "0 4 * * *", "timeZone": "Europe/Atlantis"}, "there is no time zone 'Europe/Atlantis'"),
    }
    for name, (schedule, words) in wrong.items():
        tracked.create(inline("FROM busybox\n"), name, triggers={"schedule": schedule})
        status = tracked.wait(lambda status: condition(status, "Stalled").get("status") == "True", name)
        assert words in condition(status, "Stalled")["message"]
        assert tracked.builds(name) == []


SCENARIOS = (
    a_base_image_that_moves_starts_a_chain_of_builds,
    a_failure_leaves_the_latest_image_and_a_correction_is_built_at_once,
    a_request_a_schedule_suspend_history_and_deletion,
    what_can_not_be_meant_is_said,
)


@pytest.fixture(scope="module")
def runs(
    api: client.ApiClient, registry: Registry, cluster: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """Each scenario, in a namespace of its own. All run at once, since most of their time is waiting."""
    core, custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
    with_git = a_commit_starts_a_build_of_that_commit
    further = {with_git.__name__: (cluster["HOST_ADDRESS"], tmp_path_factory.mktemp("tracked"))}
    made: dict[str, Future[None]] = {}
    namespaces = []
    with ThreadPoolExecutor() as threads:
        for scenario in (with_git, *SCENARIOS):
            found = core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(generate_name="tracked-")))
            assert found.metadata
            assert found.metadata.name
            namespaces.append(found.metadata.name)
            tracked = Tracked(custom, found.metadata.name, registry)
            made[scenario.__name__] = threads.submit(scenario, tracked, *further.get(scenario.__name__, ()))
        yield made
    for name in namespaces:
        core.delete_namespace(name)


@pytest.mark.parametrize("scenario", [each.__name__ for each in (a_commit_starts_a_build_of_that_commit, *SCENARIOS)])
def test_tracked_images(scenario: str, runs: dict[str, Future[None]]):
    runs[scenario].result()
