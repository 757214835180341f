"""What is kept of TrackedImages: nothing that was seen of another source."""

from typing import Any

import pytest
from imagebuild_operator.cache.keys import TrackedKey
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
    assert images.see("team", {"web": FETCHED}, flux=True) == [KEY]
    assert images.seen(KEY) == Seen(ONE, images=moved, tree="c" * 64, artifact=ARTIFACT)
    # The same once more is no news, of either.
    assert images.see("team", {"web": Seen(images=moved)}) == images.see("team", {"web": FETCHED}, flux=True) == []


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
    images.see("team", {"web": FETCHED}, flux=True)
    images.put(body(2, fluxRef=FLUX, interval="1m"))
    assert images.seen(KEY).artifact == ARTIFACT
    images.put(body(3, fluxRef={**FLUX, "name": "other"}))
    assert images.seen(KEY) == UNSEEN
