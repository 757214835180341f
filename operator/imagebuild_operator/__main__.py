"""Start the operator: `imagebuild-operator`, or `python -m imagebuild_operator`."""

import os
import sys

import kopf

from imagebuild_operator.controller import Controller
from imagebuild_operator.errors import SettingsError
from imagebuild_operator.handlers import register
from imagebuild_operator.journal import configure
from imagebuild_operator.meters import Meters
from imagebuild_operator.monitor import Monitor
from imagebuild_operator.settings import OperatorSettings, load_settings
from imagebuild_operator.startup import kopf_settings
from imagebuild_operator.tracing import Send, tracing
from imagebuild_operator.watches import Watches


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
