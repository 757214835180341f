"""Values: the schema refuses slips, the README names all of them."""

import json
import re
from typing import Any

import pytest
import yaml
from chart.render import Chart, settings
from imagebuild_operator.api.selector import PATTERN

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"imagePullSecret": []}, "additional properties 'imagePullSecret' not allowed"),
    ({"builder": {"imag": {}}}, "additional properties 'imag' not allowed"),
    ({"builder": {"image": "registry.example.com/builder:1"}}, "got string, want object"),
    ({"crds": {"keep": "yes"}}, "got string, want boolean"),
    ({"image": {"repository": "registry.example.com/operator:1"}}, "does not match pattern"),
    ({"image": {"digest": "abc"}}, "does not match pattern"),
    ({"image": {"pullPolicy": "Sometimes"}}, "must be one of"),
    ({"progress": {"enabled": "no"}}, "got string, want boolean"),
    ({"retry": {"delaySeconds": -1}}, "minimum"),
    ({"history": {"failed": "all"}}, "want"),
    ({"admission": {"maxRunning": -1}}, "minimum"),
    ({"admission": {"namespaces": {"Team": 1}}}, "does not match pattern"),
    ({"builder": {"keepPods": True}}, "must be one of"),
    ({"watchNamespaces": "team-a"}, "got string, want array"),
    ({"watchNamespaces": ["Team"]}, "does not match pattern"),
    ({"buildSelector": "team: a"}, "does not match pattern"),
    ({"log": {"level": "loud"}}, "must be one of"),
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
    ({"builder": {"registries": [{"insecure": True}]}}, "missing property 'host'"),
    ({"builder": {"registries": [{"host": "a.b", "mirrors": ["c"], "mapTo": "d"}]}}, "'not' failed"),
    ({"builder": {"registries": [{"host": "a", "mirrors": ["c"]}, {"host": "b", "mapTo": "d"}]}}, "'not' failed"),
]


@pytest.mark.parametrize(("values", "words"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_slip_is_refused(chart: Chart, values: dict[str, Any], words: str) -> None:
    assert words in chart.refusal(values)


def test_global_values_of_a_parent_chart_are_let_through(chart: Chart) -> None:
    assert chart.render({"global": {"imageRegistry": "x"}})


def test_the_selector_of_builds_reaches_the_operator_which_takes_what_the_schema_takes(chart: Chart) -> None:
    assert settings(chart.render({"buildSelector": "team in (a,b),!x"}))["buildSelector"] == "team in (a,b),!x"
    schema = json.loads((chart.folder / "values.schema.json").read_text())
    assert schema["properties"]["buildSelector"]["pattern"] == PATTERN


def test_the_readme_names_every_value(chart: Chart) -> None:
    named = set(re.findall(r"`([A-Za-z.]+)`", (chart.folder / "README.md").read_text()))

    def missing(values: dict[str, Any], prefix: str = "") -> list[str]:
        found = []
        for key, value in values.items():
            path = prefix + key
            if path in named:
                continue
            found += missing(value, path + ".") if isinstance(value, dict) and value else [path]
        return found

    assert missing(yaml.safe_load((chart.folder / "values.yaml").read_text())) == []


def test_the_notes_hold_a_build_to_paste(chart: Chart) -> None:
    notes = (chart.folder / "templates" / "NOTES.txt").read_text()
    [manifest] = re.findall(r"<<'EOF'\n(.*?)\nEOF\n", notes, flags=re.DOTALL)
    build = yaml.safe_load(manifest)
    assert build["kind"] == "ImageBuild"
    assert set(build["spec"]) == {"source", "output"}
