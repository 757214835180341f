"""Which object is migrated how."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubectl_imagebuild.migration import kaniko, kpack, openshift, shipwright
from kubectl_imagebuild.migration.fields import Migrated

KNOWN = (
    "a Build or BuildRun of Shipwright, a BuildConfig of OpenShift, an Image of kpack, or a pod, Job or CronJob "
    "that runs kaniko"
)


def migrate(documents: Iterable[Mapping[str, Any]]) -> Iterator[Migrated]:
    """Migrate objects; lists are taken apart.

    Raises:
        ValueError: there is none that can be migrated.
    """
    objects = [each for document in documents for each in _items(document)]
    builds = {
        (str(each["metadata"].get("namespace") or ""), str(each["metadata"].get("name"))): each
        for each in objects
        if _of(each) == (shipwright.GROUP, "Build")
    }
    for each in objects:
        match _of(each):
            case shipwright.GROUP, "Build" | "BuildRun":
                migrated = shipwright.migrate(each, builds)
            case openshift.GROUP, "BuildConfig":
                migrated = openshift.migrate(each)
            case kpack.GROUP, "Image":
                migrated = kpack.migrate(each)
            case _, "Pod" | "Job" | "CronJob" if kaniko.runs_kaniko(each):
                migrated = kaniko.migrate(each)
            case _, kind:
                migrated = Migrated(f"{kind} {each['metadata'].get('name')}", notes=[f"It is not {KNOWN}."])
        yield migrated
    if not objects:
        raise ValueError(f"there is nothing to migrate: give the YAML of {KNOWN}")


def _items(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if document.get("kind", "").endswith("List") and isinstance(document.get("items"), list):
        for item in document["items"]:
            yield from _items(item)
    elif isinstance(document.get("metadata"), dict) and document.get("kind"):
        yield document


def _of(document: Mapping[str, Any]) -> tuple[str, str]:
    """Group and kind."""
    return str(document.get("apiVersion") or "").partition("/")[0], str(document["kind"])
