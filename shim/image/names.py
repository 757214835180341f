"""The images' names: those that the chart uses by default, so that it finds them where they are loaded."""

import re
from pathlib import Path

_CHART = Path(__file__).resolve().parents[2] / "charts" / "imagebuild-operator" / "Chart.yaml"
_APP_VERSION = re.compile(r'^appVersion: *"?([^"\s]+)"?\s*$', re.MULTILINE)
_DEFAULT_REGISTRY = "ghcr.io"
_REPOSITORY = "imagebuild-dev/imagebuild"


def image_name(part: str, registry: str = "") -> str:
    """The name of an image.

    Args:
        part: builder or operator.
        registry: the chart's `global.imageRegistry`; "" stands for its default.

    Raises:
        SystemExit: the registry is not a host with an optional path.
    """
    if not re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9.:/_-]*[A-Za-z0-9])?", registry) or "://" in registry:
        message = (
            f"error: IMAGE_REGISTRY={registry} is not a registry. "
            "Write a host with an optional port, such as registry.example.com or localhost:5000."
        )
        raise SystemExit(message)
    version = _APP_VERSION.search(_CHART.read_text(encoding="utf-8"))
    if version is None:
        message = f"error: {_CHART} has no appVersion."
        raise SystemExit(message)
    return f"{registry or _DEFAULT_REGISTRY}/{_REPOSITORY}-{part}:{version[1]}"
