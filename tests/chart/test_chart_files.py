"""The chart's own files: README, Chart.yaml, and what the archive holds."""

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import yaml
import yamllint.config  # type: ignore[import-untyped]
import yamllint.linter  # type: ignore[import-untyped]
from chart.render import Chart
from cluster.artefacts import artefact


def test_the_readme_is_made_from_the_values(chart: Chart, tmp_path: Path) -> None:
    folder = tmp_path / "chart"
    folder.mkdir()
    for name in ("Chart.yaml", "values.yaml", "README.md.gotmpl"):
        shutil.copy(chart.folder / name, folder)
    options = ["--chart-search-root", str(folder), "--sort-values-order", "file", "--log-level", "warning"]
    subprocess.run([str(artefact("helm-docs")), *options], check=True)
    assert (folder / "README.md").read_text() == (chart.folder / "README.md").read_text(), "run make docs"


def test_every_value_has_a_description(chart: Chart) -> None:
    table = (chart.folder / "README.md").read_text().partition("\n## Values\n")[2]
    rows = re.findall(r"^\| `([^`]+)` \| .* \| (.*) \|$", table, flags=re.MULTILINE)
    assert rows
    assert [name for name, meaning in rows if not meaning.endswith(".")] == []


def test_the_yaml_has_the_style_that_chart_testing_asks_for(chart: Chart) -> None:
    options = yamllint.config.YamlLintConfig(file=str(chart.folder.parent / "yamllint.yaml"))
    for name in ("Chart.yaml", "values.yaml"):
        problems = yamllint.linter.run((chart.folder / name).read_text(), options, name)
        assert [f"{name}:{problem.line}: {problem.desc}" for problem in problems] == []


def test_chart_yaml_is_complete(chart: Chart) -> None:
    """As `ct lint` and Artifact Hub expect it."""
    made = yaml.safe_load((chart.folder / "Chart.yaml").read_text())
    assert made["apiVersion"] == "v2"
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[a-z0-9.]+)?", made["version"])
    assert made["type"] == "application"
    assert made["home"] in made["sources"]
    assert made["icon"].startswith("https://")
    assert (chart.folder.parents[1] / "docs" / made["icon"].partition("/docs/")[2]).is_file()
    for maintainer in made["maintainers"]:
        assert maintainer["name"]
        assert maintainer["url"].startswith("https://")
    listed = {(each["kind"], each["name"]) for each in yaml.safe_load(made["annotations"]["artifacthub.io/crds"])}
    files = [yaml.safe_load(file.read_text()) for file in (chart.folder / "files").glob("*.yaml")]
    assert listed == {
        (each["spec"]["names"]["kind"], each["metadata"]["name"])
        for each in files
        if each.get("kind") == "CustomResourceDefinition"
    }
    for name in ("crds", "crdsExamples", "changes", "links"):
        assert yaml.safe_load(made["annotations"][f"artifacthub.io/{name}"]), name


def test_the_archive_holds_what_an_installation_needs(chart: Chart, tmp_path: Path) -> None:
    command = [str(chart.helm), "package", str(chart.folder), "--destination", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    [archive] = tmp_path.iterdir()
    with tarfile.open(archive) as tar:
        names = {Path(name).relative_to("imagebuild-operator").as_posix() for name in tar.getnames()}
    assert {"README.md", "values.schema.json", "files/imagebuild.yaml", "templates/tests/build.yaml"} <= names
    assert "README.md.gotmpl" not in names
