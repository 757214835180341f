"""Pods as the API server admits them where a PodSecurity level is enforced; nothing of them is stored."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from chart.helm import CHART, find_helm
from chart.render import Chart, one
from functional.kube import message
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.index import index_pod
from imagebuild_operator.pod.manifest import Manifest, build_pod
from imagebuild_operator.settings import BuildDefaults
from kubernetes import client
from support.builds import DIGEST, SETTINGS, a_build
from support.specs import spec_schema

Json = dict[str, Any]
#: Creates a pod in a namespace that enforces a level; the pod as admitted.
Admit = Callable[[Manifest], Json]

URL = "https://example.com/context.tar.gz"
SOURCES: Mapping[str, Json] = {
    "url": {"url": URL},
    "http": {"http": {"url": URL, "secretRef": {"name": "s"}}},
    "git": {"git": {"url": "git@example.com:a/b", "secretRef": {"name": "s"}, "submodules": True}},
    "s3": {"s3": {"bucket": "b", "key": "k", "secretRef": {"name": "s"}}},
    "oci": {"oci": {"image": "a.b/c:1"}},
    "inline": {"inline": {"files": {"Dockerfile": "FROM scratch\n"}}},
    "configMap": {"configMap": {"name": "c"}},
    "persistentVolumeClaim": {"persistentVolumeClaim": {"claimName": "c", "path": "a"}},
    "upload": {"upload": {}},
}
RUN_MOUNTS: Json = {
    "buildSecrets": [{"id": "npm", "secretKeyRef": {"name": "npm", "key": "token"}}],
    "cache": {"mounts": {"persistentVolumeClaim": {"claimName": "caches"}}},
}
OUTPUT: Json = {"images": ["registry.example/app:1"], "push": True, "pushSecretRef": {"name": "push"}}
POD_FIELDS: Json = {
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}
    ],
    "serviceAccountName": "default",
    "priorityClassName": "system-node-critical",
    "schedulerName": "another",
    "hostUsers": False,
    "imagePullSecrets": [{"name": "pull"}],
    "dnsConfig": {"nameservers": ["10.0.0.1"]},
    "hostAliases": [{"ip": "10.0.0.2", "hostnames": ["registry.example"]}],
}


#: As the chart's.
DEFAULTS = replace(SETTINGS.defaults, resources={"limits": {"ephemeral-storage": "20Gi"}})


def pod(spec: Json, defaults: BuildDefaults = DEFAULTS) -> Manifest:
    build = a_build({"output": OUTPUT, **spec})
    return build_pod(build, parse_spec(build.spec), defaults)


def index() -> Manifest:
    platforms = ["linux/amd64", "linux/arm64"]
    done = [{"platform": name, "digest": DIGEST} for name in platforms]
    build = a_build({"output": {**OUTPUT, "platforms": platforms}}, {"platforms": done})
    return index_pod(build, parse_spec(build.spec), SETTINGS.defaults, 60)


@pytest.fixture
def admit(request: pytest.FixtureRequest, api: client.ApiClient, namespace: str) -> Admit:
    """The level is the test's parameter, `baseline` without one."""
    level = getattr(request, "param", "baseline")
    core: Any = client.CoreV1Api(api)
    labels = {"pod-security.kubernetes.io/enforce": level, "pod-security.kubernetes.io/enforce-version": "latest"}
    core.patch_namespace(namespace, {"metadata": {"labels": labels}})
    core.create_namespaced_service_account(namespace, {"metadata": {"name": "default"}})

    def create(manifest: Manifest) -> Json:
        body = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
        made = core.create_namespaced_pod(namespace, body, dry_run="All", field_validation="Strict")
        admitted: Json = api.sanitize_for_serialization(made)
        return admitted

    return create


def containers(admitted: Json) -> Iterator[Json]:
    yield from admitted["spec"].get("initContainers", ())
    yield from admitted["spec"]["containers"]


@pytest.mark.shows("A22")
@pytest.mark.parametrize("kind", spec_schema()["properties"]["source"]["properties"])
def test_a_build_with_any_source_is_baseline(admit: Admit, kind: str):
    admitted = admit(pod({"source": SOURCES[kind]}))
    upload = ["upload"] if kind == "upload" else []
    assert [container["name"] for container in containers(admitted)] == ["check", *upload, "build", "push"]
    check_pod(admitted)


@pytest.mark.shows("A22")
@pytest.mark.parametrize(
    "make",
    [
        index,
        lambda: pod({"output": {**OUTPUT, "push": False}}),
        lambda: pod({}, replace(DEFAULTS, allow_privilege_escalation=True)),
        lambda: pod(RUN_MOUNTS),
        lambda: pod({"limits": {"vulnerabilities": {"scanner": "r.example/trivy:1", "database": "r.example/db:1"}}}),
    ],
    ids=["index", "nothing pushed", "setuid programs", "secrets and caches for RUN", "a scan"],
)
def test_so_is_every_other_pod(admit: Admit, make: Callable[[], Manifest]):
    check_pod(admit(make()))


@pytest.mark.shows("A22")
def test_so_is_a_pod_with_every_field_of_the_template(admit: Admit, api: client.ApiClient, namespace: str):
    asked = spec_schema()["properties"]["podTemplate"]["properties"]["spec"]["properties"]
    node: Any = client.NodeV1Api(api)
    node.create_runtime_class({"metadata": {"name": namespace}, "handler": "gvisor"})
    try:
        fields = {**POD_FIELDS, "runtimeClassName": namespace}
        assert set(fields) == set(asked)
        admitted = admit(pod({"podTemplate": {"spec": fields}}))
    finally:
        node.delete_runtime_class(namespace)
    check_pod(admitted)
    # That such a runtime isolates is not shown here: the test cluster has none.
    assert admitted["spec"]["runtimeClassName"] == namespace
    assert admitted["spec"]["hostUsers"] is False


def check_pod(admitted: Json) -> None:
    spec = admitted["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert all("projected" not in volume for volume in spec.get("volumes", ()))
    for container in containers(admitted):
        assert container["resources"]["limits"]["ephemeral-storage"]


def test_the_level_is_enforced_here(admit: Admit):
    manifest = pod({})
    manifest["spec"]["hostNetwork"] = True
    with pytest.raises(client.ApiException) as caught:
        admit(manifest)
    assert "violates PodSecurity" in message(caught.value)


@pytest.mark.parametrize("admit", ["restricted"], indirect=True)
@pytest.mark.parametrize("values", [{}, {"replicaCount": 3}, {"podSecurityContext": {"runAsUser": 1000680000}}])
def test_the_operator_is_restricted(admit: Admit, values: Json):
    template = one(Chart(find_helm(), CHART).render(values), "Deployment")["spec"]["template"]
    template["spec"]["serviceAccountName"] = "default"
    manifest = {"apiVersion": "v1", "kind": "Pod", **template}
    manifest["metadata"]["name"] = "operator"
    assert admit(manifest)["spec"]["securityContext"]["runAsNonRoot"] is True
