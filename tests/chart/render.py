"""A chart and what Helm makes of it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from imagebuild_operator.settings_file import parse_settings

#: The version that objects are rendered and checked for.
KUBERNETES = "1.34.0"
#: Kinds that no published JSON schema describes.
NOT_PUBLISHED = {"CustomResourceDefinition", "PodMonitor", "ServiceMonitor", "PrometheusRule"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart folder and a helm program."""

    helm: Path
    folder: Path

    @property
    def version(self) -> str:
        """The chart's version, which is that of its images."""
        return str(yaml.safe_load((self.folder / "Chart.yaml").read_text(encoding="utf-8"))["version"])

    def run(self, command: str, *arguments: str, values: Json | None = None) -> subprocess.CompletedProcess[str]:
        """Run a helm command on the chart, whatever comes of it."""
        line = [str(self.helm), *command.split(), str(self.folder), *arguments, "--values", "-"]
        given = yaml.safe_dump(values or {})
        return subprocess.run(line, input=given, capture_output=True, text=True, check=False, timeout=60)

    def render(
        self,
        values: Json | None = None,
        name: str = "ib",
        namespace: str = "imagebuild-system",
        more: tuple[str, ...] = ("--skip-tests",),
    ) -> list[Json]:
        """Give the objects that an installation with these values creates; `more` are options of `helm template`."""
        arguments = ("--name-template", name, "--namespace", namespace, "--kube-version", KUBERNETES, *more)
        done = self.run("template", *arguments, values=values)
        assert done.returncode == 0, done.stderr
        return [document for document in yaml.load_all(done.stdout, yaml.CSafeLoader) if document]

    def refusal(self, values: Json) -> str:
        """Give the message with which Helm refuses values.

        Raises:
            AssertionError: it took them.
        """
        done = self.run("template", "--kube-version", KUBERNETES, values=values)
        assert done.returncode != 0, f"accepted: {values}"
        return done.stderr


def one(objects: list[Json], kind: str, name: str = "") -> Json:
    """Give the only object of a kind, or the one whose name ends so."""
    [found] = [item for item in objects if item["kind"] == kind and item["metadata"]["name"].endswith(name)]
    return found


def operator_container(objects: list[Json]) -> Json:
    """Give the operator's container."""
    [container] = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    found: Json = container
    return found


def settings(objects: list[Json]) -> Json:
    """Give the settings file that the operator reads; the operator accepts it."""
    [config_map] = [item for item in objects if item["kind"] == "ConfigMap" and "settings.yaml" in item["data"]]
    document: Json = yaml.safe_load(config_map["data"]["settings.yaml"])
    parse_settings(document)
    return document
