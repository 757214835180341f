from dataclasses import replace
from pathlib import Path

import pytest
from kaniko_shim.commands.preflight import refusal, warnings
from kaniko_shim.system.container.rights import Container

FINE = Container(0, frozenset(), is_read_only=False, in_the_way=(), unwritable=())
RUN = Path("/kaniko/.run")


def test_a_usual_container_is_fine():
    assert refusal(FINE, builds=True) is None
    assert list(warnings(FINE)) == []


@pytest.mark.parametrize(
    ("container", "option", "field"),
    [
        (replace(FINE, user=1000), "--user 1000", "securityContext.runAsUser"),
        (replace(FINE, is_read_only=True), "--read-only", "securityContext.readOnlyRootFilesystem"),
        (replace(FINE, lacks=frozenset({"FOWNER"})), "--cap-add FOWNER", "securityContext.capabilities.add"),
        (replace(FINE, unwritable=(RUN,)), "--tmpfs /kaniko/.run", "emptyDir"),
    ],
)
def test_a_refusal_names_the_option_of_docker_and_the_field_of_the_pod(container: Container, option: str, field: str):
    failure = refusal(container, builds=True)
    assert failure is not None
    assert failure.code == 2
    assert option in failure.hint
    assert field in failure.hint


def test_a_push_needs_only_its_directory():
    container = replace(FINE, user=65532, is_read_only=True, lacks=frozenset({"CHOWN", "FOWNER", "SETUID"}))
    assert refusal(container, builds=False) is None
    assert refusal(replace(container, unwritable=(RUN,)), builds=False) is not None


def test_what_only_some_builds_need_is_warned_of():
    container = replace(FINE, lacks=frozenset({"SETUID", "FSETID"}), in_the_way=("/bin/there",))
    assert refusal(container, builds=True) is None
    assert [warning.partition(":")[0] for warning in warnings(container)] == [
        "The container lacks the capability FSETID",
        "The container lacks the capability SETUID",
        "Something is mounted at /bin/there",
    ]
