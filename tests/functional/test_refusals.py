"""What a real API server says where it does not take a build pod: final, or waited for until it heals."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from functional.kube import Builds, message, spec
from kubernetes import client
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_finish

Json = dict[str, Any]


@pytest.fixture
def policies(api: client.ApiClient, namespace: str) -> Iterator[None]:
    """For pods of the namespace with a label: a policy that refuses them, and a webhook that does not answer."""
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    admission: Any = client.AdmissionregistrationV1Api(api)
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {**where, "objectSelector": {"matchLabels": {"try": "policy"}}, "resourceRules": [pods]},
        "validations": [{"expression": "false", "message": "say who owns it"}],
    }
    webhook = {
        **where,
        "name": "pods.example.com",
        "objectSelector": {"matchLabels": {"try": "webhook"}},
        "rules": [pods],
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 1,
    }
    metadata = {"metadata": {"name": namespace}}
    admission.create_validating_admission_policy({**metadata, "spec": policy})
    binding = {"policyName": namespace, "validationActions": ["Deny"]}
    admission.create_validating_admission_policy_binding({**metadata, "spec": binding})
    admission.create_validating_webhook_configuration({**metadata, "webhooks": [webhook]})
    for word in ("policy", "webhook"):
        until(partial(refusal, api, namespace, word))
    yield
    admission.delete_validating_admission_policy_binding(namespace)
    admission.delete_validating_admission_policy(namespace)
    if any(item.metadata.name == namespace for item in admission.list_validating_webhook_configuration().items):
        admission.delete_validating_webhook_configuration(namespace)


def refusal(api: client.ApiClient, namespace: str, word: str) -> str:
    """What is said of a pod with that label; nothing where it would be taken."""
    core: Any = client.CoreV1Api(api)
    metadata = {"generateName": "try-", "labels": {"try": word}}
    pod = {"metadata": metadata, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    try:
        core.create_namespaced_pod(namespace, pod, dry_run="All")
    except client.ApiException as error:
        return message(error)
    return ""


def labelled(word: str) -> Json:
    return spec(podTemplate={"metadata": {"labels": {"try": word}}})


@pytest.mark.usefixtures("operator", "policies")
def test_a_refusal_is_final_where_it_is_meant_and_waited_for_where_it_may_heal(
    builds: Builds, api: client.ApiClient, namespace: str
):
    core: Any = client.CoreV1Api(api)
    limits = {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}
    core.create_namespaced_limit_range(namespace, {"metadata": {"name": "small"}, "spec": limits})
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    core.create_namespaced_resource_quota(namespace, quota)
    # Nobody counts here, so that the use stays as unknown as it is in a quota's first moment.
    core.patch_namespaced_resource_quota_status("none", namespace, {"status": {"hard": {"pods": "0"}}})
    until(partial(refusal, api, namespace, "unknown"))
    builds.create(labelled("policy"), name="policy")
    builds.create(labelled("webhook"), name="webhook")
    builds.create(spec(resources={"limits": {"cpu": "2"}}), name="limits")
    builds.create(spec(), name="unknown")
    for name, reason, words in (
        ("policy", "PodRejected", "denied request: say who owns it"),
        ("limits", "PodRejected", "maximum cpu usage per Container is 1, but limit is 2"),
        ("webhook", "PodNotCreated", 'failed calling webhook "pods.example.com"'),
        ("unknown", "QuotaExceeded", "status unknown for quota: none"),
    ):
        body = wait_for_build(api, namespace, name, phase)
        wanted = "Failed" if reason == "PodRejected" else "Pending"
        assert (body["status"]["phase"], body["status"].get("reason")) == (wanted, reason), body["status"]
        assert words in body["status"]["message"]
    core.patch_namespaced_resource_quota_status("none", namespace, {"status": {"used": {"pods": "0"}}})
    until(lambda: "exceeded" in refusal(api, namespace, "full"))
    builds.create(spec(), name="full")
    # It is told so when it has had its try; what is used is left out, since it changes all the time.
    words = "exceeded quota: none, requested: pods=1, limited: pods=0"
    wait_for_build(
        api, namespace, "full", lambda build: words in (build.get("status") or {}).get("message", ""), timeout=60
    )
    client.AdmissionregistrationV1Api(api).delete_validating_webhook_configuration(namespace)
    core.delete_namespaced_resource_quota("none", namespace)
    for name in ("webhook", "unknown", "full"):
        body = wait_for_build(api, namespace, name, lambda build: phase(build) == "Preparing", timeout=60)
        assert "reason" not in body["status"]
    core.patch_namespace(namespace, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    builds.create(spec(), name="restricted")
    status = wait_for_finish(api, namespace, "restricted")
    assert status["reason"] == "PodRejected"
    assert 'violates PodSecurity "restricted' in status["message"]


@pytest.mark.shows("F29")
@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("settings", [{"admission": {"waitSeconds": 2}}])
def test_a_build_that_never_gets_a_pod_ends(builds: Builds, api: client.ApiClient, namespace: str):
    core = client.CoreV1Api(api)
    quota = client.V1ResourceQuota(
        metadata=client.V1ObjectMeta(name="none"), spec=client.V1ResourceQuotaSpec(hard={"pods": "0"})
    )
    core.create_namespaced_resource_quota(namespace, quota)
    full = {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    core.patch_namespaced_resource_quota_status("none", namespace, full)
    builds.create(spec())
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["reason"]) == ("Failed", "WaitTimeout")
    assert status["message"].startswith("The build got no pod within 2s: ")
