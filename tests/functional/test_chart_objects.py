"""Every object of the chart, as the API server takes it with strict validation; the Prometheus operator's kinds too."""

import json
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from chart.everything import EVERYTHING
from chart.helm import CHART, find_helm
from chart.render import Chart
from cluster import toolchain
from functional.kube import Kubectl

#: The module with the CustomResourceDefinitions.
PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
KINDS = ["podmonitors", "prometheusrules", "servicemonitors"]


@pytest.fixture(scope="module")
def definitions(kubectl: Kubectl) -> Iterator[None]:
    """The CustomResourceDefinitions of the Prometheus operator."""
    command = [str(toolchain.go()), "mod", "download", "-json", PROMETHEUS_OPERATOR]
    asked = subprocess.run(command, cwd="/", stdout=subprocess.PIPE, check=True)
    folder = Path(json.loads(asked.stdout)["Dir"], "example", "prometheus-operator-crd")
    files = [f"--filename={folder / f'monitoring.coreos.com_{kind}.yaml'}" for kind in KINDS]
    kubectl("apply", "--server-side", *files)
    names = [f"crd/{kind}.monitoring.coreos.com" for kind in KINDS]
    kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)
    yield
    kubectl("delete", *files)


@pytest.mark.usefixtures("definitions")
@pytest.mark.parametrize("replicas", [1, 3])
def test_the_api_server_takes_every_object(kubectl: Kubectl, namespace: str, replicas: int) -> None:
    values = {**deepcopy(EVERYTHING), "replicaCount": replicas, "watchNamespaces": [namespace]}
    values["networkPolicy"] = {"operator": {"enabled": True}, "builds": {"enabled": True}}
    for part in values["metrics"].values():
        if isinstance(part, dict):
            part.pop("namespace", None)
    objects = Chart(find_helm(), CHART).render(values, namespace=namespace, more=())
    taken = kubectl(
        "apply",
        f"--namespace={namespace}",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "--force-conflicts",
        "--filename=-",
        stdin=yaml.safe_dump_all(objects),
    )
    assert len(taken.splitlines()) == len(objects)
    for kind in KINDS:
        assert f"{kind.removesuffix('s')}.monitoring.coreos.com/" in taken
