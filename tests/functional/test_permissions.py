"""An operator that lacks a permission in one of the namespaces that it watches."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.waiting import until


@pytest.fixture
def other_namespace(api: client.ApiClient) -> Iterator[str]:
    """A namespace in which nobody has a role."""
    core = client.CoreV1Api(api)
    made = core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(generate_name="other-")))
    assert made.metadata
    assert made.metadata.name
    yield made.metadata.name
    core.delete_namespace(made.metadata.name)


def is_said(operator: OperatorProcess, sentence: str) -> bool:
    """Whether the readiness probe says something."""
    return sentence in operator.probe("/readyz")[1]


@pytest.mark.shows("F38")
def test_a_namespace_without_its_role_is_named_until_the_role_is_there(
    token: Path, crd: Path, api: client.ApiClient, namespace: str, other_namespace: str, tmp_path: Path
):
    assert crd.exists()
    operator = OperatorProcess(token, f"{namespace},{other_namespace}", tmp_path / "operator.log")
    operator.start()
    for resource in (
        f"/api/v1/namespaces/{other_namespace}/pods",
        f"/apis/imagebuild.dev/v1alpha1/namespaces/{other_namespace}/imagebuilds",
    ):
        said = f"The API server denies the operator {resource} (403)"
        until(partial(is_said, operator, said))
        assert operator.log.count(said) == 1
    assert f"namespaces/{namespace}/" not in operator.probe("/readyz")[1]
    assert operator.probe("/healthz")[0] == 200
    role = client.V1RoleRef(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name="cluster-admin")
    subject = client.RbacV1Subject(kind="ServiceAccount", name="operator", namespace=namespace)
    binding = client.V1RoleBinding(metadata=client.V1ObjectMeta(name="operator"), role_ref=role, subjects=[subject])
    client.RbacAuthorizationV1Api(api).create_namespaced_role_binding(other_namespace, binding)
    until(lambda: operator.probe("/readyz")[0] == 200, timeout=60)
    operator.stop()
