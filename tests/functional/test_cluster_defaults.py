"""The defaults of the cluster, against a real API server."""

from collections.abc import Iterator
from typing import Any

import pytest
from functional.kube import GROUP, VERSION, Builds, Defaults, Kubectl, message, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess, Settings
from kubernetes import client
from support.watching import phase, wait_for_build

Json = dict[str, Any]
PLURAL = "clusterimagebuilddefaults"


class ClusterDefaults:
    """The ClusterImageBuildDefaults."""

    def __init__(self, api: client.ApiClient) -> None:
        self._objects = client.CustomObjectsApi(api)

    def create(self, spec: Json, name: str = "default") -> None:
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ClusterImageBuildDefaults", "metadata": {"name": name}}
        self._objects.create_cluster_custom_object(
            GROUP, VERSION, PLURAL, {**body, "spec": spec}, field_validation="Strict"
        )

    def delete_all(self) -> None:
        self._objects.delete_collection_cluster_custom_object(GROUP, VERSION, PLURAL)


@pytest.fixture
def cluster_defaults(crd: object, api: client.ApiClient) -> Iterator[ClusterDefaults]:
    assert crd
    made = ClusterDefaults(api)
    yield made
    made.delete_all()


@pytest.fixture
def settings(namespace: str) -> Settings:
    """An operator for the whole cluster that leaves the builds of other tests alone."""
    return {"watchNamespaces": [], "buildSelector": f"of={namespace}"}


def test_the_namespace_counts_before_the_cluster(
    cluster_defaults: ClusterDefaults,
    operator: OperatorProcess,
    defaults: Defaults,
    builds: Builds,
    kubelet: Kubelet,
    kubectl: Kubectl,
    api: client.ApiClient,
    namespace: str,
):
    cluster_defaults.create({"timeoutSeconds": 99, "podTemplate": {"spec": {"nodeSelector": {"of": "cluster"}}}})
    kubectl("wait", "cibd/default", "--for=condition=Ready", "--timeout=30s")
    builds.create(spec(), name="first", labels={"of": namespace})
    first = kubelet.pod()
    assert (first["spec"]["activeDeadlineSeconds"], first["spec"]["nodeSelector"]) == (99, {"of": "cluster"})
    defaults.create({"timeoutSeconds": 66})
    builds.create(spec(), name="second", labels={"of": namespace})
    second = kubelet.pod_after(first)
    assert (second["spec"]["activeDeadlineSeconds"], second["spec"]["nodeSelector"]) == (66, {"of": "cluster"})
    body = wait_for_build(api, namespace, "second", lambda build: phase(build) == "Preparing")
    assert [source["kind"] for source in body["status"]["appliedDefaults"]["sources"]] == [
        "ImageBuildDefaults",
        "ClusterImageBuildDefaults",
    ]
    assert operator.is_running()


@pytest.mark.parametrize("settings", [{}])
def test_an_operator_of_some_namespaces_does_not_read_them(
    cluster_defaults: ClusterDefaults, operator: OperatorProcess, builds: Builds, kubelet: Kubelet
):
    cluster_defaults.create({"timeoutSeconds": 99})
    builds.create(spec())
    assert kubelet.pod()["spec"]["activeDeadlineSeconds"] == 3600
    assert PLURAL not in operator.log


def test_there_is_one_in_a_cluster(cluster_defaults: ClusterDefaults):
    with pytest.raises(client.ApiException) as refused:
        cluster_defaults.create({}, name="other")
    assert "a cluster has one ClusterImageBuildDefaults: name it default" in message(refused.value)


def test_a_url_with_credentials_is_refused(cluster_defaults: ClusterDefaults):
    with pytest.raises(client.ApiException) as refused:
        cluster_defaults.create({"podTemplate": {"metadata": {"annotations": {"hook": "https://me:pw@example.com"}}}})
    assert "holds a URL with credentials" in message(refused.value)
