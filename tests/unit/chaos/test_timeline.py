"""What a chaos run does follows from its seed."""

from itertools import islice

from chaos.timeline import FAULTS, timeline
from chaos.workload import NAMESPACES, RECIPES, Registries, workload

REGISTRIES = Registries("plain:5000", "private:5443")


def test_a_seed_gives_the_same_faults_and_another_seed_others():
    assert timeline("7", 300) == timeline("7", 300)
    assert timeline("7", 300) != timeline("8", 300)


def test_every_fault_comes_before_any_comes_twice():
    all_of_them = {(kind, victim) for kind, victims, _ in FAULTS for victim in victims}
    faults = timeline("7", 600)
    assert {(fault.kind, fault.victim) for fault in faults[: len(all_of_them)]} == all_of_them
    assert all(0 < fault.at < 600 for fault in faults)


def test_some_faults_come_at_the_same_time():
    moments = [fault.at for fault in timeline("7", 600)]
    assert len(set(moments)) < len(moments)


def test_the_builds_are_of_every_kind_and_in_every_namespace():
    builds = list(islice(workload("7", REGISTRIES), 3 * len(RECIPES)))
    assert builds == list(islice(workload("7", REGISTRIES), 3 * len(RECIPES)))
    assert {build.name.partition("-")[0] for build in builds} == RECIPES.keys()
    assert {build.namespace for build in builds} == set(NAMESPACES)
    images = [image for build in builds for image in build.expected.images]
    assert len(set(images)) == len(builds)
