from dataclasses import replace
from typing import Any

import pytest
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.push_proof import PushProof, PushProofs, push_proofs
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from support.builds import SETTINGS, SPEC, START, a_build

SECRET = {"output": {"images": ["r:5000/team/app:1", "other.example/app"], "pushSecretRef": {"name": "push"}}}


def proofs(spec: dict[str, Any], namespace: str = "team") -> frozenset[PushProof]:
    return push_proofs(namespace, parse_spec({**SPEC, **spec}))


def containers(pushes: PushProofs) -> list[str]:
    """The names of the init containers of a build's pod."""
    (create,) = decide(ReconcileInput(a_build(SECRET), (), SETTINGS, START, pushes=pushes)).create
    return [container["name"] for container in create.manifest["spec"]["initContainers"]]


def test_each_repository_is_proven_for_one_namespace_and_secret():
    assert proofs(SECRET) == {
        PushProof("team", "r:5000/team/app", "push", None, (), None),
        PushProof("team", "other.example/app", "push", None, (), None),
    }


def test_a_build_that_pushes_nothing_proves_nothing():
    assert proofs({"output": {"images": ["r/app:1"], "push": False}}) == frozenset()


def test_another_tag_is_proven_too():
    assert proofs({"output": {"images": ["r/app:1"]}}) == proofs({"output": {"images": ["r/app:2"]}})


@pytest.mark.parametrize(
    "change",
    [
        {"output": {"images": ["r/app:1"], "pushSecretRef": {"name": "other"}}},
        {"podTemplate": {"spec": {"serviceAccountName": "builder"}}},
        {"registries": [{"host": "r", "plainHTTP": True}]},
        {"proxy": {"httpProxy": "http://proxy:3128"}},
    ],
    ids=str,
)
def test_what_decides_whether_a_push_is_accepted_is_part_of_the_proof(change: dict[str, Any]):
    bare = {"output": {"images": ["r/app:1"]}}
    assert not proofs(bare) & proofs({**bare, **change})
    assert not proofs(bare) & proofs(bare, "another")


def test_a_build_is_checked_unless_all_its_repositories_are_proven():
    one, other = proofs(SECRET)
    assert containers(()) == containers({one}) == containers({other}) == ["check", "build"]
    assert containers({one, other}) == ["build"]


def test_a_proof_is_of_no_use_to_an_operator_that_checks_nothing():
    settings = replace(SETTINGS, defaults=replace(SETTINGS.defaults, check_push=False))
    (create,) = decide(ReconcileInput(a_build(SECRET), (), settings, START)).create
    assert [container["name"] for container in create.manifest["spec"]["initContainers"]] == ["build"]
