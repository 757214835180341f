"""The status document of an ImageBuild."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from imagebuild_vocabulary.phases import Phase
from imagebuild_vocabulary.secret_references import secret_references

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.build import Attempts, Engine, ImageBuild
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.redact import redact
from imagebuild_operator.api.time import duration, format_time, milliseconds, parse_time
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.observe.report import MAX_WARNINGS, Result, parse_result
from imagebuild_operator.status.conditions import MAX_MESSAGE, conditions
from imagebuild_operator.status.outcome import Outcome
from imagebuild_operator.status.platforms import (
    Platforms,
    cache_of,
    failed_platform,
    progress_of,
    source_of,
    start_of,
    timings_of,
    warnings_of,
)

#: Fields that do not cause a write: they are written with the next change of another field.
UNHURRIED: Final = frozenset({"node"})
#: Fields whose Secrets RUN steps get, whatever the engine; with Kaniko, RUN may find the others too.
_IN_RUN: Final = ("spec.buildSecrets", "spec.buildArgs")


def next_status(
    build: ImageBuild,
    outcome: Outcome,
    pod: PodFacts | None,
    builder_image: str,
    now: datetime,
    attempts: Attempts,
) -> Document:
    """Make the status of a build with this outcome; None stands for an absent field.

    Fields that come from a pod are kept when the pod is gone.

    Args:
        build: The build.
        outcome: The outcome of it.
        pod: The pod of the current attempt.
        builder_image: The image of that pod.
        now: The current time.
        attempts: The attempts that have ended.
    """
    recorded = build.status
    entries = list(outcome.platforms) or list(recorded.get("platforms") or ())
    start = _start(build, pod, now) or start_of(entries)
    has_pod = pod is not None or any("podName" in entry for entry in entries)
    status: Document = {
        "observedGeneration": build.generation,
        "phase": str(outcome.phase),
        "reason": str(outcome.reason) if outcome.reason else None,
        "message": outcome.message[:MAX_MESSAGE],
        "conditions": conditions(build, outcome, now),
        "appliedDefaults": (build.applied_defaults or None) if has_pod or build.has_begun else None,
        "engine": recorded.get("engine") or next((each["engine"] for each in entries if "engine" in each), None),
        "podName": recorded.get("podName"),
        "podUID": recorded.get("podUID"),
        "node": recorded.get("node"),
        "startTime": start,
        "waitStartTime": None if start or has_pod else _wait_start(build, outcome, now),
        "builderImage": recorded.get("builderImage") or (builder_image if entries else None),
        # What the second build of an image is compared to is of use until then.
        "attempts": [_without_contents(each) if outcome.phase.is_final else each for each in attempts] or None,
        "platforms": entries or None,
        "queue": _queue(outcome),
        "progress": progress_of(entries) if entries and not build.platform else _progress(build, outcome),
    }
    if pod is not None:
        status |= {
            "engine": pod.engine or status["engine"],
            "podName": pod.name,
            "podUID": pod.uid,
            "node": pod.node or (recorded.get("node") if pod.name == recorded.get("podName") else None),
            "builderImage": pod.image or builder_image,
        }
    status["attemptCount"] = max(_begun(each) for each in (status, *entries)) or None
    if outcome.phase.is_final:
        status |= _final(build, outcome, pod, start, now)
    if outcome.phase.is_final and entries:
        status |= _of_platforms(status, entries)
    return status


def attempt_record(build: ImageBuild, outcome: Outcome, pod: PodFacts | None, now: datetime) -> Document:
    """Make the entry of `status.attempts` for an attempt that has ended."""
    is_first = not build.attempts
    return _present(
        podName=pod.name if pod else build.recorded_pod,
        node=pod.node if pod else build.status.get("node"),
        reason=str(outcome.reason) if outcome.reason else None,
        message=redact(outcome.cause)[:MAX_MESSAGE],
        exitCode=outcome.exit_code,
        startTime=format_time(pod.created) if pod else build.status.get("startTime") if is_first else None,
        completionTime=format_time(_ended(pod, now)),
    )


def changes(build: ImageBuild, status: Mapping[str, Any]) -> Document:
    """Return the fields of a status that differ from the recorded ones; empty if they are not worth a write."""
    different = {name: value for name, value in status.items() if build.status.get(name) != value}
    return {} if different.keys() <= UNHURRIED else different


def _without_contents(attempt: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in attempt.items() if name != "contents"}


def _begun(status: Mapping[str, Any]) -> int:
    """Count the attempts that have started: those that have ended, and the current one if it has another pod."""
    ended: Attempts = status.get("attempts") or ()
    name = status.get("podName")
    has_another = name is not None and name not in {attempt.get("podName") for attempt in ended}
    return len(ended) + has_another


def _start(build: ImageBuild, pod: PodFacts | None, now: datetime) -> str | None:
    """Return when the timeout started: when the first pod was created, or left its scheduling gate."""
    recorded: str | None = build.status.get("startTime")
    if recorded or pod is None or pod.is_gated:
        return recorded
    return format_time(now if build.status.get("reason") == Reason.GATED else pod.created)


def _wait_start(build: ImageBuild, outcome: Outcome, now: datetime) -> str | None:
    """Return since when a build waits for its first pod; None while it is suspended."""
    if outcome.reason is Reason.SUSPENDED:
        return None
    recorded: str | None = build.status.get("waitStartTime")
    return recorded if outcome.phase.is_final else recorded or format_time(now)


def _queue(outcome: Outcome) -> Document | None:
    """Make `status.queue` of a build that waits for its turn."""
    return _present(position=outcome.position, message=outcome.cause) if outcome.phase is Phase.QUEUED else None


def _progress(build: ImageBuild, outcome: Outcome) -> Document | None:
    """Make `status.progress` of a build in phase Building."""
    if outcome.phase is not Phase.BUILDING:
        return None
    recorded: Document | None = build.status.get("progress")
    if outcome.progress is None:
        return recorded
    seen = outcome.progress
    is_same = recorded is not None and (recorded.get("stage"), recorded.get("step")) == (seen.stage, seen.step)
    # A later read may no longer reach back to the line that the step began with.
    start = recorded.get("startTime") if recorded and is_same else None
    return _present(
        summary=f"{seen.step}/{seen.steps}",
        step=seen.step,
        steps=seen.steps,
        stage=seen.stage,
        stages=seen.stages,
        instruction=seen.instruction,
        startTime=start or (format_time(seen.start) if seen.start else None),
    )


def _final(
    build: ImageBuild, outcome: Outcome, pod: PodFacts | None, start_time: str | None, now: datetime
) -> Document:
    build_result = parse_result(pod.build.message) if pod and pod.build.exit_code is not None else Result()
    ended = _ended(pod, now)
    started = parse_time(start_time)
    final: Document = {
        "startTime": start_time,
        "completionTime": format_time(ended),
        "duration": duration((ended - started).total_seconds()) if started else None,
        "timings": _timings(build.created, pod, build_result, outcome.result, started, ended) or None,
        "source": dict(build_result.source) or None,
        "cache": dict(build_result.cache) or None,
        "baseImages": [{"reference": each.reference, "digest": each.digest} for each in build_result.base_images]
        or None,
        "warnings": [*_of_engine(build, pod), *_of_credentials(build, pod), *_warnings(pod)][:MAX_WARNINGS] or None,
    }
    if outcome.phase is Phase.SUCCEEDED and outcome.result.digest:
        digest, output = outcome.result.digest, build.spec.get("output") or {}
        final |= {
            "digest": digest,
            "images": [
                _present(reference=image.reference, digest=image.digest, sizeBytes=image.size_bytes)
                for image in outcome.result.images
            ],
            "attestations": [{"kind": each.kind, "digest": each.digest} for each in outcome.result.attached] or None,
            "corroborated": output.get("corroborate"),
            "level": output.get("level"),
            "layerBytes": list(outcome.result.layer_bytes) or None,
        }
    elif outcome.phase is Phase.FAILED:
        final["failure"] = _present(
            reason=str(outcome.reason),
            message=outcome.result.message or outcome.message[:MAX_MESSAGE],
            hint=outcome.hint,
            dockerfileLine=outcome.result.dockerfile_line,
            instruction=outcome.result.instruction,
            exitCode=outcome.exit_code,
            logTail=outcome.result.log_tail,
        )
    return final


def _of_engine(build: ImageBuild, pod: PodFacts | None) -> list[str]:
    """Say why BuildKit, which comes first with engine Auto, did not build it."""
    tried = [str(each.get("message", "")) for each in build.attempts if each.get("reason") == Reason.ENGINE_UNAVAILABLE]
    known = [redact(pod.engine_problem)] if pod and pod.engine_problem else []
    return [f"Built with Kaniko. {problem}".strip()[:MAX_MESSAGE] for problem in (*tried, *known)]


def _of_credentials(build: ImageBuild, pod: PodFacts | None) -> list[str]:
    """Say that RUN steps could read the push credentials, where a field for something else names the same Secret."""
    push = ((build.spec.get("output") or {}).get("pushSecretRef") or {}).get("name")
    if push is None or pod is None:
        return []
    is_kaniko = pod.engine == str(Engine.KANIKO)
    found = [
        path.removeprefix("spec.")
        for path, name in secret_references(build.spec)
        if name == push and not path.startswith("spec.output.") and (is_kaniko or path.startswith(_IN_RUN))
    ]
    if not found:
        return []
    told = f"Secret {push} is in {found[0]}, too, so RUN steps could read the push credentials"
    if found[0] == "pullSecretRefs":
        return [f"{told}: use engine BuildKit, or a Secret there that can only pull."]
    return [f"{told}: use another Secret there."]


def _warnings(pod: PodFacts | None) -> list[str]:
    """Collect the warnings that finished containers report, without duplicates."""
    containers = (pod.check, pod.upload, pod.build, pod.push) if pod else ()
    said = (parse_result(container.message).warnings for container in containers if container.exit_code is not None)
    return list(dict.fromkeys(text for texts in said for text in texts))[:MAX_WARNINGS]


def _of_platforms(status: Mapping[str, Any], entries: Platforms) -> Document:
    """Make the fields that a finished multi-platform build takes from its platforms."""
    whole: Document = {
        "timings": timings_of(entries, status["timings"] or {}),
        "source": source_of(entries),
        "cache": cache_of(entries),
        "warnings": list(dict.fromkeys([*warnings_of(entries), *(status["warnings"] or ())]))[:MAX_WARNINGS] or None,
    }
    failed = failed_platform(entries)
    if failed is not None and status["phase"] == Phase.FAILED:
        whole["failure"] = {"platform": failed["platform"], **failed.get("failure", {})}
    return whole


def _ended(pod: PodFacts | None, now: datetime) -> datetime:
    """Return when the last finished container of a pod finished; now, if none has.

    The node's clock says when: of one that can't be, since it was before the pod or is still to come, now is believed.
    Pauses, TTLs and histories count from it.
    """
    containers = (pod.push, pod.build, pod.upload, pod.check) if pod else ()
    told = next((each.finished for each in containers if each.finished), None)
    return told if pod and told and pod.created <= told <= now else now


def _timings(
    created: datetime, pod: PodFacts | None, build: Result, push: Result, started: datetime | None, ended: datetime
) -> dict[str, int]:
    """Compute the duration of each part of the last attempt, in milliseconds.

    Times of Kubernetes come from the pod and are whole seconds; times of the shim come from its reports.
    """
    queued = milliseconds(created, started)
    if pod is None:
        return _present(queuedMilliseconds=queued, totalMilliseconds=milliseconds(started, ended))
    # The time behind a scheduling gate counts as queued.
    offered = max(pod.created, started) if started else pod.created
    return _present(
        queuedMilliseconds=queued,
        scheduledMilliseconds=milliseconds(offered, pod.scheduled),
        pulledMilliseconds=milliseconds(pod.scheduled, pod.first.started),
        checkMilliseconds=milliseconds(pod.check.started, pod.check.finished),
        uploadMilliseconds=milliseconds(pod.upload.started, pod.upload.finished),
        fetchMilliseconds=build.timings.get("fetchMs"),
        buildMilliseconds=build.timings.get("buildMs"),
        pushMilliseconds=push.timings.get("pushMs"),
        totalMilliseconds=milliseconds(started, ended),
    )


def _present(**fields: object) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
