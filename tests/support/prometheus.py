"""Debian's Prometheus, which scrapes operators and evaluates rules."""

import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from support.waiting import until

Json = dict[str, Any]
#: The labels of a target, as the Prometheus operator gives them: the pod's namespace, and the job.
Target = tuple[str, str]


class Prometheus:
    """One server; it runs for as long as the block lasts."""

    def __init__(self, folder: Path, targets: Mapping[Target, str], rules: list[Json]) -> None:
        """Prepare one.

        Args:
            folder: For its configuration, data and log.
            targets: The address of each target.
            rules: Groups of rules.
        """
        self._log = folder / "prometheus.log"
        self._data = folder / "data"
        self._config = folder / "prometheus.yaml"
        rule_file = folder / "rules.yaml"
        rule_file.write_text(yaml.safe_dump({"groups": rules}), encoding="utf-8")
        # One scrape configuration for each target: `job` is the name of its configuration.
        static = [
            {"job_name": f"{namespace}/{job}", "static_configs": [{"targets": [address], "labels": labels}]}
            for (namespace, job), address in targets.items()
            for labels in ({"namespace": namespace, "job": job},)
        ]
        document = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [str(rule_file)],
            "scrape_configs": static,
        }
        self._config.write_text(yaml.safe_dump(document), encoding="utf-8")
        self._address = ""

    def __enter__(self) -> Self:
        command = [
            "prometheus",
            f"--config.file={self._config}",
            f"--storage.tsdb.path={self._data}",
            "--web.listen-address=127.0.0.1:0",
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self._address = until(self._find_address)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def query(self, expression: str) -> list[Json]:
        """The result of an instant query: a list of series with `metric` and `value`."""
        found: list[Json] = self._get("query", query=expression)["result"]
        return found

    def firing(self) -> set[tuple[str, str, str]]:
        """The namespace, job and name of each alert that fires."""
        alerts = self._get("alerts")["alerts"]
        assert "<error" not in json.dumps(alerts), "an annotation cannot be expanded"
        return {
            (alert["labels"].get("namespace", ""), alert["labels"].get("job", ""), alert["labels"]["alertname"])
            for alert in alerts
            if alert["state"] == "firing"
        }

    def _find_address(self) -> str:
        log = self._log.read_text(encoding="utf-8")
        assert self._process.poll() is None, log
        found = re.search(r'msg="Listening on" address=(\S+)', log)
        return found.group(1) if found and "Server is ready" in log else ""

    def _get(self, path: str, **parameters: str) -> Json:
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            data: Json = json.load(answer)["data"]
        return data
