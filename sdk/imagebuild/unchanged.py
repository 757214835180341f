"""Finds an earlier build of the same directory with the same spec, so that it need not be built again.

What the API server knows is compared: the spec, the digest of the directory, the builds of the same images, and the
defaults of the namespace. What it does not know (a base image that has moved, a registry that has lost the image,
another version of the builder) is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from imagebuild_vocabulary.names import API_VERSION

from imagebuild.build import Build, Document
from imagebuild.connection import BUILDS_PATH, Connection
from imagebuild.creation import STRICT
from imagebuild.errors import ForbiddenError, NotFoundError

#: Fields of a spec on which no image depends.
_RUNNING: Final = frozenset({"cancel", "suspend", "priority", "ttlSecondsAfterFinished"})
#: Objects with defaults for builds, as they are named in status.appliedDefaults.
_DEFAULTS: Final = {
    "ImageBuildDefaults": f"/apis/{API_VERSION}/namespaces/{{}}/imagebuilddefaults/default",
    "ClusterImageBuildDefaults": f"/apis/{API_VERSION}/clusterimagebuilddefaults/default",
}

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An earlier build of the same, or why there is none.

    Attributes:
        build: The earlier build; None if there is none.
        reason: Why there is none, as the end of a sentence; empty if there is one.
    """

    build: Build | None = None
    reason: str = ""


async def find_unchanged(connection: Connection, namespace: str, manifest: Mapping[str, Any]) -> Unchanged:
    """Look for an earlier build with the result that this one would have. Nothing is created.

    Args:
        connection: The API server.
        namespace: Namespace of the build.
        manifest: The build; its source is an upload with a digest.
    """
    path = BUILDS_PATH.format(namespace)
    # The answer has the spec as the API server would keep it.
    planned = Build(await connection.call("POST", path, dict(manifest), {**STRICT, "dryRun": "All"}))
    found = same_build(planned, [Build(item) async for item in connection.items(path)])
    if found.build is None:
        return found
    current = {}
    for kind, place in _DEFAULTS.items():
        try:
            current[kind] = await connection.call("GET", place.format(namespace))
        except NotFoundError:
            continue
        except ForbiddenError:
            return Unchanged(reason=f"you may not read {kind}, which may have changed")
    return defaults_changed(found.build, current) or found


def same_build(planned: Build, builds: Sequence[Build]) -> Unchanged:
    """Find the build with the same result among those of the namespace.

    Args:
        planned: The build, as the API server would keep it.
        builds: All builds of its namespace.
    """
    if reason := _unknown(planned.spec):
        return Unchanged(reason=reason)
    sha256 = planned.spec["source"]["upload"]["sha256"]
    outputs = {_tagged(image) for image in planned.outputs}
    rivals = [build for build in builds if outputs & {_tagged(image) for image in build.outputs}]
    same = [
        build
        for build in rivals
        if build.succeeded
        and build.digest
        and build.completed
        and (build.status.get("source") or {}).get("sha256") == sha256
        and _compared(build.spec) == _compared(planned.spec)
    ]
    if not same:
        return Unchanged(reason="no earlier build of this namespace has the same directory, spec and images")
    newest = max(same, key=_end)
    for build in rivals:
        if not build.is_finished:
            return Unchanged(reason=f"ImageBuild {build.name} is building the same image")
        if build not in same and _end(build) >= _end(newest):
            return Unchanged(reason=f"ImageBuild {build.name}, which has the same image, ended after {newest.name}")
    return Unchanged(newest)


def defaults_changed(build: Build, current: Mapping[str, Document]) -> Unchanged | None:
    """Say so if the defaults of the namespace have changed since a build; None if they have not.

    Args:
        build: The build.
        current: The objects with defaults that there are now, by kind.
    """
    applied = (build.status.get("appliedDefaults") or {}).get("sources") or ()
    for kind in (*current, *(source["kind"] for source in applied)):
        if kind not in current or build.started is None or _changed(current[kind]) >= build.started:
            return Unchanged(reason=f"{kind} has changed since ImageBuild {build.name}")
    return None


def _unknown(spec: Document) -> str:
    """Why the result of a spec may change although the spec does not; empty if it cannot."""
    if not ((spec.get("source") or {}).get("upload") or {}).get("sha256"):
        return "the source is no upload with a digest"
    if (spec.get("output") or {}).get("push") is False:
        return "nothing is pushed"
    if spec.get("buildSecrets"):
        return "it uses build secrets, whose values may have changed"
    if any("valueFrom" in argument for argument in spec.get("buildArgs") or ()):
        return "it uses build arguments from Secrets or ConfigMaps, whose values may have changed"
    return ""


def _compared(spec: Document) -> dict[str, Any]:
    """The fields on which the image may depend."""
    upload = {"sha256": spec["source"]["upload"].get("sha256")} if "upload" in spec["source"] else None
    return {**{key: value for key, value in spec.items() if key not in _RUNNING}, "source": upload or spec["source"]}


def _tagged(image: str) -> str:
    """A reference with its tag."""
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _end(build: Build) -> datetime:
    return build.completed or _NEVER


def _changed(document: Document) -> datetime:
    """When an object was changed, apart from its status."""
    metadata = document["metadata"]
    fields = metadata.get("managedFields") or ()
    times = [each["time"] for each in fields if each.get("time") and each.get("subresource") != "status"]
    return max(datetime.fromisoformat(time) for time in [metadata["creationTimestamp"], *times])
