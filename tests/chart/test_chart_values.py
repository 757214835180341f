"""Values: the schema refuses slips; parent charts set some of them."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.render import Chart, operator_container, settings
from imagebuild_operator.api.selector import PATTERN

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"imagePullSecret": []}, "additional properties 'imagePullSecret' not allowed"),
    ({"builder": {"imag": {}}}, "additional properties 'imag' not allowed"),
    ({"builder": {"image": "registry.example.com/builder:1"}}, "got string, want object"),
    ({"crds": {"keep": "yes"}}, "got string, want boolean"),
    ({"image": {"repository": "registry.example.com/operator:1"}}, "does not match pattern"),
    ({"image": {"registry": "https://registry.example.com"}}, "does not match pattern"),
    (
        {"image": {"repository": "registry.example.com/operator"}},
        "image.repository is registry.example.com/operator: write the registry registry.example.com to image.registry",
    ),
    (
        {"builder": {"image": {"repository": "localhost:5000/team/builder"}}},
        "write the registry localhost:5000 to builder.image.registry, and the rest of the name to",
    ),
    ({"image": {"digest": "abc"}}, "does not match pattern"),
    ({"image": {"pullPolicy": "Sometimes"}}, "must be one of"),
    ({"progress": {"enabled": "no"}}, "got string, want boolean"),
    ({"webhook": {"enabled": True}}, "webhook.enabled needs webhook.secretName"),
    ({"retry": {"delaySeconds": -1}}, "minimum"),
    ({"history": {"failed": "all"}}, "want"),
    ({"admission": {"maxRunning": -1}}, "minimum"),
    ({"admission": {"namespaces": {"Team": 1}}}, "does not match pattern"),
    ({"builder": {"keepPods": True}}, "must be one of"),
    ({"watchNamespaces": "team-a"}, "got string, want array"),
    ({"watchNamespaces": ["Team"]}, "does not match pattern"),
    ({"buildSelector": "team: a"}, "does not match pattern"),
    ({"log": {"level": "loud"}}, "must be one of"),
    ({"strategy": {"type": "Rolling"}}, "must be one of"),
    ({"livenessProbe": {"httpGet": {"path": "/"}}}, "additional properties 'httpGet' not allowed"),
    ({"podDisruptionBudget": {"maxUnavailable": "half"}}, "does not match pattern"),
    ({"extraEnv": [{"value": "x"}]}, "missing property 'name'"),
    ({"extraEnv": {"NAME": "x"}}, "got object, want array"),
    ({"commonLabels": {"cost": 1}}, "got number, want string"),
    ({"metrics": {"port": 80}}, "minimum"),
    ({"metrics": {"port": 8080}}, "'not' failed"),
    ({"metrics": {"podMonitor": {"interval": "often"}}}, "does not match pattern"),
    ({"metrics": {"prometheusRule": {"selector": "{job=1}"}}}, "does not match pattern"),
    ({"tracing": {"endpoint": "collector:4318"}}, "does not match pattern"),
    ({"imagePullSecrets": ["pull"]}, "got string, want object"),
    ({"builder": {"resources": {"requests": {"cpu": "lots"}}}}, "does not match pattern"),
    ({"builder": {"resources": {"request": {}}}}, "additional properties 'request' not allowed"),
    ({"builder": {"tolerations": [{"effect": "Never"}]}}, "must be one of"),
    ({"builder": {"registries": [{"host": "https://a.b"}]}}, "does not match pattern"),
    ({"builder": {"proxy": {"httpProxy": "proxy:3128"}}}, "does not match pattern"),
    ({"builder": {"proxy": {"httpsProxy": "http://me:pw@proxy:3128"}}}, "does not match pattern"),
    ({"builder": {"registries": [{"plainHTTP": True}]}}, "missing property 'host'"),
    ({"builder": {"registries": [{"host": "a.b", "mirrors": ["c"], "mapTo": "d"}]}}, "'not' failed"),
    ({"builder": {"registries": [{"host": "a", "mirrors": ["c"]}, {"host": "b", "mapTo": "d"}]}}, "'not' failed"),
]


@pytest.mark.parametrize(("values", "words"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_slip_is_refused(chart: Chart, values: dict[str, Any], words: str) -> None:
    assert words in chart.refusal(values)


def test_global_values_of_a_parent_chart_are_let_through(chart: Chart) -> None:
    assert chart.render({"enabled": True, "global": {"storageClass": "x"}})


def test_the_selector_of_builds_reaches_the_operator_which_takes_what_the_schema_takes(chart: Chart) -> None:
    assert settings(chart.render({"buildSelector": "team in (a,b),!x"}))["buildSelector"] == "team in (a,b),!x"
    schema = json.loads((chart.folder / "values.schema.json").read_text())
    assert schema["properties"]["buildSelector"]["pattern"] == PATTERN


def test_an_umbrella_chart_may_include_the_chart(chart: Chart, tmp_path: Path) -> None:
    """As charts/imagebuild-operator/README.md says, with a condition and global values."""
    readme = (chart.folder / "README.md").read_text()
    [block] = re.findall(r"```yaml\n(dependencies:.*?)```", readme, flags=re.DOTALL)
    [dependency] = yaml.safe_load(block)["dependencies"]
    assert dependency["version"] == yaml.safe_load((chart.folder / "Chart.yaml").read_text())["version"]
    own = {"apiVersion": "v2", "name": "platform", "version": "1.0.0", "dependencies": [dependency]}
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump(own))
    (tmp_path / "charts").mkdir()
    shutil.copytree(chart.folder, tmp_path / "charts" / chart.folder.name)
    umbrella = Chart(chart.helm, tmp_path)
    values = {"imagebuild-operator": {"enabled": True}, "global": {"imageRegistry": "registry.example.com"}}
    assert operator_container(umbrella.render(values))["image"].startswith("registry.example.com/imagebuild-dev/")
    assert umbrella.render({"imagebuild-operator": {"enabled": False}}) == []


def test_the_notes_hold_a_build_to_paste(chart: Chart) -> None:
    notes = (chart.folder / "templates" / "NOTES.txt").read_text()
    [manifest] = re.findall(r"<<'EOF'\n(.*?)\nEOF\n", notes, flags=re.DOTALL)
    build = yaml.safe_load(manifest)
    assert build["kind"] == "ImageBuild"
    assert set(build["spec"]) == {"source", "output"}
