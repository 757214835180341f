"""Builds for several platforms: the pods they get, and how the platforms make one build."""

import json
from dataclasses import replace
from typing import Any

import pytest
import support.builds
from hypothesis import given, settings
from hypothesis import strategies as st
from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import RejectedError
from imagebuild_operator.decide.build import decide_build, parts
from imagebuild_operator.decide.plan import DeletePod, Plan
from imagebuild_operator.decide.queue import BEGIN, SUSPENDED, Admission, superseded
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.retry import spread
from imagebuild_operator.observe.pod import ContainerFacts, PodFacts
from imagebuild_operator.pod.manifest import pod_name
from imagebuild_operator.telemetry.counts import observations
from imagebuild_operator.telemetry.metrics import ATTEMPTS_FINISHED
from support.builds import DIGEST, UID, a_build, a_pod, after, ended, running

#: Without reading logs, which would ask for looks of its own.
SETTINGS = replace(support.builds.SETTINGS, progress=False)
AMD64, ARM64 = "linux/amd64", "linux/arm64/v8"
IMAGE = "registry.example/team/app:1"
SPEC: dict[str, Any] = {"output": {"images": [IMAGE], "platforms": [AMD64, ARM64], "push": True}}
FAILED = ended(7, json.dumps({"reason": "RunCommandFailed", "message": "RUN make failed.", "logTail": "no"}))
UNAVAILABLE = ended(80, json.dumps({"reason": "RegistryUnavailable", "message": "No answer."}))
BUILT = ended(0, json.dumps({"timings": {"fetchMs": 5, "buildMs": 40000}, "cache": {"hits": 1, "misses": 2}}))


def for_both(status: dict[str, Any] | None = None, **fields: object) -> ImageBuild:
    return a_build({**SPEC, **fields}, status)


def name_of(platform: str, attempt: int = 1) -> str:
    return next(pod_name(part, attempt) for part in parts(for_both()) if str(part.platform) == platform)


def pod_of(platform: str, attempt: int = 1, **facts: Any) -> PodFacts:  # noqa: ANN401 - any field of PodFacts
    name = name_of(platform, attempt)
    return a_pod(**{"name": name, "uid": f"uid of {name}", "platform": platform.replace("/", "-"), **facts})


def digest_of(platform: str) -> str:
    return "sha256:" + {AMD64: "a1", ARM64: "a2"}[platform] * 32


def pushed(platform: str, build: ContainerFacts = BUILT) -> PodFacts:
    push = ended(0, json.dumps({"digest": digest_of(platform), "timings": {"pushMs": 700}}))
    return pod_of(platform, phase="Succeeded", node="node1", build=build, push=push)


def index(**facts: Any) -> PodFacts:  # noqa: ANN401 - any field of PodFacts
    return a_pod(uid="index", is_index=True, **facts)


def deletion(platform: str) -> DeletePod:
    return DeletePod(name_of(platform), f"uid of {name_of(platform)}")


def plan(build: ImageBuild, *pods: PodFacts, at: float = 20, admission: Admission | None = BEGIN, **said: Any) -> Plan:  # noqa: ANN401 - as `decide_build`
    return decide_build(ReconcileInput(build, pods, SETTINGS, after(at), admission, **said))


def recorded(build: ImageBuild, made: Plan) -> ImageBuild:
    """The build after the plan's status was written."""
    merged = {**build.status, **(made.status or {})}
    return replace(build, status={name: value for name, value in merged.items() if value is not None})


def seen(build: ImageBuild, *pods: PodFacts, at: float = 20) -> ImageBuild:
    return recorded(build, plan(build, *pods, at=at))


def status(made: Plan) -> dict[str, Any]:
    assert made.status is not None
    return made.status


def phases(build: ImageBuild, made: Plan) -> tuple[str, ...]:
    """Of the build and of its platforms, once the plan's status was written."""
    written = recorded(build, made).status
    return (written["phase"], *(entry["phase"] for entry in written["platforms"]))


def test_the_pod_of_a_platform_runs_where_it_is_native_and_pushes_by_digest():
    alone = plan(a_build()).create[0].manifest
    made = [create.manifest for create in plan(for_both()).create]
    assert [pod["metadata"]["name"] for pod in made] == [name_of(AMD64), name_of(ARM64)]
    assert len({pod["metadata"]["name"] for pod in (alone, *made)}) == 3
    expected = json.loads(json.dumps(alone))
    expected["metadata"]["name"] = name_of(ARM64)
    expected["metadata"]["labels"]["imagebuild.dev/platform"] = "linux-arm64-v8"
    expected["spec"]["nodeSelector"] = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}
    expected["spec"]["initContainers"][1]["env"].insert(1, {"name": "PLATFORM", "value": ARM64})
    expected["spec"]["containers"][0]["env"].append({"name": "PUSH_BY_DIGEST", "value": "true"})
    assert made[1] == expected


def test_one_platform_is_a_build_like_any_other_on_a_node_of_its_own_kind():
    alone = plan(a_build()).create[0].manifest
    build = a_build({"output": {"images": [IMAGE], "platforms": [ARM64]}})
    [create] = plan(build).create
    expected = json.loads(json.dumps(alone))
    expected["spec"]["nodeSelector"] = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}
    expected["spec"]["initContainers"][1]["env"].insert(1, {"name": "PLATFORM", "value": ARM64})
    assert create.manifest == expected


def test_nodes_of_any_kind_where_they_emulate_it_and_the_selectors_of_others_stay():
    selector = {"podTemplate": {"spec": {"nodeSelector": {"disk": "ssd"}}}}
    selectors = [create.manifest["spec"]["nodeSelector"] for create in plan(for_both(**selector)).create]
    assert selectors == [
        {"disk": "ssd", "kubernetes.io/os": "linux", "kubernetes.io/arch": arch} for arch in ("amd64", "arm64")
    ]
    build = for_both(output={**SPEC["output"], "platformNodes": "Any"}, **selector)
    assert [create.manifest["spec"]["nodeSelector"] for create in plan(build).create] == [{"disk": "ssd"}] * 2


def test_the_pod_of_the_index_as_a_whole():
    build = for_both(
        {"startTime": "2026-11-24T08:00:00Z"},
        output={**SPEC["output"], "pushSecretRef": {"name": "push"}},
        registries=[{"host": "registry.example", "plainHTTP": True}],
        queueName="builds",
        podTemplate={"spec": {"nodeSelector": {"disk": "ssd"}}},
        resources={"limits": {"memory": "8Gi"}},
    )
    build = seen(build, pushed(AMD64), pushed(ARM64))
    [create] = plan(build).create
    assert create.manifest == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "app-eebc00bd",
            "namespace": "team",
            "labels": {
                "app.kubernetes.io/name": "imagebuild",
                "app.kubernetes.io/component": "index",
                "app.kubernetes.io/managed-by": "imagebuild-operator",
                "imagebuild.dev/build": "app",
                "imagebuild.dev/build-uid": UID,
                "sidecar.istio.io/inject": "false",
            },
            "annotations": {
                "azure.workload.identity/skip-containers": "build",
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                "karpenter.sh/do-not-disrupt": "true",
                "eks.amazonaws.com/skip-containers": "build",
                "kubectl.kubernetes.io/default-container": "index",
                "linkerd.io/inject": "disabled",
                "sidecar.istio.io/inject": "false",
            },
            "ownerReferences": [
                {
                    "apiVersion": "imagebuild.dev/v1alpha1",
                    "kind": "ImageBuild",
                    "name": "app",
                    "uid": UID,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": {
            "nodeSelector": {"disk": "ssd"},
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 580,
            "terminationGracePeriodSeconds": 30,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "index",
                    "image": "registry.example/builder:1",
                    "imagePullPolicy": "IfNotPresent",
                    "args": ["index"],
                    "env": [
                        {"name": "OUTPUT_IMAGE", "value": IMAGE},
                        {
                            "name": "INDEX_MANIFESTS",
                            "value": f"{AMD64}={digest_of(AMD64)},{ARM64}={digest_of(ARM64)}",
                        },
                        {"name": "INSECURE_REGISTRIES", "value": "registry.example"},
                        {
                            "name": "DOCKER_CONFIG_JSON",
                            "valueFrom": {"secretKeyRef": {"name": "push", "key": ".dockerconfigjson"}},
                        },
                    ],
                    "resources": {
                        "requests": {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "0"},
                        "limits": {"memory": "512Mi", "ephemeral-storage": "256Mi"},
                    },
                    "securityContext": {
                        "runAsUser": 65532,
                        "runAsGroup": 65532,
                        "runAsNonRoot": True,
                        "privileged": False,
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "run", "mountPath": "/kaniko/.run"}],
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                }
            ],
            "volumes": [{"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}],
        },
    }


def test_a_build_is_as_far_as_the_least_of_its_platforms_and_waits_for_what_any_of_them_waits_for():
    build = for_both()
    made = plan(build, pod_of(AMD64, build=running()), pod_of(ARM64, unschedulable="0/1 nodes fit."))
    assert phases(build, made) == ("Preparing", "Building", "Preparing")
    assert (status(made)["reason"], status(made)["startTime"]) == ("Unschedulable", "2026-11-24T08:00:00Z")
    assert status(made)["message"].startswith(f"{ARM64}: No node can take the build pod yet: 0/1 nodes fit. ")
    build = recorded(build, made)
    made = plan(build, pod_of(AMD64, build=running()), pod_of(ARM64, build=running()), at=30)
    assert (phases(build, made), status(made)["reason"]) == (("Building",) * 3, None)
    assert status(made)["message"] == f"{AMD64} Building, {ARM64} Building."
    build = recorded(build, made)
    again = plan(build, pod_of(AMD64, build=running()), pod_of(ARM64, build=running()), at=40)
    assert again == Plan(requeue_after=600 + 60 - 40)


def test_a_success_takes_the_digest_of_the_index_and_the_longest_of_the_platforms():
    slow = ended(0, json.dumps({"timings": {"buildMs": 50000}, "cache": {"hits": 3}, "warnings": ["No cache."]}))
    build = seen(for_both(), pod_of(AMD64), pod_of(ARM64), at=1)
    made = plan(build, pushed(AMD64), pushed(ARM64, slow), at=70)
    assert (phases(build, made), made.requeue_after) == (("Pushing", "Succeeded", "Succeeded"), 0.0)
    assert made.delete == (deletion(AMD64), deletion(ARM64))
    build = recorded(build, made)
    assert [create.name for create in plan(build, pushed(AMD64), at=71).create] == [pod_name(build)]
    build = seen(build, index(phase="Running", push=running(71)), at=72)
    report = {"digest": DIGEST, "images": [{"reference": IMAGE, "digest": DIGEST}], "timings": {"pushMs": 30}}
    made = plan(build, index(phase="Succeeded", push=ended(0, json.dumps(report), start=71, end=75)), at=76)
    whole = status(made)
    assert (whole["phase"], whole["digest"], whole["duration"]) == ("Succeeded", DIGEST, "1m15s")
    assert whole["timings"] == {
        "queuedMilliseconds": 0,
        "fetchMilliseconds": 5,
        "buildMilliseconds": 50000,
        "pushMilliseconds": 730,
        "totalMilliseconds": 75000,
    }
    assert (whole["cache"], whole["warnings"]) == ({"hits": 4, "misses": 2}, ["No cache."])
    assert "platforms" not in whole  # as recorded
    assert made.delete == (DeletePod(pod_name(build), "index"),)


def test_a_failing_platform_stops_the_others_with_their_grace_and_gives_the_failure():
    build = seen(for_both(), pod_of(AMD64, build=running()), pod_of(ARM64, build=running()))
    failing = pod_of(ARM64, phase="Failed", build=FAILED)
    made = plan(build, pod_of(AMD64, build=running()), failing, at=61)
    assert made.delete == (deletion(AMD64),)
    assert (phases(build, made), status(made)["reason"]) == (("Building", "Building", "Failed"), "RunCommandFailed")
    assert status(made)["message"].startswith(f"{ARM64}: RUN make failed. ")
    build = recorded(build, made)
    stopping = pod_of(AMD64, build=running(), deletion=after(91))
    assert plan(build, stopping, failing, at=62) == Plan(requeue_after=91 + 60 - 62)
    for over in ([pod_of(AMD64, phase="Failed", build=ended(143), deletion=after(91))], []):
        made = plan(build, *over, failing, at=70)
        assert phases(build, made) == ("Failed", "Cancelled", "Failed")
        assert status(made)["failure"] == {
            "platform": ARM64,
            "reason": "RunCommandFailed",
            "message": "RUN make failed.",
            "hint": "The end of the log (failure.logTail) has the output of the command.",
            "exitCode": 7,
            "logTail": "no",
        }
        assert plan(recorded(build, made), failing) == Plan()


def test_a_platform_that_has_pushed_before_it_was_stopped_stays_a_success():
    build = seen(for_both(), pod_of(AMD64, build=running()), pod_of(ARM64, build=running()))
    made = plan(build, pushed(AMD64), pod_of(ARM64, phase="Failed", build=FAILED), at=61)
    assert phases(build, made) == ("Failed", "Succeeded", "Failed")


def test_a_platform_that_waits_for_its_next_attempt_is_not_tried_again_once_another_has_failed():
    build = seen(for_both(), pod_of(AMD64, build=running()), pod_of(ARM64, build=running()))
    waiting = plan(build, pod_of(AMD64, phase="Failed", build=UNAVAILABLE), pod_of(ARM64, build=running()), at=61)
    assert phases(build, waiting) == ("Pending", "Pending", "Building")
    assert status(waiting)["message"].startswith(f"{AMD64}: Attempt 1 failed: No answer.")
    build = recorded(build, waiting)
    tried = plan(build, pod_of(AMD64, phase="Failed", build=UNAVAILABLE), pod_of(ARM64, build=running()), at=75)
    assert [create.name for create in tried.create] == [name_of(AMD64, 2)]
    made = plan(build, pod_of(AMD64, phase="Failed", build=UNAVAILABLE), pod_of(ARM64, phase="Failed", build=FAILED))
    assert (made.create, phases(build, made)) == ((), ("Failed", "Cancelled", "Failed"))


def test_cancelling_stops_those_that_run_and_the_index_is_not_begun():
    both = (pod_of(AMD64, build=running()), pod_of(ARM64))
    build = replace(seen(for_both(), *both), spec=for_both(cancel=True).spec)
    made = plan(build, *both)
    assert made.delete == (deletion(AMD64), deletion(ARM64))
    assert (phases(build, made), status(made)["reason"]) == (("Building", "Building", "Cancelled"), "Cancelled")
    build = recorded(build, made)
    made = plan(build)
    assert phases(build, made) == ("Cancelled",) * 3
    build = replace(seen(for_both(), pushed(AMD64), pushed(ARM64)), spec=for_both(cancel=True).spec)
    made = plan(build, pushed(AMD64), pushed(ARM64))
    assert (made.create, status(made)["phase"]) == ((), "Cancelled")


def test_a_superseded_build_stays_superseded_whatever_becomes_of_the_newer_one():
    both = (pod_of(AMD64, build=running()), pod_of(ARM64, build=running()))
    build = seen(for_both(), *both)
    made = plan(build, *both, admission=superseded("newer"))
    assert (len(made.delete), status(made)["reason"]) == (2, "Superseded")
    build = recorded(build, made)
    made = plan(build)
    assert (phases(build, made), recorded(build, made).status["reason"]) == (("Cancelled",) * 3, "Superseded")


@pytest.mark.parametrize(("admission", "expected"), [(None, None), (SUSPENDED, "Suspended")])
def test_the_platforms_begin_together_or_not_at_all(admission: Admission | None, expected: str | None):
    made = plan(for_both(), admission=admission)
    assert (made.create, (made.status or {}).get("reason")) == ((), expected)


def test_a_build_that_has_begun_goes_on_whatever_its_turn():
    made = plan(for_both(), pod_of(AMD64, build=running()), admission=SUSPENDED)
    assert [create.name for create in made.create] == [name_of(ARM64)]


def test_a_quota_that_has_room_for_one_of_two_holds_up_the_other_alone():
    quota = RejectedError(403, 'pods "x" is forbidden: exceeded quota: small')
    made = plan(for_both(), pod_of(AMD64, build=running()), refusals={name_of(ARM64): quota})
    assert (made.create, phases(for_both(), made)) == ((), ("Pending", "Building", "Pending"))
    assert (status(made)["reason"], made.requeue_after) == ("QuotaExceeded", 10 * spread(UID))
    build = recorded(for_both(), made)
    assert [create.name for create in plan(build, pod_of(AMD64, build=running())).create] == [name_of(ARM64)]


def test_the_deadline_is_one_for_all():
    both = (pod_of(AMD64, build=running()), pod_of(ARM64, build=running()))
    build = seen(for_both(), *both)
    assert plan(build, *both, at=659).delete == ()
    made = plan(build, *both, at=661)
    assert made.delete == (deletion(AMD64), deletion(ARM64))
    build = recorded(build, made)
    first = plan(build, pod_of(AMD64, phase="Failed", build=ended(143)), both[1], at=670)
    build = recorded(build, first)
    made = plan(build, pod_of(AMD64, phase="Failed", build=ended(143)), at=671)
    assert phases(build, made) == ("Failed",) * 3
    assert [entry["reason"] for entry in status(made)["platforms"]] == ["DeadlineExceeded"] * 2
    late = for_both({**seen(for_both(), pod_of(AMD64)).status, "startTime": "2026-11-24T07:50:00Z"})
    assert phases(late, plan(late, pod_of(AMD64), at=1)) == ("Failed",) * 3


def test_platforms_built_from_different_commits_make_no_image():
    def built(commit: str) -> ContainerFacts:
        return ended(0, json.dumps({"source": {"url": "https://git.example/app", "revision": commit}}))

    made = plan(for_both(), pushed(AMD64, built("a" * 40)), pushed(ARM64, built("a" * 40)))
    assert status(made)["phase"] == "Pushing"
    made = plan(for_both(), pushed(AMD64, built("a" * 40)), pushed(ARM64, built("b" * 40)))
    assert (status(made)["phase"], status(made)["failure"]["reason"]) == ("Failed", "SourceChanged")
    assert "b" * 40 in status(made)["message"]


def test_without_push_there_is_no_index():
    build = for_both(output={**SPEC["output"], "push": False})
    assert all("PUSH_BY_DIGEST" not in json.dumps(create.manifest) for create in plan(build).create)
    made = plan(build, pushed(AMD64), pushed(ARM64))
    assert (phases(build, made), "digest" in status(made)) == (("Succeeded",) * 3, False)
    assert status(made)["message"] == f"Built for {AMD64}, {ARM64}; not pushed."


def test_a_failing_index_is_explained_by_its_own_report():
    build = seen(for_both(retry={"limit": 0}), pushed(AMD64), pushed(ARM64))
    report = {"reason": "PushRejected", "message": "The tag is immutable.", "registry": "registry.example"}
    made = plan(build, index(phase="Failed", push=ended(75, json.dumps(report))))
    assert (status(made)["phase"], status(made)["failure"]["message"]) == ("Failed", "The tag is immutable.")
    assert "platform" not in status(made)["failure"]
    made = plan(build, index(phase="Failed", push=ended(137)))
    assert "container index was killed (exit code 137)" in status(made)["message"]


OUTCOMES = [
    {"build": running()},
    {"unschedulable": "0/1 nodes fit."},
    {"phase": "Failed", "build": FAILED},
    {"phase": "Failed", "build": UNAVAILABLE},
    {"build": running(), "deletion": after(50)},
]


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from([*OUTCOMES, None, "pushed"])] * 2), min_size=1, max_size=12))
def test_whatever_becomes_of_the_pods_a_build_makes_each_once_and_ends_with_all_its_platforms(rounds: list[Any]):
    build, made_pods, at = for_both(), set[str](), 0.0
    for outcomes in rounds:
        at += 30
        pods = []
        for platform, outcome in zip((AMD64, ARM64), outcomes, strict=True):
            part = next(part for part in parts(build) if str(part.platform) == platform)
            if outcome is None or (part.recorded_pod or pod_name(part, part.attempt)) not in made_pods:
                continue
            if outcome == "pushed":
                pods.append(replace(pushed(platform), name=pod_name(part, part.attempt)))
            else:
                pods.append(pod_of(platform, part.attempt, **outcome))
        made = plan(build, *pods, at=at)
        if build.is_finished:
            assert (made.create, made.status, made.events) == ((), None, ())
            continue
        names = [create.name for create in made.create]
        made_pods |= set(names)
        assert len(names) == len(set(names))
        attempts = [attempt["podName"] for part in parts(build) for attempt in part.attempts]
        assert not set(names) & set(attempts)
        build = recorded(build, made)
        phases = [str(entry["phase"]) for entry in build.status.get("platforms", ())]
        if build.is_finished:
            assert set(phases) <= {"Succeeded", "Failed", "Cancelled"}
            assert (str(build.phase) == "Failed") == ("Failed" in phases)


def test_the_defaults_of_the_namespace_are_recorded_with_the_first_pods():
    build = replace(for_both(), applied_defaults={"spec": {"retry": {"limit": 5}}})
    recorded_defaults = status(plan(build, pod_of(AMD64), pod_of(ARM64)))["appliedDefaults"]
    assert recorded_defaults == {"spec": {"retry": {"limit": 5}}}


def test_the_attempts_of_all_platforms_are_counted_once():
    build = seen(for_both(), pod_of(AMD64, build=running()), pod_of(ARM64, build=running()))
    made = plan(build, pod_of(AMD64, phase="Failed", build=UNAVAILABLE), pod_of(ARM64, build=running()), at=61)
    ended_now = [seen.labels for seen in observations(build, status(made)) if seen.metric is ATTEMPTS_FINISHED]
    assert ended_now == [("RegistryUnavailable",)]
    build = recorded(build, made)
    made = plan(build, pod_of(AMD64, 2, build=running()), pushed(ARM64), at=90)
    assert [seen.labels for seen in observations(build, status(made)) if seen.metric is ATTEMPTS_FINISHED] == [("",)]


def test_a_platform_without_an_architecture_fails_the_build_and_is_named():
    build = a_build({"output": {**SPEC["output"], "platforms": [AMD64, "linux"]}})
    made = decide_build(ReconcileInput(build, [], SETTINGS, after(0)))
    assert made.status is not None
    assert (made.status["phase"], made.status["reason"]) == ("Failed", "InvalidSpec")
    assert "spec.output.platforms[1]: write OS/ARCHITECTURE" in made.status["message"]


def test_the_index_belongs_to_pushing_and_is_stopped_as_a_build_is():
    build = seen(seen(for_both(), pushed(AMD64), pushed(ARM64)), index(node="node1"))
    assert (str(build.phase), build.status["podName"]) == ("Pushing", pod_name(build))
    runs = index(phase="Running", node="node1", push=running(70))
    assert plan(build, runs, at=659).delete == ()
    made = plan(build, runs, at=661)
    assert (made.delete, status(made)["reason"]) == ((DeletePod(pod_name(build), "index"),), "DeadlineExceeded")
    assert "completionTime" not in status(made)
    cancelled = replace(build, spec=for_both(cancel=True).spec)
    made = plan(cancelled, runs, at=80)
    assert (made.delete, status(made)["reason"]) == ((DeletePod(pod_name(build), "index"),), "Cancelled")
    assert "completionTime" not in status(made)


def test_kueue_holds_the_platforms_one_by_one_and_the_time_counts_from_the_first_that_it_lets_go():
    build = seen(for_both(queueName="builds"), pod_of(AMD64, is_gated=True), pod_of(ARM64, is_gated=True), at=5)
    assert (str(build.phase), build.status["reason"], build.started) == ("Queued", "Gated", None)
    assert build.has_begun
    made = plan(build, pod_of(AMD64), pod_of(ARM64, is_gated=True), at=5000)
    assert (phases(build, made), status(made)["startTime"]) == (
        ("Queued", "Preparing", "Queued"),
        "2026-11-24T09:23:20Z",
    )


def test_a_spec_that_cannot_be_read_fails_all_platforms():
    build = for_both(source={})
    made = plan(build)
    assert (phases(build, made), status(made)["reason"]) == (("Failed",) * 3, "InvalidSpec")
    assert "spec.source" in status(made)["message"]


def test_a_build_cancelled_before_it_began_ends_with_all_its_platforms():
    build = for_both(cancel=True)
    made = plan(build, admission=SUSPENDED)
    assert (made.create, phases(build, made)) == ((), ("Cancelled",) * 3)
    assert status(made)["conditions"][0]["status"] == "False"
