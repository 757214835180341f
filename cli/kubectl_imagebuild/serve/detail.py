"""One build as its page shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from imagebuild import Build, Failure

from kubectl_imagebuild.dockerfile import DockerfileLine, inline_dockerfile, lines_around
from kubectl_imagebuild.serve.rows import row, stamp
from kubectl_imagebuild.text import size
from kubectl_imagebuild.waterfall import Span, lanes
from kubectl_imagebuild.yaml_text import to_yaml

Fields = Mapping[str, Any]

#: Bytes in a unit of sizes, and the units.
#: Lines of the Dockerfile before and after an instruction that failed.
AROUND: Final = 4
#: Characters of a line of a Dockerfile.
MAX_LINE: Final = 500
#: Characters of YAML that are sent.
MAX_YAML: Final = 400_000


def detail(build: Build) -> dict[str, Any]:
    """What the page of a build shows of it, without its log."""
    status = build.status
    return {
        **row(build),
        "message": build.message,
        "uid": build.uid,
        "finished": build.is_finished,
        "duration": build.duration,
        "outputs": _images(build),
        "source": source(build),
        "facts": [{"name": name, "value": value} for name, value in _facts(build) if value],
        "warnings": list(build.warnings),
        "attempts": [_attempt(number, entry) for number, entry in enumerate(status.get("attempts") or (), 1)],
        "platformList": [_platform(entry) for entry in status.get("platforms") or ()],
        "lanes": [{"name": lane.name, "spans": [span(each) for each in lane.spans]} for lane in lanes(build)],
        "failure": _failure(build),
        "spec": as_yaml(build.spec),
        "status": as_yaml(status),
    }


def span(each: Span) -> dict[str, Any]:
    """A span with times in milliseconds."""
    times = {"start": milliseconds(each.start), "end": milliseconds(each.end)}
    return {"name": each.name, "state": str(each.state), "detail": each.detail, **times}


def milliseconds(time: datetime | None) -> int | None:
    """Milliseconds since 1970."""
    return None if time is None else round(time.timestamp() * 1000)


def source(build: Build) -> str:
    """Where the source comes from, in a line."""
    found: Fields = build.spec.get("source") or {}
    kind = next(iter(found), "")
    fields: Fields = found[kind] if kind and isinstance(found[kind], Mapping) else {}
    if kind == "inline":
        number = len(fields.get("files") or ())
        return f"{number} inline {'file' if number == 1 else 'files'}"
    if kind == "upload":
        return "Upload from a machine"
    place = next(
        (str(fields[name]) for name in ("url", "image", "bucket", "name", "claimName") if fields.get(name)), ""
    )
    revision = fields.get("revision") or fields.get("key") or ""
    return " ".join(filter(None, (kind, place, f"@ {revision}" if revision else "")))


def as_yaml(document: Fields) -> str:
    """A document as YAML; text with several lines as such."""
    text = to_yaml(document)
    return text if len(text) <= MAX_YAML else f"{text[:MAX_YAML]}\n# … The rest is left out: {size(len(text))} in all."


def _images(build: Build) -> list[dict[str, Any]]:
    pushed = {image.reference: image for image in build.images}
    found = []
    for reference in dict.fromkeys((*build.outputs, *pushed)):
        image = pushed.get(reference)
        weight = size(image.size_bytes) if image and image.size_bytes else ""
        found.append({"reference": reference, "digest": image.digest if image else "", "size": weight})
    return found


def _facts(build: Build) -> Iterator[tuple[str, str]]:
    status = build.status
    fetched: Fields = status.get("source") or {}
    yield "Source", source(build)
    yield "Revision", str(fetched.get("revision") or "")
    yield "Context", size(fetched["bytes"]) if fetched.get("bytes") else ""
    yield "Stage", str(build.spec.get("target") or "")
    if (queue := status.get("queue")) and queue.get("position"):
        yield "Place in the queue", str(queue["position"])
    if cache := status.get("cache"):
        hits, misses = int(cache.get("hits") or 0), int(cache.get("misses") or 0)
        yield "Layer cache", f"{hits} of {hits + misses} steps" if hits + misses else ""
    if int(status.get("attemptCount") or 0) > 1:
        yield "Attempts", str(status["attemptCount"])
    yield "Pod", str(status.get("podName") or "")
    yield "Node", str(status.get("node") or "")
    yield "Attested", ", ".join(dict.fromkeys(str(each.get("kind")) for each in status.get("attestations") or ()))


def _attempt(number: int, entry: Fields) -> dict[str, Any]:
    names = ("reason", "message", "node", "podName", "exitCode")
    times = {"started": stamp(entry.get("startTime")), "completed": stamp(entry.get("completionTime"))}
    return {"number": number, **{name: entry[name] for name in names if entry.get(name) is not None}, **times}


def _platform(entry: Fields) -> dict[str, Any]:
    progress: Fields = entry.get("progress") or {}
    names = ("platform", "phase", "reason", "message", "digest", "node", "podName")
    return {**{name: str(entry.get(name) or "") for name in names}, "progress": str(progress.get("summary") or "")}


def _failure(build: Build) -> dict[str, Any] | None:
    failure = build.failure
    if failure is None:
        return None
    return {
        "reason": failure.reason,
        "message": failure.message,
        "hint": "" if failure.hint in failure.message else failure.hint,
        "line": failure.dockerfile_line,
        "instruction": failure.instruction,
        "exitCode": failure.exit_code,
        "platform": failure.platform,
        "logTail": failure.log_tail,
        "lines": [asdict(line) for line in _failed_lines(build, failure)],
    }


def _failed_lines(build: Build, failure: Failure) -> tuple[DockerfileLine, ...]:
    """The lines around the one that failed; only that one if the Dockerfile is not in the ImageBuild."""
    found = lines_around(inline_dockerfile(build), failure.dockerfile_line, AROUND)
    if not found and failure.dockerfile_line and failure.instruction:
        found = (DockerfileLine(failure.dockerfile_line, failure.instruction, failed=True),)
    return tuple(replace(line, text=line.text[:MAX_LINE]) for line in found)
