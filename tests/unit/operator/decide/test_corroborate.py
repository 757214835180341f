"""An image that is built twice, and pushed only if both builds have made the same."""

import json
from dataclasses import replace
from typing import Any

import pytest
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.plan import Plan
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.pod.manifest import pod_name
from support.builds import DIGEST, POD, WITH_BUILDKIT, a_build, a_pod, after, ended, recorded

OUTPUT: dict[str, Any] = {
    "images": ["registry.example/team/app:1"],
    "pushSecretRef": {"name": "push"},
    "timestamp": "Zero",
    "corroborate": "OtherNode",
}
SPEC: dict[str, Any] = {
    "source": {"inline": {"files": {"Dockerfile": "FROM scratch"}}},
    "output": OUTPUT,
    "cache": {"enabled": True, "repository": "registry.example/cache"},
}
FIRST = a_pod(engine="BuildKit", node="node-a", phase="Succeeded", build=ended(0, "{}"))
REPORT = json.dumps({"digest": DIGEST, "contents": "AAAA"})
SECOND_POD = pod_name(a_build(), 2)


def plan(build: Any, *pods: PodFacts, at: float = 61) -> Plan:  # noqa: ANN401 - an ImageBuild
    return decide(ReconcileInput(build, pods, WITH_BUILDKIT, after(at)))


def variables(made: Plan, name: str) -> dict[str, str]:
    [create] = made.create
    spec = create.manifest["spec"]
    containers = [*spec["initContainers"], *spec["containers"]]
    [container] = [each for each in containers if each["name"] == name]
    return {each["name"]: each.get("value", "") for each in container["env"]}


def spec_of(made: Plan) -> dict[str, Any]:
    [create] = made.create
    spec: dict[str, Any] = create.manifest["spec"]
    return spec


def built_once(spec: dict[str, Any] = SPEC) -> Any:  # noqa: ANN401 - an ImageBuild
    build = a_build(spec)
    return recorded(build, plan(build, replace(FIRST, push=ended(0, REPORT))))


def test_the_first_build_pushes_nothing_and_takes_nothing_from_a_cache():
    made = plan(a_build(SPEC), at=0)
    pushing = variables(made, "push")
    assert (pushing["NO_PUSH"], pushing["CORROBORATE"]) == ("true", "true")
    assert not {"CORROBORATED_BY", "DOCKER_CONFIG_JSON", "PROVENANCE", "CACHE_REPO"} & pushing.keys()
    assert variables(made, "build")["CACHE"] == "false"
    assert not {"CACHE_REPO", "ONLY_NEW_LAYERS"} & variables(made, "build").keys()
    # Whether it could be pushed is known before both.
    assert [each["name"] for each in spec_of(made)["initContainers"]] == ["check", "build"]
    assert "affinity" not in spec_of(made)


def test_the_second_is_compared_to_it_and_runs_elsewhere_at_once():
    build = a_build(SPEC)
    made = plan(build, replace(FIRST, push=ended(0, REPORT)))
    assert made.status is not None
    assert (made.status["phase"], made.status.get("reason"), made.requeue_after) == ("Pending", None, 0)
    assert made.status["message"] == (
        f"Node node-a has built {DIGEST}. It is built again before it is pushed: output.corroborate."
    )
    [event] = made.events
    assert (event.type, event.reason) == ("Normal", "Pending")
    build = recorded(build, made)
    [attempt] = build.status["attempts"]
    assert (attempt["digest"], attempt["contents"], attempt["node"]) == (DIGEST, "AAAA", "node-a")

    second = plan(build, at=61)
    [create] = second.create
    assert create.name == SECOND_POD
    told = json.loads(variables(second, "push")["CORROBORATED_BY"])
    assert told == {"digest": DIGEST, "contents": "AAAA", "pod": POD, "node": "node-a"}
    assert {"NO_PUSH", "CORROBORATE"}.isdisjoint(variables(second, "push"))
    assert variables(second, "push")["PROVENANCE"] == "true"
    # All layers are there to be compared.
    assert "ONLY_NEW_LAYERS" not in variables(second, "build")
    fields = [{"key": "metadata.name", "operator": "NotIn", "values": ["node-a"]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": fields}]}}
    assert spec_of(second)["affinity"] == {"nodeAffinity": required}


def test_each_alternative_of_an_affinity_is_on_another_node():
    zones = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]} for zone in "ab"]
    preferred = [{"weight": 1, "preference": zones[0]}]
    nodes = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": zones},
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
    }
    template = {"spec": {"affinity": {"nodeAffinity": nodes, "podAffinity": {"x": 1}}}}
    made = plan(built_once({**SPEC, "podTemplate": template}), at=61)
    affinity = spec_of(made)["affinity"]
    fields = [{"key": "metadata.name", "operator": "NotIn", "values": ["node-a"]}]
    terms = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [{**zone, "matchFields": fields} for zone in zones]
    assert affinity["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] == preferred
    assert affinity["podAffinity"] == {"x": 1}


def test_on_any_node_there_is_no_affinity():
    made = plan(built_once({**SPEC, "output": {**OUTPUT, "corroborate": "AnyNode"}}), at=61)
    assert "affinity" not in spec_of(made)
    assert "CORROBORATED_BY" in variables(made, "push")


def test_both_have_succeeded():
    second = a_pod(name=SECOND_POD, uid="pod-2", engine="BuildKit", node="node-b", created=after(62), phase="Succeeded")
    pushed = json.dumps({"digest": DIGEST, "images": [{"reference": "registry.example/team/app:1", "digest": DIGEST}]})
    done = plan(built_once(), replace(second, build=ended(0, "{}"), push=ended(0, pushed)), at=90)
    assert done.status is not None
    assert (done.status["phase"], done.status["corroborated"], done.status["digest"]) == (
        "Succeeded",
        "OtherNode",
        DIGEST,
    )
    first, last = done.status["attempts"]
    assert (first["node"], last["node"], first["digest"]) == ("node-a", "node-b", DIGEST)
    assert "contents" not in first


def test_the_first_build_counts_as_no_retry():
    build = built_once({**SPEC, "retry": {"limit": 1}})
    lost = a_pod(name=SECOND_POD, uid="pod-2", engine="BuildKit", created=after(62), phase="Failed")
    internal = json.dumps({"reason": "RegistryUnavailable", "message": "x"})
    made = plan(build, replace(lost, build=ended(0, "{}"), push=ended(69, internal)), at=90)
    assert made.status is not None
    assert (made.status["reason"], len(made.status["attempts"])) == ("RegistryUnavailable", 2)
    # And the third pod is a second build as well.
    third = plan(recorded(build, made), at=400)
    assert json.loads(variables(third, "push")["CORROBORATED_BY"])["node"] == "node-a"


def test_what_differs_is_no_reason_to_try_again():
    second = a_pod(name=SECOND_POD, uid="pod-2", engine="BuildKit", created=after(62), phase="Failed")
    report = json.dumps({"reason": "NotReproducible", "message": "The image differs: /app/when."})
    made = plan(built_once(), replace(second, build=ended(0, "{}"), push=ended(90, report)), at=90)
    assert made.status is not None
    assert (made.status["phase"], made.status["reason"]) == ("Failed", "NotReproducible")
    assert made.status["message"].startswith("The image differs: /app/when.")
    assert all("contents" not in each for each in made.status["attempts"])


@pytest.mark.shows("A70")
def test_a_builder_image_that_does_not_compare_is_noticed():
    second = a_pod(name=SECOND_POD, uid="pod-2", engine="BuildKit", created=after(62), phase="Succeeded")
    other = f"sha256:{'cd' * 32}"
    pushed = json.dumps({"digest": other, "images": [{"reference": "registry.example/team/app:1", "digest": other}]})
    done = plan(built_once(), replace(second, build=ended(0, "{}"), push=ended(0, pushed)), at=90)
    assert done.status is not None
    assert (done.status["phase"], done.status["reason"]) == ("Failed", "NotReproducible")
    assert f"{other} was pushed, and the first build has made {DIGEST}" in done.status["message"]
    assert "corroborated" not in done.status


def test_a_first_build_that_reports_no_digest_is_none():
    build = a_build({**SPEC, "retry": {"limit": 1}})
    made = plan(build, replace(FIRST, push=ended(0, "{}")))
    assert made.status is not None
    assert made.status["reason"] == "Internal"
    assert variables(plan(recorded(build, made), at=400), "push")["CORROBORATE"] == "true"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"engine": "Kaniko"}, "only BuildKit builds the same twice"),
        ({"output": {**OUTPUT, "timestamp": None}}, "set output.timestamp, too"),
        ({"output": {**OUTPUT, "corroborate": "Always"}}, "spec.output.corroborate"),
        ({"source": {"upload": {"sha256": "ab" * 32}}}, "both builds need the same source"),
        ({"source": {"git": {"url": "https://git.example/r", "revision": "main"}}}, "a full commit in revision"),
        ({"source": {"url": "https://example.com/context.tar.gz"}}, "http or s3 with sha256"),
    ],
)
def test_what_can_not_be_built_twice_is_refused(changed: dict[str, Any], problem: str):
    with pytest.raises(InvalidSpecError) as refused:
        parse_spec(a_build({**SPEC, **changed}).spec)
    assert problem in str(refused.value)
    assert "spec.output.corroborate" in str(refused.value)
