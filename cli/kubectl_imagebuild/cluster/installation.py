"""Operators in a cluster, and their settings. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.settings_file import parse_settings

from kubectl_imagebuild import __version__
from kubectl_imagebuild.cluster.labels import matches

#: Labels of the operator's Deployment, as the chart sets them.
SELECTOR: Final = "app.kubernetes.io/component=operator,app.kubernetes.io/part-of=imagebuild"
VERSION_LABEL: Final = "app.kubernetes.io/version"
#: Namespace in which the operator is looked for if the user may not list all.
USUAL_NAMESPACE: Final = "imagebuild-system"
_VARIABLE: Final = "IMAGEBUILD_SETTINGS_FILE"

Body = Mapping[str, Any]

#: What the chart writes into the settings file by default, as far as it changes build pods.
CHART_SETTINGS: Final[Body] = {
    "builder": {
        "image": f"ghcr.io/imagebuild-dev/imagebuild-builder:{__version__}",
        "buildkit": {"image": f"ghcr.io/imagebuild-dev/imagebuild-builder-buildkit:{__version__}"},
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
            "limits": {"ephemeral-storage": "20Gi"},
        },
        "nodeSelector": {"kubernetes.io/os": "linux"},
    }
}


@dataclass(frozen=True, slots=True)
class Installation:
    """An operator.

    Attributes:
        settings: Its settings.
        origin: Where they come from.
        namespace: Namespace of its Deployment; empty if the user may not see one.
        name: Name of its Deployment.
        version: Its version; empty if it is not known.
        available: Number of its pods that are available; None if it is not known.
    """

    settings: OperatorSettings
    origin: str
    namespace: str = ""
    name: str = ""
    version: str = ""
    available: int | None = None

    def builds(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether it builds the ImageBuilds of a namespace that have these labels."""
        watched = self.settings.namespaces
        return (not watched or namespace in watched) and matches(self.settings.selector, labels)

    @property
    def version_difference(self) -> str:
        """That its version differs from this program's, as a sentence; empty if it does not."""
        if self.version in {"", __version__}:
            return ""
        return (
            f"The operator has version {self.version} and this program {__version__}: the operator may decide "
            "otherwise. Install the same version."
        )


def assumed(why: str) -> Installation:
    """The settings of a chart that was installed without values.

    Args:
        why: Why the real ones are not known.
    """
    return Installation(parse_settings(CHART_SETTINGS), f"the chart's defaults, because {why}")


def settings_map(deployment: Body) -> tuple[str, str]:
    """Name and key of the ConfigMap with the settings of an operator; empty if its Deployment mounts none."""
    pod = deployment["spec"]["template"]["spec"]
    for container in pod["containers"]:
        file = next((each.get("value", "") for each in container.get("env") or () if each["name"] == _VARIABLE), "")
        for mount in container.get("volumeMounts") or ():
            folder, name = mount["mountPath"].rstrip("/") + "/", mount["name"]
            for volume in pod.get("volumes") or ():
                if volume["name"] == name and file.startswith(folder) and "configMap" in volume:
                    return str(volume["configMap"]["name"]), file.removeprefix(folder)
    return "", ""


def installation(deployment: Body, settings: Body | None, key: str, why: str = "") -> Installation:
    """An operator from its Deployment and ConfigMap.

    Args:
        deployment: Its Deployment.
        settings: The ConfigMap with its settings; None if it cannot be read.
        key: The key of the settings in it.
        why: Why it cannot be read.
    """
    metadata = deployment["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    parsed, origin = _parsed(settings, key) if settings else (None, why)
    if parsed is None:
        known = assumed(origin)
        parsed, origin = known.settings, known.origin
    return Installation(
        settings=parsed,
        origin=origin,
        namespace=namespace,
        name=name,
        version=(metadata.get("labels") or {}).get(VERSION_LABEL, ""),
        available=(deployment.get("status") or {}).get("availableReplicas", 0),
    )


def responsible(found: Iterable[Installation], namespace: str, labels: Mapping[str, str]) -> Installation | None:
    """The operator that builds the ImageBuilds of a namespace that have these labels.

    If there are several, the one that names the namespace; they would disturb each other.
    """
    candidates = [each for each in found if each.builds(namespace, labels)]
    return max(candidates, key=lambda each: (namespace in each.settings.namespaces, each.name), default=None)


def _parsed(settings: Body, key: str) -> tuple[OperatorSettings | None, str]:
    metadata, text = settings["metadata"], (settings.get("data") or {}).get(key)
    where = f"ConfigMap {metadata['namespace']}/{metadata['name']}"
    if text is None:
        return None, f"{where} has no key {key}"
    try:
        return parse_settings(yaml.safe_load(text)), where
    except (SettingsError, yaml.YAMLError) as error:
        return None, f"this program does not understand {where} ({error})"
