"""Which ImageBuildDefaults and ClusterImageBuildDefaults are in force, and what their status says."""

from typing import Any

import pytest
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.cache.keys import DefaultsKey, Sweep
from imagebuild_operator.cache.store import Store
from imagebuild_operator.decide.build import decide_build
from imagebuild_operator.decide.gate import Gate
from imagebuild_operator.decide.plan import Plan
from imagebuild_operator.decide.queue import invalid_defaults
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.defaults.effective import with_defaults
from imagebuild_operator.defaults.namespace import NO_DEFAULTS, NamespaceDefaults, namespace_defaults
from imagebuild_operator.defaults.objects import find_problem, parse_defaults
from imagebuild_operator.defaults.status import needs_status, next_status
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.settings import History, Limits
from support.builds import SETTINGS, a_build, a_pod, after, body, ended, recorded

Json = dict[str, Any]
CREDENTIALS = {"podTemplate": {"metadata": {"annotations": {"example.com/hook": "https://me:pw@example.com/hook"}}}}


def an_object(spec: Json, namespace: str = "team", version: str = "7", **more: Any) -> Json:  # noqa: ANN401 - any field
    metadata = {"name": "default", "uid": f"of-{namespace}", "resourceVersion": version, "generation": 2}
    return {"metadata": {**metadata, **({"namespace": namespace} if namespace else {})}, "spec": spec, **more}


def both(namespace: Json | None, cluster: Json | None) -> NamespaceDefaults:
    bodies = (None if spec is None else an_object(spec, name) for spec, name in ((namespace, "team"), (cluster, "")))
    return namespace_defaults(*(None if made is None else parse_defaults(made) for made in bodies))


def test_the_build_counts_before_its_namespace_and_that_before_the_cluster():
    cluster = {
        "timeoutSeconds": 100,
        "retry": {"limit": 1, "memoryPercent": 200},
        "pushSecretRef": {"name": "cluster"},
        "cache": {"repo": "r.io/cluster"},
        "limits": {"maxRunning": 4, "maxTimeoutSeconds": 900},
        "history": {"failed": 9, "succeeded": 9},
        "ttlSecondsAfterFinished": 60,
        "allowedServiceAccounts": ["cluster"],
    }
    namespace = {
        "timeoutSeconds": 200,
        "retry": {"limit": 2},
        "limits": {"maxRunning": 10},
        "history": {"failed": 1},
        "allowedServiceAccounts": ["team"],
    }
    made = both(namespace, cluster)
    assert (made.max_running, made.history, made.ttl) == (4, History(9, 1), 60)
    assert (made.bounds.timeout_seconds, made.bounds.service_accounts) == (900, frozenset({"default"}))
    assert made.applied["sources"] == [
        {"kind": "ImageBuildDefaults", "generation": 2},
        {"kind": "ClusterImageBuildDefaults", "generation": 2},
    ]
    spec = with_defaults(a_build({"retry": {"limit": 3}}), made).spec
    assert spec["retry"] == {"limit": 3, "memoryPercent": 200}
    assert spec["output"]["pushSecretRef"] == {"name": "cluster"}
    assert spec["cache"] == {"repo": "r.io/cluster"}
    assert both(None, cluster).values["timeoutSeconds"] == 100
    assert both(None, None) == NO_DEFAULTS == both({}, {})


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"timeoutSeconds": 60, "pullSecretRefs": [{"name": "hub"}]}, ""),
        (CREDENTIALS, "spec.podTemplate.metadata.annotations[example.com/hook] holds what looks like a credential"),
        (
            {"registries": [{"host": "a.io", "mirrors": ["https://me:pw@m.io"]}]},
            "spec.registries[0].mirrors[0] holds what looks like a credential",
        ),
    ],
)
def test_defaults_that_hold_credentials_are_not_in_force(spec: Json, problem: str):
    found = find_problem(spec)
    assert found.startswith(problem)
    assert bool(found) is bool(problem)
    assert "pw" not in found


def decided(build: Any, defaults: NamespaceDefaults, pods: list[PodFacts], seconds: float) -> Plan:  # noqa: ANN401
    return decide_build(ReconcileInput(with_defaults(build, defaults), pods, SETTINGS, after(seconds)))


def test_what_the_first_attempt_gets_by_default_the_second_gets_unmasked():
    """Whatever a later version takes for a secret: what was recorded is what is built from."""
    hook = {"podTemplate": {"metadata": {"annotations": {"example.com/hook": "https://me:pw@example.com/hook"}}}}
    defaults = NamespaceDefaults(values=hook)
    build = a_build({"retry": {"limit": 1}})
    [first] = decided(build, defaults, [], 1).create
    build = recorded(build, decided(build, defaults, [a_pod()], 2))
    lost = a_pod(phase="Failed", reason="Evicted", build=ended(143))
    build = recorded(build, decided(build, NO_DEFAULTS, [lost], 30))
    [second] = decided(build, NO_DEFAULTS, [], 90).create
    assert second.name != first.name
    annotations = [made.manifest["metadata"]["annotations"]["example.com/hook"] for made in (first, second)]
    assert annotations == ["https://me:pw@example.com/hook"] * 2


def test_while_defaults_are_invalid_no_build_of_theirs_starts_and_no_limit_is_lifted():
    store = Store()
    store.put_build(body(name="waits"))
    store.put_build(body(name="other", namespace="other"))
    keys = store.put_defaults(an_object({"limits": {"maxRunning": 1}, **CREDENTIALS}))
    assert keys == [BuildKey("team", "waits"), DefaultsKey("team")]
    gate = Gate(Limits(cluster=1), store.max_running, lambda namespace: store.defaults(namespace).problem)
    build, other = store.build(BuildKey("team", "waits")), store.build(BuildKey("other", "other"))
    assert build
    assert other
    decision = gate.decide(store.unfinished(), after(1))
    assert decision.due == [BuildKey("other", "other")]
    admission = gate.admission(build)
    assert admission == invalid_defaults(store.defaults("team").problem)
    status = decide_build(ReconcileInput(build, [], SETTINGS, after(1), admission)).status or {}
    assert (status["phase"], status["reason"]) == ("Queued", Reason.DEFAULTS_INVALID)
    assert status["message"].startswith("Waiting: ImageBuildDefaults default is invalid: spec.podTemplate.metadata")
    store.put_defaults(an_object({"limits": {"maxRunning": 1}}, version="8"))
    assert gate.admission(build) is None


def test_a_change_of_the_clusters_defaults_concerns_every_namespace_that_it_changes():
    store = Store()
    store.put_build(body(name="waits"))
    store.put_build(body(name="waits", namespace="other"))
    store.put_defaults(an_object({"timeoutSeconds": 5, "limits": {"maxRunning": 3}}))
    keys = store.put_defaults(an_object({"timeoutSeconds": 9, "limits": {"maxRunning": 5}}, namespace=""))
    assert keys == [BuildKey("other", "waits"), DefaultsKey("")]
    assert (store.defaults("team").values, store.defaults("other").values) == (
        {"timeoutSeconds": 5},
        {"timeoutSeconds": 9},
    )
    limits = Limits(namespace=7, namespaces={"capped": 1}, defaults=store.max_running)
    assert [limits.of(name) for name in ("team", "other", "capped")] == [3, 5, 1]
    done = {"phase": "Succeeded", "observedGeneration": 1, "completionTime": "2026-11-24T08:00:00Z"}
    assert store.put_build(body(status=done, name="done")) == []
    keys = store.put_defaults(an_object({"timeoutSeconds": 9, "ttlSecondsAfterFinished": 5}, namespace="", version="8"))
    assert Sweep("team") in keys
    assert store.defaults("team").ttl == 5
    assert limits.of("other") == 7
    store.drop_defaults(an_object({}, namespace=""))
    assert (store.defaults("team").ttl, store.defaults("other")) == (None, NO_DEFAULTS)


def test_a_list_without_the_clusters_defaults_forgets_them():
    store = Store()
    store.put_defaults(an_object({"timeoutSeconds": 9}, namespace=""))
    with store.relist() as relist:
        relist.defaults(an_object({"timeoutSeconds": 9}, namespace=""))
    assert store.defaults("team").values == {"timeoutSeconds": 9}
    with store.relist():
        pass
    assert store.defaults("team") == NO_DEFAULTS


def test_an_object_of_another_name_is_not_used():
    named = an_object({"timeoutSeconds": 9})
    named["metadata"]["name"] = "other"
    store = Store()
    assert store.put_defaults(named) == []
    assert store.defaults("team") == NO_DEFAULTS


@pytest.mark.parametrize(
    ("spec", "ready", "stalled", "reason"),
    [({"timeoutSeconds": 5}, "True", "False", "InForce"), (CREDENTIALS, "False", "True", "InvalidSpec")],
)
def test_the_status_says_whether_defaults_are_in_force(spec: Json, ready: str, stalled: str, reason: str):
    made = parse_defaults(an_object(spec))
    assert needs_status(made)
    status = next_status(made, after(1))
    assert status["observedGeneration"] == 2
    assert [(c["type"], c["status"], c["reason"]) for c in status["conditions"]] == [
        ("Ready", ready, reason),
        ("Stalled", stalled, reason),
    ]
    reported = parse_defaults(an_object(spec, status=status))
    assert not needs_status(reported)
    assert next_status(reported, after(99)) == status
    newer = an_object(spec, status=status)
    newer["metadata"]["generation"] = 3
    assert needs_status(parse_defaults(newer))
