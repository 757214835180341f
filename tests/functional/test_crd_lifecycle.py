"""What happens to an ImageBuild after it was created: its spec is fixed, its status is the operator's."""

import json
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, Kubectl, message, spec
from kubernetes import client

NOW = "2026-01-02T03:04:05Z"
DIGEST = "sha256:" + "0123456789ab" + "c" * 52
CONDITIONS = [
    {"type": "Succeeded", "status": "True", "lastTransitionTime": NOW, "reason": "Pushed", "message": "Done."},
    {"type": "Finished", "status": "True", "lastTransitionTime": NOW, "reason": "Pushed", "message": "Done."},
]
STATUS = {
    "observedGeneration": 1,
    "phase": "Succeeded",
    "reason": "Pushed",
    "message": "Done.",
    "conditions": CONDITIONS,
    "podName": "hello-0123abcd",
    "node": "node1",
    "images": [{"reference": "registry.example.com/team/app:1", "digest": DIGEST, "sizeBytes": 5_000_000_000}],
    "digest": DIGEST,
    "source": {"url": "https://example.com/x", "revision": "c" * 40, "sha256": "c" * 64, "bytes": 1},
    "progress": {
        "summary": "3/9",
        "step": 3,
        "steps": 9,
        "stage": 1,
        "stages": 2,
        "instruction": "RUN make",
        "startTime": "2026-01-02T03:04:05Z",
    },
    "attemptCount": 1,
    "attempts": [
        {
            "podName": "hello-0123abcd",
            "node": "node1",
            "reason": "NodeLost",
            "message": "The node of the build pod was lost.",
            "exitCode": 137,
            "startTime": NOW,
            "completionTime": NOW,
        }
    ],
    "builderImage": "registry.example.com/builder@" + DIGEST,
    "startTime": NOW,
    "completionTime": NOW,
    "duration": "1m23s",
    "queue": {"position": 1, "message": "The cluster is full."},
    "timings": {
        "queuedMilliseconds": 0,
        "scheduledMilliseconds": 1,
        "pulledMilliseconds": 2,
        "fetchMilliseconds": 3,
        "buildMilliseconds": 4,
        "pushMilliseconds": 5,
        "totalMilliseconds": 6,
    },
    "cache": {"hits": 0, "misses": 3},
    "failure": {
        "reason": "RunCommandFailed",
        "message": "RUN make failed.",
        "hint": "Read the log.",
        "dockerfileLine": 12,
        "instruction": "RUN make",
        "exitCode": 2,
        "logTail": "make: *** [all] Error 2\n",
    },
}


@pytest.mark.shows("F17")
@pytest.mark.parametrize(
    "change",
    [
        {"timeoutSeconds": 60},
        {"contextDir": "x"},
        {"output": {"images": ["registry.example.com/team/app:2"]}},
        {"retry": {"limit": 1}},
        {"concurrency": {"group": "main", "policy": "Serial"}},
        {"queueName": "builds"},
        {"proxy": {}},
        {"podTemplate": {"spec": {"nodeSelector": {"disk": "ssd"}}}},
        {"timeoutSeconds": None, "target": "x"},
    ],
    ids=str,
)
def test_the_spec_cannot_be_changed(builds: Builds, change: dict[str, object]) -> None:
    builds.create(spec())
    with pytest.raises(client.ApiException) as refused:
        builds.patch({"spec": change})
    assert "spec is immutable: one ImageBuild is one build" in message(refused.value)
    assert 'run "kubectl replace --force -f FILE"' in message(refused.value)


@pytest.mark.parametrize(
    ("fields", "change"),
    [
        ({}, {"output": {"images": ["registry.example.com/app-b:1", "registry.example.com/app-a:1"]}}),
        ({"pullSecretRefs": [{"name": "a"}, {"name": "b"}]}, {"pullSecretRefs": [{"name": "b"}, {"name": "a"}]}),
        (
            {"buildArgs": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"buildArgs": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
        ),
    ],
    ids=["images", "pullSecretRefs", "buildArgs"],
)
def test_the_order_of_lists_cannot_be_changed(
    builds: Builds, fields: dict[str, object], change: dict[str, object]
) -> None:
    builds.create(spec(output={"images": ["registry.example.com/app-a:1", "registry.example.com/app-b:1"]}, **fields))
    with pytest.raises(client.ApiException) as refused:
        builds.patch({"spec": change})
    assert "spec is immutable: one ImageBuild is one build" in message(refused.value)


@pytest.mark.parametrize(
    "change", [{"cancel": True}, {"suspend": True}, {"priority": 5}, {"ttlSecondsAfterFinished": 60}], ids=str
)
def test_what_manages_a_build_can_be_changed(builds: Builds, change: dict[str, object]) -> None:
    builds.create(spec(contextDir="x"))
    assert builds.patch({"spec": change})["metadata"]["generation"] == 2


@pytest.mark.parametrize("value", [False, None])
def test_a_cancelled_build_stays_cancelled(builds: Builds, value: bool | None) -> None:  # noqa: FBT001
    builds.create(spec(cancel=False))
    builds.patch({"spec": {"cancel": True}})
    with pytest.raises(client.ApiException) as refused:
        builds.patch({"spec": {"cancel": value}})
    assert 'a cancelled build stays cancelled. To build again, run "kubectl replace --force -f FILE"' in message(
        refused.value
    )


def test_applying_the_same_again_changes_nothing(builds: Builds, kubectl: Kubectl) -> None:
    manifest = (
        "apiVersion: imagebuild.dev/v1alpha1\nkind: ImageBuild\nmetadata: {name: hello}\n"
        "spec:\n  source: {configMap: {name: files}}\n  output: {images: [registry.example.com/team/app]}\n"
    )
    for outcome in ("created", "unchanged"):
        assert outcome in kubectl("apply", "-n", builds.namespace, "-f", "-", stdin=manifest)
    assert builds.get()["metadata"]["generation"] == 1


def test_an_edited_file_is_built_by_replace(builds: Builds, kubectl: Kubectl, tmp_path: Path) -> None:
    """As docs/how-to/follow-a-build.md says."""
    file = tmp_path / "app.yaml"

    def write(image: str) -> None:
        body = {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuild", "metadata": {"name": "hello"}}
        file.write_text(json.dumps({**body, "spec": spec(output={"images": [image]})}))

    write("registry.example.com/team/app:1")
    kubectl("apply", "-n", builds.namespace, "-f", str(file))
    before = builds.get()["metadata"]["uid"]
    write("registry.example.com/team/app:2")
    refused = kubectl.run("apply", "-n", builds.namespace, "-f", str(file))
    assert refused.returncode != 0
    assert 'run "kubectl replace --force -f FILE"' in refused.stderr
    kubectl("replace", "--force", "-n", builds.namespace, "-f", str(file))
    made = builds.get()
    assert made["metadata"]["uid"] != before
    assert made["spec"]["output"]["images"] == ["registry.example.com/team/app:2"]


def test_labels_and_annotations_can_be_changed(builds: Builds) -> None:
    builds.create(spec())
    assert builds.patch({"metadata": {"labels": {"team": "web"}}})["metadata"]["generation"] == 1


def test_status_is_kept_whole_and_apart_from_the_spec(builds: Builds) -> None:
    created = builds.create(spec(), status={"phase": "Succeeded"})
    assert "status" not in created
    written = builds.patch_status(STATUS)
    assert written["status"] == STATUS
    assert written["metadata"]["generation"] == 1
    assert written["spec"] == created["spec"]
    assert builds.patch({"status": {"phase": "Failed"}})["status"] == STATUS


def test_a_phase_of_a_later_version_is_taken(builds: Builds) -> None:
    builds.create(spec())
    assert builds.patch_status({"phase": "Scanning"})["status"]["phase"] == "Scanning"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"conditions": [{"type": "Succeeded", "status": "True"}]}, "lastTransitionTime: Required value"),
        ({"conditions": CONDITIONS * 2}, "Duplicate value"),
        ({"startTime": "yesterday"}, "must be of type date-time"),
        ({"percent": 50}, 'unknown field "status.percent"'),
    ],
    ids=str,
)
def test_a_malformed_status_is_refused(builds: Builds, status: dict[str, object], words: str) -> None:
    builds.create(spec())
    with pytest.raises(client.ApiException) as refused:
        builds.patch_status(status)
    assert words in message(refused.value)


def test_kubectl_get_shows_what_matters(builds: Builds, kubectl: Kubectl) -> None:
    builds.create(spec())
    builds.patch_status(STATUS)
    header, row = kubectl("get", "ib", "-n", builds.namespace).splitlines()
    assert header.split() == ["NAME", "PHASE", "REASON", "IMAGE", "AGE"]
    shown = ["hello", "Succeeded", "Pushed", "registry.example.com/team/app:1"]
    assert row.split()[:-1] == shown
    header, row = kubectl("get", "builds", "-o", "wide", "-n", builds.namespace).splitlines()
    wide = ["PROGRESS", "DURATION", "DIGEST", "QUEUE", "ATTEMPTS", "NODE", "POD"]
    assert header.split()[-7:] == wide
    assert row.split()[-7:] == ["3/9", "1m23s", DIGEST, "1", "1", "node1", "hello-0123abcd"]


def test_the_table_of_the_api_server(builds: Builds, api: client.ApiClient) -> None:
    builds.create(spec())
    builds.patch_status(STATUS)
    builds.create(spec(), name="waits")
    builds.patch_status({"phase": "Queued", "queue": {"position": 3, "message": "2 are before it."}}, name="waits")
    builds.create(spec(), name="unseen")
    shown: Any = api.call_api(
        *api.param_serialize(
            "GET",
            f"/apis/imagebuild.dev/v1alpha1/namespaces/{builds.namespace}/imagebuilds",
            header_params={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"},
            auth_settings=["BearerToken"],
        )
    )
    table = json.loads(shown.read())
    columns = {column["name"]: (column["type"], column["priority"]) for column in table["columnDefinitions"]}
    numbers = dict.fromkeys(("Queue", "Attempts"), "integer")
    texts = dict.fromkeys(("Progress", "Duration", "Digest"), "string")
    wide = {**texts, **numbers, "Node": "string", "Pod": "string"}
    assert {name: kind for name, (kind, priority) in columns.items() if priority} == wide
    rows = {row["cells"][0]: dict(zip(columns, row["cells"], strict=True)) for row in table["rows"]}
    assert [rows["hello"][name] for name in wide] == ["3/9", "1m23s", DIGEST, 1, 1, "node1", "hello-0123abcd"]
    assert [rows["waits"][name] for name in wide] == [None, None, None, 3, None, None, None]
    assert [rows["unseen"][name] for name in ("Phase", "Reason", *wide)] == [None] * 9


def test_kubectl_wait_sees_both_conditions(builds: Builds, kubectl: Kubectl) -> None:
    builds.create(spec())
    builds.patch_status(STATUS)
    for condition in ("Succeeded", "Finished"):
        kubectl("wait", "ib/hello", "-n", builds.namespace, f"--for=condition={condition}", "--timeout=5s")


def test_an_unknown_field_stops_kubectl(builds: Builds, kubectl: Kubectl) -> None:
    manifest = (
        "apiVersion: imagebuild.dev/v1alpha1\nkind: ImageBuild\nmetadata: {name: hello}\n"
        "spec:\n  source: {configMap: {name: files}}\n  output: {image: registry.example.com/team/app}\n"
    )
    done = kubectl.run("apply", "-n", builds.namespace, "-f", "-", stdin=manifest)
    assert done.returncode != 0
    assert 'unknown field "spec.output.image"' in done.stderr
