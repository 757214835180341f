"""Starts the operator: `imagebuild-operator`, or `python -m imagebuild_operator`.

The variable `IMAGEBUILD_SETTINGS_FILE` has the path of the settings file; the chart sets it.
"""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import kopf
import uvloop
import yaml

from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.client.authentication import Authentication
from imagebuild_operator.controller.controller import Controller
from imagebuild_operator.runtime.handlers import register
from imagebuild_operator.runtime.login import Login
from imagebuild_operator.runtime.monitor import Monitor
from imagebuild_operator.runtime.startup import kopf_settings
from imagebuild_operator.runtime.watches import Watches
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.settings_file import parse_settings
from imagebuild_operator.telemetry.logging import configure
from imagebuild_operator.telemetry.otlp import Send, tracing
from imagebuild_operator.telemetry.prometheus import Metrics

_logger: Final = logging.getLogger(__name__)

SETTINGS_FILE: Final = "IMAGEBUILD_SETTINGS_FILE"


def main() -> int:
    """Run until a signal ends it.

    Returns:
        0 after a signal, 1 if the API server has rejected the operator's credentials for too long, 2 if the settings
        are wrong.
    """
    try:
        settings = read_settings(os.environ)
        configure(settings.log_format, settings.log_level)
        with tracing(settings.tracing_endpoint) as send:
            has_given_up = _run(settings, send)
    except SettingsError as error:
        sys.stderr.write(f"imagebuild-operator: {error}\n")
        return 2
    return int(has_given_up)


def read_settings(environ: Mapping[str, str]) -> OperatorSettings:
    """Read the settings file that the environment names.

    Raises:
        SettingsError: the file cannot be read or has problems, which the message lists.
    """
    path = environ.get(SETTINGS_FILE)
    if not path:
        raise SettingsError(f"{SETTINGS_FILE} is not set: write the path of the settings file")
    try:
        return parse_settings(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, SettingsError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error


def _run(settings: OperatorSettings, send: Send | None) -> bool:
    """Run until a signal, or until the credentials have been rejected for too long. Return whether they were."""
    registry = kopf.OperatorRegistry()
    metrics = Metrics(namespaces=settings.metrics_namespaces)
    stop = asyncio.Event()

    def give_up(seconds: float) -> None:
        _logger.critical("The API server has rejected the operator's credentials (401) for %.0f s; exiting", seconds)
        stop.set()

    authentication = Authentication(settings.credentials_rejected, give_up)
    controller = Controller(settings, metrics, authentication, send)
    watches = Watches(
        settings.namespaces,
        controller,
        metrics,
        authentication,
        settings.watch_silence,
    )
    monitor = Monitor(settings, controller, watches, authentication, metrics)
    login = Login(watches.tracing())
    register(
        registry,
        controller,
        monitor,
        login,
        stop,
        is_cluster_wide=not settings.namespaces,
        tracks=settings.tracked_images,
    )
    # What was imported stays. To look through it for garbage takes 50 ms and more, in which nothing else is done.
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        kopf.run(
            loop=runner.get_loop(),
            stop_flag=stop,
            registry=registry,
            settings=kopf_settings(settings.watch_silence, settings.selector),
            namespaces=settings.namespaces,
            clusterwide=not settings.namespaces,
            standalone=True,
        )
    return authentication.has_given_up


if __name__ == "__main__":
    sys.exit(main())
