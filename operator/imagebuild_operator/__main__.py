"""Start the operator: `imagebuild-operator`, or `python -m imagebuild_operator`.

The variable `IMAGEBUILD_SETTINGS_FILE` names the settings file; the chart writes both.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import kopf
import yaml

from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.controller.controller import Controller
from imagebuild_operator.controller.handlers import register
from imagebuild_operator.controller.monitor import Monitor
from imagebuild_operator.controller.startup import kopf_settings
from imagebuild_operator.controller.watches import Watches
from imagebuild_operator.settings import OperatorSettings, parse_settings
from imagebuild_operator.telemetry.logging import configure
from imagebuild_operator.telemetry.otlp import Send, tracing
from imagebuild_operator.telemetry.prometheus import Meters

SETTINGS_FILE: Final = "IMAGEBUILD_SETTINGS_FILE"


def main() -> int:
    """Run until a signal ends it; return 0, or 2 if the settings are wrong."""
    try:
        settings = read_settings(os.environ)
        configure(settings.log_format, settings.log_level)
        with tracing(settings.tracing_endpoint) as send:
            _run(settings, send)
    except SettingsError as error:
        sys.stderr.write(f"imagebuild-operator: {error}\n")
        return 2
    return 0


def read_settings(environ: Mapping[str, str]) -> OperatorSettings:
    """Read the settings file that the environment names.

    Raises:
        SettingsError: the file cannot be read, or lists what is wrong in it.
    """
    path = environ.get(SETTINGS_FILE)
    if not path:
        raise SettingsError(f"{SETTINGS_FILE} is not set: write the path of the settings file")
    try:
        return parse_settings(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, SettingsError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error


def _run(settings: OperatorSettings, send: Send | None) -> None:
    registry = kopf.OperatorRegistry()
    meters = Meters(namespaces=settings.metrics_namespaces)
    controller = Controller(settings, meters, send)
    register(registry, controller, Monitor(settings, controller, Watches(settings.namespaces, meters), meters))
    kopf.run(
        registry=registry,
        settings=kopf_settings(settings.watch_silence, settings.selector),
        namespaces=settings.namespaces,
        clusterwide=not settings.namespaces,
        standalone=True,
    )


if __name__ == "__main__":
    sys.exit(main())
