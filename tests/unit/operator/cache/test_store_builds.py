"""The informer cache: which builds and pods it holds."""

from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.cache.store import Store
from support.builds import UID, body


def pod_body(uid: str, owner_uid: str = UID) -> dict[str, object]:
    reference = {"kind": "ImageBuild", "name": "app", "uid": owner_uid, "controller": True}
    metadata = {"namespace": "team", "name": "app-1", "uid": uid, "ownerReferences": [reference]}
    return {"metadata": {**metadata, "creationTimestamp": "2026-11-24T08:00:00Z"}}


def test_the_store_keeps_the_newest_and_forgets_the_finished():
    store = Store()
    assert store.put_build(body(resourceVersion="7")) == [BuildKey("team", "app")]
    assert store.put_build(body(resourceVersion="6")) == []
    held = store.build(BuildKey("team", "app"))
    assert held is not None
    assert held.resource_version == "7"
    assert store.put_build(body(status={"phase": "Failed"}, resourceVersion="8")) == []
    assert store.build(BuildKey("team", "app")) is None


def test_a_pod_belongs_to_one_uid_only():
    store = Store()
    store.put_build(body())
    build = store.build(BuildKey("team", "app"))
    assert build is not None
    assert store.put_pod(pod_body("p1", owner_uid="an earlier build")) == BuildKey("team", "app")
    assert store.pods(build) == ()
    store.put_pod(pod_body("p2"))
    assert store.remove_pod(pod_body("p1")) == BuildKey("team", "app")
    assert [pod.uid for pod in store.pods(build)] == ["p2"]
    store.remove_pod(pod_body("p2"))
    assert store.pods(build) == ()
