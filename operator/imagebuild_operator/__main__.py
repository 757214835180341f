"""Start the operator: `imagebuild-operator`, or `python -m imagebuild_operator`."""

import os
import sys

import kopf

from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.controller.controller import Controller
from imagebuild_operator.controller.handlers import register
from imagebuild_operator.controller.monitor import Monitor
from imagebuild_operator.controller.startup import kopf_settings
from imagebuild_operator.controller.watches import Watches
from imagebuild_operator.settings import OperatorSettings, load_settings
from imagebuild_operator.telemetry.logging import configure
from imagebuild_operator.telemetry.otlp import Send, tracing
from imagebuild_operator.telemetry.prometheus import Meters


def main() -> int:
    """Run until told to stop; 0, or 2 where the settings are wrong."""
    try:
        settings = load_settings(os.environ)
        configure(settings.log_format, settings.log_level)
        with tracing(settings.tracing_endpoint) as send:
            _run(settings, send)
    except SettingsError as error:
        sys.stderr.write(f"imagebuild-operator: {error}\n")
        return 2
    return 0


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
