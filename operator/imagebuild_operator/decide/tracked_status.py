"""The status of a TrackedImage. Ready is about the latest good image: a rebuild that fails leaves it as it is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.time import format_time, parse_time
from imagebuild_operator.api.tracked import TrackedImage
from imagebuild_operator.decide.tracked import STALLED, Decision, Past, State, latest_good
from imagebuild_operator.observe.watched import Seen

MAX_MESSAGE: Final = 1024
#: Time after which the time of the last look is written, if nothing else is.
CHECKED: Final = timedelta(hours=1)


def next_status(image: TrackedImage, decision: Decision, builds: Sequence[Past], seen: Seen, now: datetime) -> Document:
    """The fields of the status that differ from the recorded ones; None removes one.

    Args:
        image: The TrackedImage.
        decision: What was decided.
        builds: Its builds that there are, in the order of their numbers.
        seen: What its watcher has seen.
        now: The current time.
    """
    recorded = image.status
    fields = _fields(image, decision, builds, seen)
    told = {name: fields.pop(name) for name in ("ready", "reconciling", "stalled", "watching")}
    conditions = [
        _condition(image, kind, told[kind.lower()], now)
        for kind in ("Ready", "Reconciling", "Stalled", "Watching")
        if told[kind.lower()] is not None
    ]
    status: Document = {"observedGeneration": image.generation, "conditions": conditions, **fields}
    return {name: value for name, value in status.items() if recorded.get(name) != value}


def old_builds(image: TrackedImage, builds: Sequence[Past]) -> Iterator[Past]:
    """The finished builds over the limits; the latest that succeeded and the newest stay."""
    spec = image.spec
    for has_succeeded, most in ((True, spec.keep_succeeded), (False, spec.keep_failed)):
        ended = [build for build in builds if build.finished and (build.phase is Phase.SUCCEEDED) is has_succeeded]
        for build in ended[: max(0, len(ended) - most)]:
            if build is not builds[-1]:
                yield build


def _fields(image: TrackedImage, decision: Decision, builds: Sequence[Past], seen: Seen) -> Document:
    good = latest_good(builds)
    recorded = image.status
    state = str(decision.state)
    is_building = decision.state is State.BUILDING or bool(decision.causes)
    is_stalled = decision.state in STALLED
    latest = _latest(image, good, seen) if good else {}
    has_image = bool(latest or recorded.get("latestImage"))
    number = max([int(recorded.get("builds") or 0), *(build.number for build in builds)])
    requests = [build.inputs.requested for build in builds if build.inputs.requested]
    ticks = [build.inputs.tick for build in builds if build.inputs.tick]
    ticked = format_time(decision.ticked) if decision.ticked else None
    schedule = max(filter(None, [recorded.get("lastScheduleTime"), ticked, *ticks]), default=None)
    kept = {name: recorded[name] for name in ("latestImage", "latestTag", "latestBuild", "inputs") if name in recorded}
    pending: Document | None = None
    if decision.causes and decision.start is None:
        pending = {"reasons": list(decision.causes)}
        if decision.until:
            pending["notBefore"] = format_time(decision.until)
        if decision.since:
            pending["since"] = format_time(decision.since)
    return {
        **kept,
        **latest,
        "builds": number or None,
        "currentBuild": builds[-1].name if builds and builds[-1].finished is None else None,
        "pending": pending,
        "failures": decision.failures or None,
        "lastScheduleTime": schedule,
        "lastRequest": requests[-1] if requests else recorded.get("lastRequest"),
        "ready": (
            (
                "True",
                "ImageAvailable",
                f"The latest image is {latest.get('latestImage') or recorded.get('latestImage')}.",
            )
            if has_image
            else ("False", state, decision.message)
        ),
        "reconciling": (
            str(is_building and not is_stalled),
            state,
            "" if is_stalled or decision.state is State.UP_TO_DATE else decision.message,
        ),
        "stalled": (str(is_stalled), state, decision.message if is_stalled else ""),
        "watching": _watching(image, seen, is_stalled=is_stalled),
    }


def _latest(image: TrackedImage, good: Past, seen: Seen) -> Document:
    repository, _, tag = (good.images[0] if good.images else "").rpartition(":")
    bases = [{"reference": reference, "digest": base} for reference, base in good.base_images]
    inputs = good.inputs
    made = {"commit": inputs.commit, "treeHash": inputs.tree, "templateHash": inputs.template, "baseImages": bases}
    finished = good.finished
    return {
        "latestImage": f"{repository}@{good.digest}" if good.digest else good.images[0] if good.images else None,
        "latestTag": tag or None,
        "latestBuild": {
            "name": good.name,
            "reasons": list(good.causes),
            "inputsHash": good.inputs.hash,
            **({"completionTime": format_time(finished)} if finished else {}),
        },
        "inputs": _inputs(image, made, seen),
    }


def _watching(image: TrackedImage, seen: Seen, *, is_stalled: bool) -> tuple[str, str, str] | None:
    triggers = image.raw.get("triggers") or {}
    if is_stalled or not {"source", "baseImages"} & triggers.keys():
        return None
    if seen.problem:
        return "False", "RemoteUnavailable", seen.problem
    return ("True", "Looked", "") if seen.at else ("Unknown", "NotLookedYet", "")


def _inputs(image: TrackedImage, made: Mapping[str, Any], seen: Seen) -> Document:
    """`status.inputs`; the time of the last look is kept for an hour, since a change is a write."""
    before = (image.status.get("inputs") or {}).get("checkedAt")
    then = parse_time(before)
    is_old = then is None or seen.at is None or seen.at - then >= CHECKED
    checked = format_time(seen.at) if seen.at and is_old else before
    return {name: value for name, value in {**made, "checkedAt": checked}.items() if value}


def _condition(image: TrackedImage, kind: str, told: tuple[str, str, str], now: datetime) -> Document:
    status, reason, message = told
    recorded = image.condition(kind)
    is_same = recorded.get("status") == status
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message[:MAX_MESSAGE],
        "observedGeneration": image.generation,
        "lastTransitionTime": recorded["lastTransitionTime"] if is_same else format_time(now),
    }
