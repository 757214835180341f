import json
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import pytest
from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import ClusterError, RejectedError
from imagebuild_operator.api.time import format_time
from imagebuild_operator.decide.attempt import decide, needs_explanation
from imagebuild_operator.decide.plan import DeletePod, Plan
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.retry import spread
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.pod.manifest import pod_name
from imagebuild_operator.status.document import next_status
from imagebuild_operator.status.outcome import Outcome
from imagebuild_vocabulary.phases import Phase
from support.builds import DIGEST, POD, SETTINGS, START, UID, a_build, a_pod, after, ended, recorded, running, waiting


def plan(build: ImageBuild, pod: PodFacts | None, now: datetime | None = None) -> Plan:
    return decide(ReconcileInput(build, [pod] if pod else [], SETTINGS, now or after(20)))


NEVER_AGAIN = {"retry": {"limit": 0}}


def status(made: Plan) -> dict[str, Any]:
    assert made.status is not None
    return made.status


def test_a_new_build_gets_a_pod_and_nothing_else_first():
    made = plan(a_build(), None)
    assert [create.name for create in made.create] == [POD]
    assert made == Plan(create=made.create)


def test_the_first_status_of_a_build_as_a_whole():
    made = plan(a_build(), a_pod(), after(1))
    message = f"Pod {POD} is being prepared: scheduling, builder image, registry check."
    condition = {
        "reason": "Preparing",
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-24T08:00:01Z",
    }
    assert status(made) == {
        "observedGeneration": 1,
        "phase": "Preparing",
        "message": message,
        "conditions": [
            {"type": "Succeeded", "status": "Unknown", **condition},
            {"type": "Finished", "status": "False", **condition, "message": ""},
            {"type": "Waiting", "status": "True", **condition, "message": ""},
            {"type": "Ready", "status": "False", **condition, "message": ""},
            {"type": "Reconciling", "status": "True", **condition},
            {"type": "Stalled", "status": "False", **condition, "message": ""},
        ],
        "attemptCount": 1,
        "podName": POD,
        "podUID": "pod-1",
        "startTime": "2026-11-24T08:00:00Z",
        "builderImage": "registry.example/builder:1",
    }
    [event] = made.events
    assert (event.type, event.reason) == ("Normal", "Preparing")
    assert made.requeue_after == 599


def test_nothing_new_writes_nothing():
    build = a_build()
    pod = a_pod(phase="Running", node="node1", build=running())
    build = recorded(build, plan(build, pod))
    again = plan(build, pod, after(30))
    assert (again.status, again.events, again.delete, again.create) == (None, (), (), ())
    assert again.requeue_after is not None
    without = decide(ReconcileInput(build, [pod], replace(SETTINGS, progress=False), after(30)))
    assert without.requeue_after == 600 + 60 - 30


def test_a_success_as_a_whole():
    build_report = json.dumps(
        {
            "source": {"url": "https://example.com/context.tar.gz", "sha256": "cd" * 32, "bytes": 9},
            "timings": {"fetchMs": 12, "buildMs": 3400},
            "cache": {"hits": 1, "misses": 2},
            "baseImages": [{"reference": "docker.io/library/busybox:1", "digest": DIGEST}],
        }
    )
    push_report = json.dumps(
        {
            "digest": DIGEST,
            "images": [{"reference": "registry.example/team/app:1", "digest": DIGEST, "sizeBytes": 77}],
            "layerBytes": [30, 40],
            "timings": {"pushMs": 250},
        }
    )
    pod = a_pod(
        phase="Succeeded",
        node="node1",
        scheduled=after(1),
        build=ended(0, build_report, start=3, end=70),
        push=ended(0, push_report, start=71, end=83),
    )
    message = f"Pushed registry.example/team/app:1 as {DIGEST}."
    condition = {
        "status": "True",
        "reason": "Succeeded",
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-24T08:01:30Z",
    }
    assert status(plan(a_build(), pod, after(90))) == {
        "observedGeneration": 1,
        "phase": "Succeeded",
        "message": message,
        "conditions": [
            {"type": "Succeeded", **condition},
            {"type": "Finished", **condition, "message": ""},
            {"type": "Waiting", **condition, "status": "False", "message": ""},
            {"type": "Ready", **condition, "message": ""},
            {"type": "Reconciling", **condition, "status": "False", "message": ""},
            {"type": "Stalled", **condition, "status": "False", "message": ""},
        ],
        "podName": POD,
        "podUID": "pod-1",
        "node": "node1",
        "startTime": "2026-11-24T08:00:00Z",
        "completionTime": "2026-11-24T08:01:23Z",
        "duration": "1m23s",
        "builderImage": "registry.example/builder:1",
        "timings": {
            "queuedMilliseconds": 0,
            "scheduledMilliseconds": 1000,
            "pulledMilliseconds": 2000,
            "fetchMilliseconds": 12,
            "buildMilliseconds": 3400,
            "pushMilliseconds": 250,
            "totalMilliseconds": 83000,
        },
        "source": {"url": "https://example.com/context.tar.gz", "sha256": "cd" * 32, "bytes": 9},
        "cache": {"hits": 1, "misses": 2},
        "baseImages": [{"reference": "docker.io/library/busybox:1", "digest": DIGEST}],
        "attemptCount": 1,
        "attempts": [
            {
                "podName": POD,
                "node": "node1",
                "message": message,
                "startTime": "2026-11-24T08:00:00Z",
                "completionTime": "2026-11-24T08:01:23Z",
            }
        ],
        "digest": DIGEST,
        "images": [{"reference": "registry.example/team/app:1", "digest": DIGEST, "sizeBytes": 77}],
        "layerBytes": [30, 40],
    }


def test_timings_are_those_of_the_last_attempt_and_count_no_second_twice():
    first = {"podName": "other", "reason": "NodeLost", "completionTime": "2026-11-24T08:01:00Z"}
    begun = {"startTime": "2026-11-24T08:00:10Z", "attempts": [first], "phase": "Pending", "podName": "other"}
    build = a_build(status=begun)
    pod = a_pod(
        name=pod_name(build, 2),
        created=after(70),
        phase="Succeeded",
        scheduled=after(71),
        check=ended(0, "{}", start=73, end=75),
        build=ended(0, json.dumps({"timings": {"fetchMs": 12, "buildMs": 3400}}), start=76, end=80),
        push=ended(0, json.dumps({"digest": DIGEST, "timings": {"pushMs": 250}}), start=81, end=83),
    )
    assert status(plan(build, pod, after(90)))["timings"] == {
        "queuedMilliseconds": 10_000,
        "scheduledMilliseconds": 1000,
        "pulledMilliseconds": 2000,
        "checkMilliseconds": 2000,
        "fetchMilliseconds": 12,
        "buildMilliseconds": 3400,
        "pushMilliseconds": 250,
        "totalMilliseconds": 73_000,
    }


def test_what_a_gate_held_back_has_waited_in_the_queue_and_not_for_a_node():
    build = a_build(NEVER_AGAIN, {"startTime": "2026-11-24T08:00:30Z", "phase": "Preparing", "podName": POD})
    pod = a_pod(created=after(0), scheduled=after(32), phase="Failed", build=ended(7, "{}", start=33, end=40))
    timings = status(plan(build, pod, after(41)))["timings"]
    assert (timings["queuedMilliseconds"], timings["scheduledMilliseconds"], timings["pulledMilliseconds"]) == (
        30_000,
        2000,
        1000,
    )


def test_what_a_success_is_to_be_warned_of_is_recorded_and_told_once():
    said = json.dumps({"warnings": ["The cache was not written.", "Mirror m gave nothing."]})
    pushed = json.dumps({"digest": DIGEST, "warnings": ["Mirror m gave nothing.", "Credentials were left out."]})
    pod = a_pod(phase="Succeeded", check=ended(0, "{}"), build=ended(0, said), push=ended(0, pushed))
    made = plan(a_build(), pod)
    assert status(made)["warnings"] == [
        "The cache was not written.",
        "Mirror m gave nothing.",
        "Credentials were left out.",
    ]
    assert [(event.type, event.reason) for event in made.events] == [
        ("Normal", "Succeeded"),
        ("Warning", "BuildWarning"),
    ]
    assert made.events[1].message == "The cache was not written. 2 more are in status.warnings."
    assert plan(recorded(a_build(), made), pod).events == ()


def test_what_a_failure_is_to_be_warned_of_is_recorded_beside_its_cause():
    report = json.dumps({"reason": "CopyFailed", "message": "No such file.", "warnings": ["COPY *.c copies nothing"]})
    made = plan(a_build(), a_pod(phase="Failed", build=ended(73, report)))
    assert status(made)["warnings"] == ["COPY *.c copies nothing"]
    assert [event.reason for event in made.events] == ["CopyFailed"]


def test_a_failure_keeps_what_is_needed_when_the_pod_has_gone():
    report = json.dumps(
        {
            "reason": "RunCommandFailed",
            "message": "RUN make failed with exit code 7.",
            "hint": "Look at the last lines.",
            "instruction": "RUN make",
            "dockerfileLine": 4,
            "logTail": "make: *** [all] Error 7",
        }
    )
    made = plan(a_build(), a_pod(phase="Failed", build=ended(7, report)))
    assert status(made)["failure"] == {
        "reason": "RunCommandFailed",
        "message": "RUN make failed with exit code 7.",
        "hint": "The end of the log (failure.logTail) has the output of the command.",
        "dockerfileLine": 4,
        "instruction": "RUN make",
        "exitCode": 7,
        "logTail": "make: *** [all] Error 7",
    }
    finished = recorded(a_build(), made)
    assert plan(finished, None) == Plan()


def test_a_reason_that_has_passed_is_taken_back():
    build = a_build()
    build = recorded(build, plan(build, a_pod(build=waiting("CreateContainerConfigError", 'secret "x" not found'))))
    assert build.status["reason"] == "SecretNotFound"
    made = plan(build, a_pod(phase="Running", build=running()))
    assert status(made)["reason"] is None
    assert status(made)["phase"] == "Building"


def test_a_finished_build_is_never_changed_but_its_pod_does_not_run_on():
    build = a_build(status={"phase": "Failed", "reason": "SecretNotFound", "podName": POD})
    assert plan(build, a_pod(build=running())) == Plan(delete=(DeletePod(POD, "pod-1"),))
    assert plan(build, a_pod(phase="Failed")) == Plan()
    assert plan(build, a_pod(deletion=after(1))) == Plan()


def test_a_recorded_pod_that_is_gone_fails_the_build():
    build = a_build(NEVER_AGAIN, {"phase": "Building", "podName": POD})
    assert status(plan(build, None))["reason"] == "PodDeleted"


def test_a_pod_that_was_being_evicted_and_is_gone_was_evicted():
    build = a_build(NEVER_AGAIN, {"phase": "Building", "reason": "Evicted", "podName": POD})
    assert status(plan(build, None))["failure"]["reason"] == "Evicted"


@pytest.mark.shows("F14")
def test_a_build_past_its_deadline_is_stopped_and_then_fails_with_its_log():
    pod = a_pod(phase="Running", node="node1", build=running())
    build = recorded(a_build(), plan(a_build(), pod))
    assert plan(build, pod, after(659)).delete == ()
    stopping = plan(build, pod, after(661))
    assert stopping.delete == (DeletePod(POD, "pod-1"),)
    assert status(stopping)["reason"] == "DeadlineExceeded"
    build = recorded(build, stopping)
    stopped = a_pod(phase="Failed", deletion=after(690), build=ended(143, '{"reason": "Cancelled", "logTail": "make"}'))
    final = status(plan(build, stopped, after(670)))
    assert (final["phase"], final["failure"]["reason"]) == ("Failed", "DeadlineExceeded")
    assert final["failure"]["logTail"] == "make"


def test_a_pod_that_never_began_fails_for_what_it_waited_for():
    pod = a_pod(build=waiting("CreateContainerConfigError", 'secret "x" not found'))
    build = recorded(a_build(), plan(a_build(), pod))
    made = plan(build, pod, after(601))
    assert status(made)["phase"] == "Failed"
    assert status(made)["failure"]["reason"] == "SecretNotFound"
    assert made.delete == (DeletePod(POD, "pod-1"),)


def test_the_queue_of_a_gated_build_is_named():
    made = plan(a_build({"queueName": "builds"}), a_pod(is_gated=True), after(5))
    assert status(made)["message"].startswith(f"Kueue holds pod {POD} in LocalQueue builds. The build starts when")


def test_a_build_that_kueue_preempts_is_evicted():
    pod = a_pod(phase="Running", deletion=after(100), disruption="WorkloadEvictedDueToPreempted", build=running())
    assert status(plan(a_build(), pod, after(5)))["reason"] == "Evicted"


def test_the_time_behind_a_scheduling_gate_does_not_count():
    gated = a_pod(is_gated=True)
    made = plan(a_build(), gated, after(5))
    assert (status(made)["phase"], status(made)["reason"]) == ("Queued", "Gated")
    assert "startTime" not in status(made)
    build = recorded(a_build(), made)
    assert plan(build, gated, after(5000)) == Plan()
    made = plan(build, a_pod(), after(5001))
    assert (status(made)["phase"], status(made)["startTime"]) == ("Preparing", "2026-11-24T09:23:21Z")


@pytest.mark.shows("F10")
def test_a_builder_image_that_cannot_be_pulled_is_given_up_early():
    pod = a_pod(scheduled=after(0), build=waiting("ImagePullBackOff", "no such host"))
    assert status(plan(a_build(NEVER_AGAIN), pod, after(299)))["phase"] == "Preparing"
    assert status(plan(a_build(NEVER_AGAIN), pod, after(300)))["failure"]["reason"] == "BuilderImagePullFailed"


@pytest.mark.shows("F15")
def test_a_node_that_keeps_a_deleted_pod_does_not_keep_its_build():
    pod = a_pod(phase="Running", deletion=after(100), disruption="DeletionByTaintManager", build=running())
    assert status(plan(a_build(NEVER_AGAIN), pod, after(159)))["phase"] == "Building"
    assert status(plan(a_build(NEVER_AGAIN), pod, after(160)))["failure"]["reason"] == "NodeLost"


def test_what_only_the_operator_can_see_is_invalid_too():
    incompressible = Random(1).randbytes(96_000).hex()
    made = plan(a_build({"source": {"inline": {"files": {"a": incompressible}}}}), None)
    assert status(made)["reason"] == "InvalidSpec"
    assert status(made)["message"].startswith("spec.source.inline.files: ")


@pytest.mark.shows("F13")
def test_a_pod_that_was_not_taken_is_tried_again_later_and_one_for_a_new_namespace_soon():
    quota = RejectedError(403, 'pods "app-1" is forbidden: exceeded quota: small, requested: pods=1')
    account = RejectedError(403, 'pods "app-1" is forbidden: error looking up service account team/default: not found')
    waits = {"status": {"phase": "Pending", "reason": "QuotaExceeded", "waitStartTime": format_time(START)}}
    for error, now, seconds in (
        (quota, 0, 10),
        (account, 0, 1),
        (account, 11, 11),
        (quota, 50, 50),
        (quota, 9999, 300),
    ):
        plan = decide(ReconcileInput(a_build(**waits), [], SETTINGS, after(now), refusals={POD: error}))
        assert plan.requeue_after == (seconds if seconds == 1 else seconds * spread(UID))


def test_the_message_of_a_refusal_does_not_change_with_its_numbers():
    build = a_build()
    first, again, other = (
        RejectedError(403, f'pods "app-1" is forbidden: exceeded quota: small, requested: {text}')
        for text in (
            "pods=1, used: pods=9, limited: pods=10",
            "pods=1, used: pods=10, limited: pods=10",
            "cpu=1, used: cpu=3",
        )
    )
    webhook = ClusterError(500, "failed calling webhook: read tcp 10.1.2.3:40312->10.96.0.7:443: connection refused")
    port = ClusterError(500, "failed calling webhook: read tcp 10.1.2.3:40398->10.96.0.7:443: connection refused")

    def refused(error: ClusterError) -> Plan:
        return decide(ReconcileInput(build, [], SETTINGS, after(0), refusals={POD: error}))

    build = recorded(build, refused(first))
    assert "exceeded quota: small, requested: pods=1, limited: pods=10. The build starts" in build.status["message"]
    assert refused(again).status is None
    assert refused(other).status
    build = recorded(build, refused(webhook))
    assert refused(port).status is None


def test_a_cluster_without_image_volumes_names_what_needs_them():
    error = RejectedError(422, 'Pod "app-1" is invalid: spec.volumes[4]: Required value: must specify a volume type')
    scanned = {"limits": {"vulnerabilities": {"scanner": "r.example/trivy:1", "database": "r.example/db:1"}}}
    needs = "needs image volumes: Kubernetes 1.35 or later"
    for spec, told in ((scanned, True), ({}, False)):
        build = a_build({"engine": "Kaniko", **spec})
        made = status(decide(ReconcileInput(build, [], SETTINGS, after(0), refusals={POD: error})))
        assert (made["phase"], made["reason"]) == ("Failed", "PodRejected")
        assert (needs in made["message"]) is told


def test_the_kubelet_is_asked_about_a_pod_that_does_not_start():
    stuck = a_pod(scheduled=after(0), build=waiting("PodInitializing"))
    assert not needs_explanation(stuck, after(4))
    assert needs_explanation(stuck, after(5))
    assert not needs_explanation(a_pod(scheduled=after(0), build=running()), after(50))
    assert not needs_explanation(a_pod(), after(50))


def test_attempts_of_a_multi_platform_build_are_those_of_the_platform_that_took_most():
    platforms = [
        {"platform": "linux/amd64", "phase": "Building", "podName": "b", "attempts": [{"podName": "a"}]},
        {"platform": "linux/arm64", "phase": "Preparing", "podName": "c"},
        {"platform": "linux/s390x", "phase": "Pending", "podName": "d", "attempts": [{"podName": "d"}]},
        {"platform": "linux/ppc64le", "phase": "Pending"},
    ]
    outcome = Outcome(Phase.BUILDING, "Building.")
    status = next_status(a_build(status={"platforms": platforms}), outcome, None, "builder:1", START, ())
    assert status["attemptCount"] == 2
    once = {"phase": "Succeeded", "podName": "b", "attempts": [{"podName": "b"}]}
    built = [{"platform": name, **once} for name in ("linux/amd64", "linux/arm64")]
    build, index = a_build(status={"platforms": built, "podName": "index"}), ({"podName": "index"},)
    assert next_status(build, Outcome(Phase.SUCCEEDED, "Done."), None, "builder:1", START, index)["attemptCount"] == 1


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_a_missing_object_is_waited_for_and_after_the_deadline_the_build_must_be_repeated(kind: str):
    said = f'{kind.lower()} "mine" not found'
    pod = a_pod(node="node1", scheduled=after(1), build=waiting("CreateContainerConfigError", said))
    made = plan(a_build(NEVER_AGAIN), pod, after(2))
    create = f"Create the {kind} in the build's namespace, with the key that the build uses"
    assert status(made)["message"] == f"Waiting: {said}. {create}; the build continues automatically."
    build = recorded(a_build(NEVER_AGAIN), made)
    build = recorded(build, plan(build, pod, after(601)))
    assert (build.status["phase"], build.status["reason"]) == ("Failed", f"{kind}NotFound")
    assert build.status["message"] == (
        f"Gave up after 601 s. Waiting: {said}. {create}, then build again with kubectl replace --force -f FILE."
    )


def test_a_missing_service_account_is_waited_for_and_after_the_deadline_the_build_must_be_repeated():
    error = RejectedError(403, 'pods "app" is forbidden: error looking up service account team/mine: not found')
    first = {"podName": "gone", "reason": "NodeLost", "completionTime": "2026-11-24T08:00:01Z"}
    build = a_build(status={"startTime": "2026-11-24T08:00:00Z", "attempts": [first], "phase": "Pending"})
    refusals = {pod_name(build, 2): error}
    build = recorded(build, decide(ReconcileInput(build, [], SETTINGS, after(60), refusals=refusals)))
    assert build.status["message"].endswith(
        "Create the ServiceAccount in the build's namespace; the build continues automatically."
    )
    build = recorded(build, decide(ReconcileInput(build, [], SETTINGS, after(601), refusals=refusals)))
    assert (build.status["phase"], build.status["reason"]) == ("Failed", "ServiceAccountNotFound")
    assert build.status["message"].endswith("then build again with kubectl replace --force -f FILE.")


def test_a_long_message_ends_with_what_to_do():
    made = plan(a_build(), a_pod(unschedulable="0/1 nodes: " + "taint " * 400), after(2))
    assert len(status(made)["message"]) <= 1024
    assert status(made)["message"].endswith("build again with kubectl replace --force -f FILE.")


_KEY = {"secretKeyRef": {"name": "push", "key": "x"}}


@pytest.mark.parametrize(
    ("engine", "own", "field"),
    [
        ("Kaniko", {"pullSecretRefs": [{"name": "push"}]}, "pullSecretRefs"),
        ("BuildKit", {"pullSecretRefs": [{"name": "push"}]}, None),
        ("Kaniko", {"pullSecretRefs": [{"name": "pull"}]}, None),
        ("Kaniko", {}, None),
        (
            "Kaniko",
            {"source": {"oci": {"image": "a.b/c:1", "secretRef": {"name": "push"}}}},
            "source.oci.secretRef",
        ),
        ("BuildKit", {"source": {"oci": {"image": "a.b/c:1", "secretRef": {"name": "push"}}}}, None),
        ("Kaniko", {"env": [{"name": "A", "valueFrom": _KEY}]}, "env[0].valueFrom.secretKeyRef"),
        ("BuildKit", {"buildSecrets": [{"id": "a", **_KEY}]}, "buildSecrets[0].secretKeyRef"),
        ("Kaniko", {"buildArgs": [{"name": "A", "valueFrom": _KEY}]}, "buildArgs[0].valueFrom.secretKeyRef"),
    ],
)
def test_a_push_secret_that_another_field_puts_within_reach_of_run_has_a_warning(
    engine: str, own: dict[str, Any], field: str | None
):
    output = {"images": ["registry.example/team/app:1"], "pushSecretRef": {"name": "push"}}
    build = a_build({"output": output, **own})
    report = json.dumps({"digest": DIGEST})
    pod = a_pod(
        phase="Succeeded", node="node1", build=ended(0, "{}", start=3, end=7), push=ended(0, report, start=8, end=9)
    )
    warnings = status(plan(build, replace(pod, engine=engine), after(90))).get("warnings") or []
    assert [each.partition(", so RUN")[0] for each in warnings] == (
        [f"Secret push is in {field}, too"] if field else []
    )
