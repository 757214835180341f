"""The alerts' own times and thresholds, evaluated by Prometheus' promtool on made-up series of two releases."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.helm import CHART
from chart.render import Chart, one
from cluster.packages import ensure

ALERTS = [rule["alert"] for rule in yaml.safe_load((CHART / "files/alerts.yaml").read_text())["groups"][0]["rules"]]
QUEUED = 'imagebuild_builds_queued{build_namespace="team"}'
RUNNING = 'imagebuild_builds_running{build_namespace="team"}'
WAITED = 'imagebuild_queue_wait_seconds_bucket{le="%s"}'
SUCCEEDED = 'imagebuild_builds_finished_total{result="succeeded", reason=""}'
FAILED = 'imagebuild_builds_finished_total{result="failed", reason="%s"}'
REQUESTS = "imagebuild_api_requests_total"

#: For each alert the series of a release in trouble and of one that is well, a value for each minute; and the last
#: minute at which it is silent and the first at which it fires.
CASES: dict[str, tuple[dict[str, str], dict[str, str], int, int]] = {
    "ImageBuildOperatorDown": (
        {"imagebuild_operator_build_info": "1x10 stale"},
        {"imagebuild_operator_build_info": "1x60"},
        15,
        16,
    ),
    "ImageBuildNoLeader": (
        {'imagebuild_leader{instance="1"}': "0x60", 'imagebuild_leader{instance="2"}': "0x60"},
        {'imagebuild_leader{instance="1"}': "1x60", 'imagebuild_leader{instance="2"}': "0x60"},
        1,
        2,
    ),
    "ImageBuildWatchStalled": (
        {'imagebuild_watch_last_progress_timestamp_seconds{resource="pods"}': "0x60"},
        {'imagebuild_watch_last_progress_timestamp_seconds{resource="pods"}': "0+60x60"},
        10,
        11,
    ),
    "ImageBuildDefaultsUnreadable": (
        {"imagebuild_defaults_unreadable": "1x60"},
        {"imagebuild_defaults_unreadable": "0x60"},
        4,
        5,
    ),
    "ImageBuildQueueStuck": ({QUEUED: "2x60", RUNNING: "0x60"}, {QUEUED: "2x60", RUNNING: "1x60"}, 14, 15),
    "ImageBuildQueueSlow": (
        {WAITED % "1800": "0x60", WAITED % "3600": "0+1x60", WAITED % "+Inf": "0+1x60"},
        {WAITED % "1800": "0+1x60", WAITED % "3600": "0+1x60", WAITED % "+Inf": "0+1x60"},
        15,
        16,
    ),
    "ImageBuildInfrastructureFailures": (
        {FAILED % "Evicted": "0+1x60", SUCCEEDED: "0+1x60"},
        {FAILED % "CopyFailed": "0+1x60", SUCCEEDED: "0+1x60"},
        10,
        15,
    ),
    "ImageBuildApiErrors": (
        {f'{REQUESTS}{{code="503"}}': "0+1x60", f'{REQUESTS}{{code="200"}}': "0+4x60"},
        {f'{REQUESTS}{{code="503"}}': "0+1x60", f'{REQUESTS}{{code="200"}}': "0+20x60"},
        15,
        16,
    ),
    "ImageBuildReconcileErrors": (
        {'imagebuild_reconciles_total{result="error"}': "0+1x60"},
        {'imagebuild_reconciles_total{result="error"}': "0+0.5x60"},
        38,
        40,
    ),
}


@pytest.fixture(scope="module")
def rules(chart: Chart, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules of two releases in different namespaces."""
    groups = []
    for namespace in ("ill", "well"):
        values = {"metrics": {"prometheusRule": {"enabled": True}}}
        [group] = one(chart.render(values, namespace=namespace), "PrometheusRule")["spec"]["groups"]
        groups.append({**group, "name": namespace})
    file = tmp_path_factory.mktemp("rules") / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": groups}))
    return file


def series(of: dict[str, str], namespace: str) -> list[dict[str, str]]:
    labels = f'namespace="{namespace}", job="ib"'
    return [
        {"series": f"{name[:-1]}, {labels}}}" if name.endswith("}") else f"{name}{{{labels}}}", "values": values}
        for name, values in of.items()
    ]


def expectation(alert: str, minute: int, *firing: str) -> dict[str, Any]:
    labels = [f'{{alertname="{alert}", namespace="{namespace}", job="ib"}}' for namespace in firing]
    return {
        "expr": f'count by (alertname, namespace, job) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": each, "value": 1} for each in labels],
    }


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_fires_when_it_says_and_for_its_own_release(alert: str, rules: Path, tmp_path: Path) -> None:
    ensure(["promtool"])
    ill, well, silent, fires = CASES[alert]
    document = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [*series(ill, "ill"), *series(well, "well")],
                "promql_expr_test": [expectation(alert, silent), expectation(alert, fires, "ill")],
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(document))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
