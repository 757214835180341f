"""Start the operator: `imagebuild-operator`, or `python -m imagebuild_operator`."""

import logging
import os
import sys

import kopf

from imagebuild_operator.controller import Controller
from imagebuild_operator.errors import SettingsError
from imagebuild_operator.handlers import register
from imagebuild_operator.settings import load_settings
from imagebuild_operator.startup import kopf_settings


def main() -> int:
    """Run until told to stop; 0, or 2 where the settings are wrong."""
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"imagebuild-operator: {error}\n")
        return 2
    kopf.configure(log_format=kopf.LogFormat.JSON if settings.log_format == "json" else kopf.LogFormat.FULL)
    logging.getLogger().setLevel(settings.log_level)
    # Every probe of the kubelet would be two lines, and every event of a watch one.
    for chatty in ("aiohttp.access", "kopf.activities", "kopf.objects"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    registry = kopf.OperatorRegistry()
    register(registry, Controller(settings))
    kopf.run(
        registry=registry,
        settings=kopf_settings(),
        namespaces=settings.namespaces,
        clusterwide=not settings.namespaces,
        standalone=True,
        liveness_endpoint=f"http://0.0.0.0:{settings.health_port}/healthz",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
