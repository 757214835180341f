"""The rows of docs/reference/states.yaml that show in a pod.

A real API server holds what kubelet and scheduler would write.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from functional.kube import Builds, spec
from functional.kubelet import Kubelet
from kubernetes import client
from support.states import Row, moments, pod_status, rows
from support.watching import wait_for_build

Json = dict[str, Any]

#: The operator here has no BuildKit.
SEEN = [row for row in rows() if row.pod is not None and row.at == 20 and not row.recorded and "engine" not in row.spec]
#: What makes a build go on that waits in a phase, and the phase that it is in then.
BUILT = {"terminated": {"exitCode": 0, "startedAt": 5, "finishedAt": 6}}
HEALED = {
    "Pushing": ("Pushing", {"phase": "Running", "build": BUILT, "push": {"running": {"startedAt": 25}}}),
    "Preparing": ("Building", {"phase": "Pending", "build": {"running": {"startedAt": 25}}}),
    "Queued": ("Building", {"phase": "Pending", "build": {"running": {"startedAt": 25}}}),
}


def belongs(name: str, pod: Json) -> bool:
    owner: str = pod["metadata"]["ownerReferences"][0]["name"]
    return owner == name


def has_got_there(row: Row, body: Json) -> bool:
    status = body.get("status") or {}
    if "attempt" not in row.does:
        return (status.get("phase"), status.get("reason")) == (row.phase, row.reason) and row.says in status["message"]
    # The next attempt may have started.
    attempts = status.get("attempts") or ()
    return [attempt.get("reason") for attempt in attempts[:1]] == [row.reason]


@pytest.mark.shows("F10", "F11")
@pytest.mark.usefixtures("operator")
def test_each_state_is_explained_and_the_reason_goes_when_it_heals(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    start = datetime.now(UTC) - timedelta(seconds=30)
    names = {f"row-{number}": row for number, row in enumerate(SEEN)}
    for name, row in names.items():
        fields = {field: value for field, value in row.spec.items() if field != "cancel"}
        builds.create(spec(timeoutSeconds=600, **fields), name=name)
    pods = {name: kubelet.pod(partial(belongs, name)) for name in names}
    for name, row in names.items():
        if node := (row.pod or {}).get("node"):
            kubelet.bind(pods[name], node)
        if row.is_deleted:
            kubelet.delete(pods[name])
        for event in row.events:
            kubelet.tell(pods[name], **moments(event, start))
        kubelet.write(pods[name], pod_status(row, start))
    for name, row in names.items():
        wait_for_build(api, namespace, name, partial(has_got_there, row))
    waiting = {name: row for name, row in names.items() if row.reason and not row.does and not row.is_deleted}
    assert len(waiting) >= 20
    for name, row in waiting.items():
        _, pod = HEALED[str(row.phase)]
        kubelet.write(pods[name], pod_status(Row(name, row.phase, pod=pod), start))
    for name, row in waiting.items():
        wanted, _ = HEALED[str(row.phase)]
        wait_for_build(api, namespace, name, partial(has_got_there, Row(name, wanted)))
