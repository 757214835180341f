"""The programs of the builder image that the chart runs beside the operator: the signer, the receiver of webhooks."""

from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from chart.render import KUBERNETES, Chart, one, settings

SIGNER = {"signer": {"enabled": True, "key": {"secretName": "signing"}, "publicKey": "-----BEGIN PUBLIC KEY-----"}}
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
