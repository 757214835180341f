"""The small parts of the operator's core."""

import base64
import gzip
import io
import tarfile
from datetime import UTC, datetime

import pytest
from imagebuild_operator.api.build import Registry
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.reason_rows import ROWS
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.time import duration, format_time, milliseconds, parse_time
from imagebuild_operator.cache.keys import BuildKey
from imagebuild_operator.cache.store import Store
from imagebuild_operator.defaults.merge import merge_registries
from imagebuild_operator.observe.pod import observe
from imagebuild_operator.observe.warnings import latest_warning
from imagebuild_operator.pod.inline import data_url
from imagebuild_operator.pod.source import git_url
from support.builds import UID, body


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (-3, "0s"), (59.4, "59s"), (83, "1m23s"), (3600, "1h00m"), (7500, "2h05m")]
)
def test_durations_read_like_kubectls(seconds: float, text: str):
    assert duration(seconds) == text


def test_times_are_kubernetes_own():
    moment = datetime(2026, 11, 24, 8, 0, 1, tzinfo=UTC)
    assert parse_time(format_time(moment)) == moment
    assert parse_time(None) is None
    assert milliseconds(moment, parse_time("2026-11-24T08:00:00Z")) == 0
    assert milliseconds(None, moment) is None


def test_the_same_files_always_make_the_same_url():
    one = data_url({"b": "2", "a/run.sh": "#!/bin/sh\n"})
    assert one == data_url({"a/run.sh": "#!/bin/sh\n", "b": "2"})
    packed = base64.b64decode(one.removeprefix("data:application/gzip;base64,"))
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
        assert [(member.name, member.mode, member.mtime) for member in tar] == [("a/run.sh", 0o755, 0), ("b", 0o644, 0)]


@pytest.mark.parametrize(
    ("url", "revision", "expected"),
    [
        ("https://example.com/app", None, "git+https://example.com/app"),
        ("https://example.com/app.git", "v1", "git+https://example.com/app.git#v1"),
        ("http://example.com/app", "a/b", "git+http://example.com/app#a/b"),
        ("git://example.com/app", "v1", "git://example.com/app#v1"),
    ],
)
def test_git_addresses_are_marked_as_such(url: str, revision: str | None, expected: str):
    assert git_url(url, revision) == expected


def test_a_builds_registries_go_before_the_defaults():
    def merge(asked: list[Registry], defaults: list[Registry]) -> tuple[Registry, ...]:
        return merge_registries(asked, defaults, lambda registry: registry)

    hub, plain = Registry("docker.io", mirrors=("m",)), Registry("plain", insecure=True)
    assert merge([Registry("plain")], [hub, plain]) == (Registry("plain"), hub)
    mapped = Registry("quay.io", map_to="proxy/quay")
    assert merge([mapped], [hub, plain]) == (mapped, plain)
    mirrored = Registry("quay.io", mirrors=("m/quay",))
    assert merge([mirrored], [Registry("gcr.io", map_to="p"), plain]) == (mirrored, plain)


def test_every_reason_has_a_row_that_ends_in_a_full_stop():
    assert set(ROWS) == set(Reason)
    for row in ROWS.values():
        assert row.meaning.endswith(".")
        assert row.advice.endswith(".")


def test_what_no_schema_could_refuse_names_its_field():
    for spec, path in (
        ({"output": {}}, "spec.output.images"),
        ({"output": {"images": ["a"]}, "source": {}}, "spec.source"),
        ({"output": {"images": ["a"]}, "source": {"url": "u"}, "buildArgs": [{"name": "A"}]}, "spec.buildArgs[0]"),
    ):
        with pytest.raises(InvalidSpecError) as caught:
            parse_spec(spec)
        assert caught.value.path == path


def test_the_newest_warning_is_believed():
    events = [
        {"type": "Warning", "message": "old", "lastTimestamp": "2026-11-24T08:00:00Z"},
        {"type": "Warning", "message": "new", "eventTime": "2026-11-24T08:00:05Z"},
        {"type": "Normal", "reason": "SandboxChanged", "lastTimestamp": "2026-11-24T08:00:06Z"},
    ]
    assert latest_warning(events) == "new"
    assert latest_warning([]) is None
    went_on = {"type": "Normal", "reason": "Pulled", "lastTimestamp": "2026-11-24T08:00:06Z"}
    assert latest_warning([*events, went_on]) is None


def test_a_pod_without_a_status_is_pending():
    facts = observe({"metadata": {"name": "p", "uid": "u", "creationTimestamp": "2026-11-24T08:00:00Z"}})
    assert (facts.phase, facts.owner_uid, facts.build.started) == ("Pending", None, None)


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
    assert store.drop_pod(pod_body("p1")) == BuildKey("team", "app")
    assert [pod.uid for pod in store.pods(build)] == ["p2"]
    store.drop_pod(pod_body("p2"))
    assert store.pods(build) == ()
