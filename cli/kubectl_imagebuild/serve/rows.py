"""Builds and TrackedImages as rows of the list."""

from typing import Any, Final

from imagebuild import Build, TrackedImage

#: Characters of a message in a row.
MAX_MESSAGE: Final = 300


def row(build: Build) -> dict[str, Any]:
    """What the list shows of a build; what is empty is left out."""
    progress = build.progress
    whole: dict[str, Any] = {
        "namespace": build.namespace,
        "name": build.name,
        "phase": str(build.phase or ""),
        "reason": build.reason,
        "message": " ".join(build.message.split())[:MAX_MESSAGE],
        "image": build.outputs[0] if build.outputs else "",
        "images": len(build.outputs),
        "platforms": len(build.status.get("platforms") or ()),
        "digest": build.digest.removeprefix("sha256:")[:12],
        "step": progress.step if progress else 0,
        "steps": progress.steps if progress else 0,
        "instruction": progress.instruction if progress else "",
        "created": stamp(build.document["metadata"].get("creationTimestamp")),
        "started": stamp(build.status.get("startTime")),
        "completed": stamp(build.status.get("completionTime")),
    }
    return {name: value for name, value in whole.items() if value}


def tracked_row(image: TrackedImage) -> dict[str, Any]:
    """What the list shows of a TrackedImage; what is empty is left out."""
    whole: dict[str, Any] = {
        "namespace": image.namespace,
        "name": image.name,
        "state": image.state,
        "ready": image.is_ready,
        "message": " ".join(" ".join(image.messages).split())[:MAX_MESSAGE],
        "tag": image.latest_tag,
        "build": image.current_build or image.latest_build,
        "commit": image.commit[:8],
    }
    return {name: value for name, value in whole.items() if value}


def stamp(time: object) -> str:
    """A time of Kubernetes as it is; empty if there is none."""
    return str(time or "")
