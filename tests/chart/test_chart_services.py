"""The programs of the builder image that the chart runs beside the operator: the signer, the receiver of webhooks."""

from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from chart.render import KUBERNETES, Chart, one, settings

SIGNER = {"signer": {"enabled": True, "key": {"secretName": "signing"}, "publicKey": "-----BEGIN PUBLIC KEY-----"}}
KMS = {
    "kms": "awskms:///alias/images",
    "cosignImage": "ghcr.io/sigstore/cosign/cosign@sha256:" + "ab" * 32,
}
WEBHOOK = {"webhook": {"enabled": True, "secretName": "webhook"}}


def test_neither_is_there_unless_it_is_asked_for(chart: Chart) -> None:
    objects = chart.render()
    assert [each["metadata"]["name"] for each in objects if each["kind"] == "Deployment"] == ["ib-imagebuild-operator"]
    assert {"signer", "webhook"}.isdisjoint(settings(objects))


@pytest.mark.parametrize(
    ("values", "component", "port", "reached"),
    [
        (SIGNER, "signer", 8443, "https://ib-imagebuild-operator-signer.imagebuild-system.svc:8443"),
        (WEBHOOK, "webhook", 8080, "http://ib-imagebuild-operator-webhook.imagebuild-system.svc:8080"),
    ],
)
def test_the_operator_is_told_where_it_is_reached(
    chart: Chart, values: dict[str, Any], component: str, port: int, reached: str
) -> None:
    objects = chart.render(values)
    for each in objects:
        if each["kind"] in {"Deployment", "Service", "NetworkPolicy"}:
            kubernetes_validate.validate(each, KUBERNETES, strict=True)
    assert settings(objects)[component]["url"] == reached
    deployment, service = one(objects, "Deployment", f"-{component}"), one(objects, "Service", f"-{component}")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for selector in (service["spec"]["selector"], deployment["spec"]["selector"]["matchLabels"]):
        assert selector.items() <= labels.items()
        assert (
            not selector.items()
            <= one(objects, "Deployment", "-operator")["spec"]["template"]["metadata"]["labels"].items()
        )
    assert [each["port"] for each in service["spec"]["ports"]] == [port]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["ports"][0]["containerPort"] == port


@pytest.mark.shows("A66")
def test_the_receiver_of_webhooks_has_no_rights_and_asks_nobody(chart: Chart) -> None:
    objects = chart.render(WEBHOOK)
    pod = one(objects, "Deployment", "-webhook")["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    subjects = [subject["name"] for each in objects for subject in each.get("subjects") or ()]
    assert pod["serviceAccountName"] not in subjects
    assert [each["metadata"]["name"] for each in objects if each["kind"].endswith("Role")] == [
        each["metadata"]["name"] for each in chart.render() if each["kind"].endswith("Role")
    ]
    policy = one(objects, "NetworkPolicy", "-webhook")["spec"]
    assert (policy["policyTypes"], policy.get("egress")) == (["Ingress", "Egress"], None)
    assert policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "webhook"
    [container] = pod["containers"]
    assert container["args"] == ["webhook"]
    secret = {"secretKeyRef": {"name": "webhook", "key": "secret"}}
    assert container["env"] == [{"name": "WEBHOOK_SECRET", "valueFrom": secret}]


def test_a_key_of_a_secret_is_in_two_variables(chart: Chart) -> None:
    pod = one(chart.render(SIGNER), "Deployment", "-signer")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["env"] == [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": "signing", "key": key, "optional": optional}}}
        for name, key, optional in [
            ("SIGNING_KEY", "cosign.key", False),
            ("SIGNING_KEY_PASSWORD", "cosign.password", True),
        ]
    ]
    assert pod["volumes"] == [{"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}]


def test_with_the_key_of_a_kms_there_is_cosign_and_no_secret(chart: Chart) -> None:
    region = {"name": "AWS_REGION", "value": "eu-west-1"}
    annotations = {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/signer"}
    labels = {"azure.workload.identity/use": "true"}
    values = {"env": [region], "serviceAccount": {"annotations": annotations}, "podLabels": labels}
    objects = chart.render({"signer": {**SIGNER["signer"], "key": KMS, **values}})
    deployment = one(objects, "Deployment", "-signer")
    kubernetes_validate.validate(deployment, KUBERNETES, strict=True)
    template = deployment["spec"]["template"]
    [container] = template["spec"]["containers"]
    assert container["env"] == [
        {"name": "SIGNING_KMS", "value": KMS["kms"]},
        {"name": "SIGNING_PUBLIC_KEY", "value": SIGNER["signer"]["publicKey"]},
        region,
    ]
    assert container["volumeMounts"] == [
        {"name": "run", "mountPath": "/kaniko/.run"},
        {"name": "image", "mountPath": "/kaniko/.cosign", "readOnly": True},
    ]
    assert template["spec"]["volumes"] == [
        {"name": "run", "emptyDir": {"sizeLimit": "512Mi"}},
        {"name": "image", "image": {"reference": KMS["cosignImage"]}},
    ]
    assert labels.items() <= template["metadata"]["labels"].items()
    assert labels.items().isdisjoint(deployment["spec"]["selector"]["matchLabels"].items())
    assert one(objects, "ServiceAccount", "-signer")["metadata"]["annotations"] == annotations


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ({}, "needs one of signer.key.secretName"),
        ({"secretName": "signing", **KMS}, "needs one of signer.key.secretName"),
        ({"kms": KMS["kms"]}, "signer.key.kms needs signer.key.cosignImage, an image of cosign by its digest"),
        ({**KMS, "kms": "file:///etc/passwd"}, "kms"),
        ({**KMS, "cosignImage": "ghcr.io/sigstore/cosign/cosign:v3"}, "cosignImage"),
    ],
)
def test_a_key_that_cannot_sign_is_refused(chart: Chart, key: dict[str, str], problem: str) -> None:
    assert problem in chart.refusal({"signer": {"enabled": True, "key": key}})
