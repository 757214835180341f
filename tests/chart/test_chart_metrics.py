"""Metrics: how they are found, the alerts and the dashboard."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from chart.helm import CHART
from chart.render import Chart, one, operator_container, settings
from imagebuild_operator.api.reason_rows import Cause
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.telemetry.counts import ENDINGS
from imagebuild_operator.telemetry.metrics import NAMESPACE, TABLE, Kind

ALERTS = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((CHART / "files" / "dashboard.json").read_text())
OPERATIONS = (Path(__file__).parents[2] / "docs" / "how-to" / "operations.md").read_text()
#: Labels that Prometheus gives to the series of a target.
TARGET = {"namespace", "job"}
SERIES = {
    name: metric
    for metric in TABLE
    for name in (
        [f"{metric.name}_{part}" for part in ("bucket", "sum", "count")]
        if metric.kind is Kind.HISTOGRAM
        else [metric.name]
    )
}


def queries() -> list[str]:
    """Every query of the alerts and of the dashboard."""
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [*(alert["expr"] for alert in ALERTS), *panels]


def test_queries_ask_for_metrics_and_labels_that_exist() -> None:
    for query in queries():
        names = re.findall(r"\bimagebuild_[a-z_]+", query)
        assert names, query
        for name, labels in re.findall(r"\b(imagebuild_[a-z_]+)(?:\{([^}]*)\})?", query):
            assert name in SERIES, query
            assert set(re.findall(r"([a-z_]+)\s*[=!]", labels)) <= {*SERIES[name].labels, *TARGET, NAMESPACE}, query
        known = {label for name in names for label in SERIES[name].labels} | {"le", "instance", *TARGET}
        for grouped in re.findall(r"by \(([^)]*)\)", query):
            assert set(grouped.split(", ")) <= known, query


def test_every_query_says_of_which_release() -> None:
    for alert in ALERTS:
        for labels in re.findall(r"imagebuild_[a-z_]+(?:\{([^}]*)\})?", alert["expr"]):
            assert labels.startswith("SELECTOR"), alert["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            for name, labels in re.findall(r"(imagebuild_[a-z_]+)(?:\{([^}]*)\})?", target["expr"]):
                assert labels.startswith('namespace=~"$namespace", job=~"$job"'), target["expr"]
                assert (f'{NAMESPACE}=~"$build_namespace"' in labels) == SERIES[name].of_builds, target["expr"]


def test_the_alerts_of_a_release_select_its_own_metrics(chart: Chart) -> None:
    def expressions(selector: str = "") -> list[str]:
        values = {"metrics": {"prometheusRule": {"enabled": True, "selector": selector}}}
        rule = one(chart.render(values), "PrometheusRule")
        return [item["expr"] for item in rule["spec"]["groups"][0]["rules"]]

    own, given = 'namespace="imagebuild-system", job="ib"', 'job="builds"'
    assert expressions() == [alert["expr"].replace("SELECTOR", own) for alert in ALERTS]
    assert expressions(given) == [alert["expr"].replace("SELECTOR", given) for alert in ALERTS]


def test_a_rate_is_taken_of_what_counts_and_of_nothing_else() -> None:
    for query in queries():
        for name in re.findall(r"(?:rate|increase)\((imagebuild_[a-z_]+)", query):
            assert SERIES[name].kind is not Kind.GAUGE, query


def test_infrastructure_failures_are_those_of_the_table() -> None:
    [alert] = [alert for alert in ALERTS if alert["alert"] == "ImageBuildInfrastructureFailures"]
    [named] = re.findall(r'reason=~"([^"]+)"', alert["expr"])
    endings = {reason for result, reason in ENDINGS if result == "failed"}
    assert set(named.split("|")) == {r for r in endings if Reason(r).row.cause is Cause.INFRASTRUCTURE}


def test_every_alert_has_a_runbook(chart: Chart) -> None:
    values = {"metrics": {"prometheusRule": {"enabled": True, "runbookUrl": "https://docs.example.com/page"}}}
    rule = one(chart.render(values), "PrometheusRule")
    rules = rule["spec"]["groups"][0]["rules"]
    assert [item["alert"] for item in rules] == [item["alert"] for item in ALERTS]
    for item in rules:
        assert item["annotations"]["runbook_url"] == f"https://docs.example.com/page#{item['alert'].lower()}"
        assert f"### {item['alert']}\n" in OPERATIONS
        assert item["labels"]["severity"] in {"critical", "warning"}
        assert item["annotations"]["summary"].endswith(".")


def test_prometheus_finds_the_operator(chart: Chart) -> None:
    objects = chart.render({"metrics": {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}})
    pod, service = one(objects, "Deployment")["spec"]["template"], one(objects, "Service")
    assert {"name": "metrics", "containerPort": 8081} in operator_container(objects)["ports"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert service["spec"]["ports"] == [{"name": "metrics", "port": 8081, "targetPort": "metrics"}]
    selects: dict[str, Any] = {
        "PodMonitor": ("podMetricsEndpoints", pod),
        "ServiceMonitor": ("endpoints", service),
    }
    for kind, (field, target) in selects.items():
        spec = one(objects, kind)["spec"]
        assert "namespaceSelector" not in spec
        assert spec["selector"]["matchLabels"].items() <= target["metadata"]["labels"].items()
        assert target["metadata"]["labels"][spec["jobLabel"]] == "ib"
        assert spec[field] == [{"port": "metrics", "path": "/metrics", "interval": "30s"}]


def test_monitors_in_another_namespace_and_with_every_option(chart: Chart) -> None:
    options = {
        "enabled": True,
        "namespace": "monitoring",
        "labels": {"release": "prometheus"},
        "annotations": {"example.com/a": "b"},
        "interval": "",
        "scrapeTimeout": "20s",
        "honorLabels": True,
        "relabelings": [{"targetLabel": "cluster", "replacement": "one"}],
        "metricRelabelings": [{"sourceLabels": ["__name__"], "regex": "python_.*", "action": "drop"}],
    }
    objects = chart.render({"metrics": {"podMonitor": options, "serviceMonitor": options}})
    for kind, field in (("PodMonitor", "podMetricsEndpoints"), ("ServiceMonitor", "endpoints")):
        monitor = one(objects, kind)
        assert monitor["metadata"]["namespace"] == "monitoring"
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert monitor["metadata"]["annotations"] == options["annotations"]
        assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["imagebuild-system"]}
        passed = {key: options[key] for key in ("scrapeTimeout", "honorLabels", "relabelings", "metricRelabelings")}
        assert monitor["spec"][field] == [{"port": "metrics", "path": "/metrics", **passed}]


def test_a_service_monitor_needs_the_service(chart: Chart) -> None:
    values = {"metrics": {"serviceMonitor": {"enabled": True}, "service": {"enabled": False}}}
    assert "metrics.serviceMonitor.enabled needs metrics.service.enabled" in chart.refusal(values)


def test_labels_for_the_routes_of_alertmanager(chart: Chart) -> None:
    values = {"metrics": {"prometheusRule": {"enabled": True, "alertLabels": {"team": "a", "severity": "none"}}}}
    for alert in one(chart.render(values), "PrometheusRule")["spec"]["groups"][0]["rules"]:
        assert alert["labels"]["team"] == "a"
        assert alert["labels"]["severity"] in {"critical", "warning"}


def test_the_dashboard_is_found_by_grafanas_sidecar(chart: Chart) -> None:
    made = one(chart.render({"metrics": {"dashboard": {"enabled": True}}}), "ConfigMap", "-dashboard")
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(made["data"]["imagebuild.json"]) == DASHBOARD
    assert [each["name"] for each in DASHBOARD["templating"]["list"]][:2] == ["datasource", "namespace"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_without_metrics_there_is_nothing_of_it(chart: Chart) -> None:
    monitors = {name: {"enabled": True} for name in ("podMonitor", "serviceMonitor", "prometheusRule", "dashboard")}
    objects = chart.render({"metrics": {"enabled": False, **monitors}})
    assert {item["kind"] for item in objects} == {
        "CustomResourceDefinition",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "Deployment",
        "NetworkPolicy",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }
    assert settings(objects)["metrics"]["enabled"] is False
    assert [port["name"] for port in operator_container(objects)["ports"]] == ["health"]
