"""What is kept of TrackedImages: nothing that was seen of another source."""

from typing import Any

import pytest
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.cache.keys import TrackedKey, WatcherKey
from imagebuild_operator.cache.tracked import TrackedImages
from imagebuild_operator.observe.flux import Artifact
from imagebuild_operator.observe.watched import UNSEEN, Seen

ONE = "1" * 40
KEY = TrackedKey("team", "web")
GIT = {"git": {"url": "https://git.example/app", "revision": "main"}}
FLUX = {"kind": "GitRepository", "name": "web"}
ARTIFACT = Artifact("http://source-controller.flux-system.svc/1.tar.gz", "c" * 64, ONE, "main")
FETCHED = Seen(ONE, tree="c" * 64, artifact=ARTIFACT)


def body(version: int, source: dict[str, Any] | None = None, uid: str = "uid-1", **trigger: object) -> dict[str, Any]:
    template = {"spec": {"source": source} if source else {}}
    return {
        "metadata": {
            "namespace": "team",
            "name": "web",
            "uid": uid,
            "resourceVersion": str(version),
            "creationTimestamp": "2026-12-01T00:00:00Z",
        },
        "spec": {"template": template, "triggers": {"source": trigger}},
    }


def test_what_flux_has_is_with_what_the_watcher_has_seen():
    images = TrackedImages()
    images.put(body(1, fluxRef=FLUX))
    moved = {"docker.io/library/busybox:latest": frozenset({"a" * 16})}
    assert images.see("team", {"web": Seen(images=moved), "gone": Seen(ONE)}) == [KEY]
    assert images.see_sources("team", {"web": FETCHED}) == [KEY]
    assert images.seen(KEY) == Seen(ONE, images=moved, tree="c" * 64, artifact=ARTIFACT)
    # The same once more is no news, of either.
    assert images.see("team", {"web": Seen(images=moved)}) == images.see_sources("team", {"web": FETCHED}) == []


def build(number: int, version: int, uid: str = "", owner: str = "uid-1", **metadata: str) -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "team",
            "name": f"web-{number}",
            "uid": uid or f"build-{number}",
            "resourceVersion": str(version),
            "creationTimestamp": "2026-12-01T00:00:00Z",
            "labels": {"imagebuild.dev/number": str(number)},
            "ownerReferences": [{"kind": "TrackedImage", "name": "web", "uid": owner}] if owner else [],
            **metadata,
        },
        "spec": {},
    }


def test_builds_are_of_the_owner_and_of_the_newest_version_that_was_seen():
    images = TrackedImages()
    for each in (build(10, 5), build(2, 6), build(3, 7, owner=""), build(4, 8, owner="uid-2")):
        images.put_build(each)
    assert [each.name for each in images.builds("uid-1")] == ["web-2", "web-10"]
    # What comes late changes nothing, nor does the end of an earlier one of the name.
    images.put_build(build(2, 4, deletionTimestamp="2026-12-01T00:00:00Z"))
    images.drop_build(BuildKey("team", "web-2"), "another")
    assert [each.name for each in images.builds("uid-1")] == ["web-2", "web-10"]
    images.put_build(build(2, 9, deletionTimestamp="2026-12-01T00:00:00Z"))
    images.drop_build(BuildKey("team", "web-10"), "build-10")
    assert images.builds("uid-1") == []
    # Of a list, those count as gone that it lacks.
    images.put_build(build(11, 10))
    assert images.lost_builds(lambda place, uid, version: (place, uid, version) == ("team", "build-11", 10)) == {
        BuildKey("team", "web-11"): "build-11"
    }
    assert images.lost_builds(lambda *_: False) == {}


@pytest.mark.parametrize(
    "changed",
    [
        body(2, {"git": {**GIT["git"], "url": "https://git.example/other"}}),
        body(2, {"git": {**GIT["git"], "revision": "next"}}),
        body(2, fluxRef=FLUX),
        body(2, GIT, uid="uid-2"),
    ],
)
def test_of_another_source_nothing_has_been_seen(changed: dict[str, Any]):
    images = TrackedImages()
    images.put(body(1, GIT))
    images.see("team", {"web": Seen(ONE)})
    images.put(changed)
    assert images.seen(KEY) == UNSEEN


def test_of_another_object_of_flux_nothing_has_been_seen():
    images = TrackedImages()
    images.put(body(1, fluxRef=FLUX))
    images.see_sources("team", {"web": FETCHED})
    images.put(body(2, fluxRef=FLUX, interval="1m"))
    assert images.seen(KEY).artifact == ARTIFACT
    images.put(body(3, fluxRef={**FLUX, "name": "other"}))
    assert images.seen(KEY) == UNSEEN


def with_status(made: dict[str, Any], **status: object) -> dict[str, Any]:
    return {**made, "status": status}


def test_a_status_changes_what_is_looked_at_only_by_its_base_images():
    images = TrackedImages()
    watcher = WatcherKey("team")
    assert images.put(body(1, GIT)) == [KEY, watcher]
    first = images.revision("team")
    assert images.put(with_status(body(2, GIT), builds=1)) == [KEY]
    assert images.revision("team") == first
    bases = {"baseImages": [{"reference": "docker.io/library/busybox:latest", "digest": "sha256:" + "a" * 64}]}
    assert images.put(with_status(body(3, GIT), inputs=bases)) == [KEY, watcher]
    assert images.put(with_status(body(4, GIT), inputs=bases, builds=2)) == [KEY]
    assert images.put(body(5, {"git": {**GIT["git"], "revision": "next"}})) == [KEY, watcher]
    assert images.revision("team") == first + 2
    assert images.revision("other") == 0


def published(name: str, version: int = 1, repository: str = "r.example/base", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    made = body(version, GIT, uid=f"uid-{name}")
    made["metadata"]["name"] = name
    made["spec"]["image"] = {"repositories": [repository], "movingTags": ["latest"]}
    return {**made, "status": {"latestImage": f"{repository}@sha256:" + "b" * 64, **more}}


def using(name: str, *references: str, version: int = 1) -> dict[str, Any]:
    bases = [{"reference": each, "digest": "sha256:" + "a" * 64} for each in references]
    return published(name, version, f"r.example/{name}", inputs={"baseImages": bases})


def test_those_that_make_and_use_an_image_are_found_by_its_name():
    images = TrackedImages()
    base, web, app = (TrackedKey("team", name) for name in ("base", "web", "app"))
    images.put(published("base"))
    images.put(using("web", "r.example/base:latest"))
    images.put(using("app", "r.example/base:latest", "r.example/web:latest"))
    assert images.users(["r.example/base:latest"], but=base) == {web, app}
    assert [image.name for image in images.publishers(["r.example/base:latest", "r.example/x"], but=web)] == ["base"]
    # Nobody is an other of itself.
    assert list(images.publishers(["r.example/base:latest"], but=base)) == []
    # What was so, and is not any more.
    images.put(using("web", "r.example/other:latest", version=2))
    images.put(published("base", 2, "r.example/moved"))
    assert images.users(["r.example/base:latest"], but=base) == {app}
    assert list(images.publishers(["r.example/base:latest"], but=web)) == []
    images.remove(using("app"))
    assert images.users(["r.example/base:latest", "r.example/web:latest"], but=base) == set()
    assert images.get(app) is None
    assert [image.name for image in images.of("team")] == ["base", "web"]
    # One whose schedule means nothing publishes nothing.
    wrong = published("base", 3)
    wrong["spec"]["triggers"]["schedule"] = {"cron": "61 * * * *"}
    images.put(wrong)
    assert list(images.publishers(["r.example/base:latest"], but=web)) == []
