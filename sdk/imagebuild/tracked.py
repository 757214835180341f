"""A TrackedImage as the API server returned it, and requests about it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imagebuild_vocabulary.names import (
    GROUP,
    INPUTS_ANNOTATION,
    PLURAL,
    REQUESTED_ANNOTATION,
    TRACKED_LABEL,
    TRACKED_PLURAL,
    VERSION,
)

from imagebuild.build import Build
from imagebuild.connection import Connection
from imagebuild.errors import WaitTimeoutError
from imagebuild.object_names import checked_name

_PAUSE = 0.3


@dataclass(frozen=True, slots=True)
class TrackedImage:
    """A TrackedImage.

    Attributes:
        document: The whole object.
    """

    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.document["metadata"]["namespace"])

    @property
    def created(self) -> datetime | None:
        """When it was created."""
        text = self.document["metadata"].get("creationTimestamp")
        return datetime.fromisoformat(text) if text else None

    @property
    def latest_image(self) -> str:
        """Latest image by its digest; empty if there is none yet."""
        return str(self._status.get("latestImage") or "")

    @property
    def latest_tag(self) -> str:
        """Tag of the latest image that is never moved; empty if there is none yet."""
        return str(self._status.get("latestTag") or "")

    @property
    def latest_build(self) -> str:
        """Name of the build of the latest image, which may be deleted; empty if there is none yet."""
        return str((self._status.get("latestBuild") or {}).get("name") or "")

    @property
    def latest_reasons(self) -> tuple[str, ...]:
        """Why that build was started, such as Source or BaseImage."""
        return tuple((self._status.get("latestBuild") or {}).get("reasons") or ())

    @property
    def commit(self) -> str:
        """Commit that the latest image was built from; empty if the source is not watched."""
        return str((self._status.get("inputs") or {}).get("commit") or "")

    @property
    def base_images(self) -> Mapping[str, str]:
        """Digests of the base images of the latest image, by their names."""
        found = (self._status.get("inputs") or {}).get("baseImages") or ()
        return {base["reference"]: base["digest"] for base in found}

    @property
    def current_build(self) -> str:
        """Name of the build that waits or runs; empty if none does."""
        return str(self._status.get("currentBuild") or "")

    @property
    def is_ready(self) -> bool:
        """Whether there is an image. A rebuild that fails leaves it so."""
        return self._condition("Ready").get("status") == "True"

    @property
    def state(self) -> str:
        """What it does or waits for, such as UpToDate, Building or BuildFailed; empty before the operator sees it."""
        return str(self._condition("Reconciling").get("reason") or "")

    @property
    def messages(self) -> tuple[str, ...]:
        """What there is to say: of a build that runs or is due, of a problem, and of remotes that do not answer."""
        said = (self._condition(kind).get("message") for kind in ("Stalled", "Reconciling", "Watching"))
        return tuple(str(text) for text in said if text)

    @property
    def _status(self) -> Mapping[str, Any]:
        return self.document.get("status") or {}

    def _condition(self, kind: str) -> Mapping[str, Any]:
        found = (each for each in self._status.get("conditions") or () if each.get("type") == kind)
        return next(found, {})


async def get(connection: Connection, namespace: str, name: str) -> TrackedImage:
    """Read a TrackedImage."""
    return TrackedImage(await connection.call("GET", _path(namespace, name)))


async def list_all(connection: Connection, namespace: str) -> tuple[TrackedImage, ...]:
    """List the TrackedImages of a namespace, or of all if it is empty, by name."""
    inside = f"/namespaces/{checked_name(namespace, 'a namespace')}" if namespace else ""
    path = f"/apis/{GROUP}/{VERSION}{inside}/{TRACKED_PLURAL}"
    found = [TrackedImage(item) async for item in connection.items(path, {})]
    return tuple(sorted(found, key=lambda image: (image.namespace, image.name)))


async def request(connection: Connection, namespace: str, name: str, seconds: float) -> Build:
    """Ask for a build of a TrackedImage, and wait until the operator has created it.

    Raises:
        WaitTimeoutError: it was not created in time: TrackedImages are turned off, suspended, or a build still runs.
    """
    value = datetime.now(UTC).isoformat()
    change = {"metadata": {"annotations": {REQUESTED_ANNOTATION: value}}}
    await connection.call("PATCH", _path(namespace, name), change)
    path = f"/apis/{GROUP}/{VERSION}/namespaces/{checked_name(namespace, 'a namespace')}/{PLURAL}"
    end = time.monotonic() + seconds
    while True:
        async for item in connection.items(path, {"labelSelector": f"{TRACKED_LABEL}={name}"}):
            if value in ((item["metadata"].get("annotations") or {}).get(INPUTS_ANNOTATION) or ""):
                return Build(item)
        if time.monotonic() >= end:
            image = await get(connection, namespace, name)
            said = " ".join(image.messages) or "Is the operator running, with trackedImages.enabled?"
            raise WaitTimeoutError(f"no build of TrackedImage {name} was started within {seconds:.0f} s. {said}")
        await asyncio.sleep(_PAUSE)


def _path(namespace: str, name: str) -> str:
    inside = f"namespaces/{checked_name(namespace, 'a namespace')}/{TRACKED_PLURAL}"
    return f"/apis/{GROUP}/{VERSION}/{inside}/{checked_name(name, 'a TrackedImage')}"
