"""Decide whether a TrackedImage needs a build now. Pure.

Level-triggered: what is wanted is compared with what the latest image was made from, so that nothing is missed, however
long the operator was away, and nothing is built twice for one cause.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zlib import crc32

from imagebuild_vocabulary.image_names import familiar
from imagebuild_vocabulary.names import INPUTS_ANNOTATION, NUMBER_LABEL, REQUESTED_ANNOTATION, TRACKED_KIND
from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.body import Body, Document
from imagebuild_operator.api.build import known_phase
from imagebuild_operator.api.time import format_time, parse_time
from imagebuild_operator.api.tracked import NOT_OF_IMAGE, TrackedImage, TrackedSpec
from imagebuild_operator.observe.flux import Artifact
from imagebuild_operator.observe.watched import Seen

HASH_LENGTH: Final = 16


class Cause(StrEnum):
    """Why a build is started."""

    INITIAL = "Initial"
    SOURCE = "Source"
    BASE_IMAGE = "BaseImage"
    TEMPLATE = "Template"
    SCHEDULE = "Schedule"
    REQUESTED = "Requested"


class State(StrEnum):
    """Where a TrackedImage stands."""

    UP_TO_DATE = "UpToDate"
    BUILDING = "Building"
    WAITING = "Waiting"
    SUSPENDED = "Suspended"
    SOURCE_UNKNOWN = "SourceUnknown"
    BUILD_FAILED = "BuildFailed"
    OUTPUT_IS_INPUT = "OutputIsInput"
    INVALID = "InvalidSpec"


#: States that nothing but a change of the object ends.
STALLED: Final = frozenset({State.OUTPUT_IS_INPUT, State.INVALID})

#: Fields of the output that the image does not depend on.
_NOT_OF_OUTPUT: Final = frozenset({"pushSecretRef", "skipIfUnchanged"})
#: What starts a build although somebody has cancelled one with the same content.
AFTER_CANCEL: Final = frozenset({Cause.REQUESTED, Cause.SCHEDULE})


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a build is made from.

    Attributes:
        commit: The commit of the source; empty if it is not watched.
        template: The hash of the template.
        tick: The moment of the schedule that it was started for; empty for none.
        requested: The value of the annotation that it was started for; empty for none.
        tree: The hash of what counts in the commit; empty if all does.
    """

    commit: str = ""
    template: str = ""
    tick: str = ""
    requested: str = ""
    tree: str = ""

    @property
    def content(self) -> tuple[str, str]:
        """What the image depends on."""
        return self.tree or self.commit, self.template

    def has_source_of(self, other: "Inputs") -> bool:
        """Whether both have the same source, as far as it counts."""
        return self.tree == other.tree if self.tree and other.tree else self.commit == other.commit

    @property
    def hash(self) -> str:
        """Of all of it; a label's value."""
        text = json.dumps([self.commit, self.template, self.tick, self.requested])
        return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


@dataclass(frozen=True, slots=True)
class Past:
    """A build of a TrackedImage.

    Attributes:
        name: Its name.
        uid: Its uid.
        number: Its number, from 1.
        inputs: What it is made from.
        causes: Why it was started.
        created: When.
        phase: Its phase.
        has_begun: Whether it has had a pod.
        finished: When it ended; None if it has not.
        version: Its resourceVersion.
        owner: The uid of its TrackedImage; empty if it has none.
        images: What it pushes, or has pushed.
        base_images: The base images that it has used, and their digests; those of each platform.
        digest: Of the image; empty if there is none.
        problem: What its status says if it has failed or was cancelled.
    """

    name: str
    uid: str
    number: int
    inputs: Inputs
    causes: tuple[str, ...]
    created: datetime
    phase: Phase
    has_begun: bool
    finished: datetime | None
    version: int = 0
    owner: str = ""
    images: tuple[str, ...] = ()
    base_images: tuple[tuple[str, str], ...] = ()
    digest: str = ""
    problem: str = ""

    @classmethod
    def of(cls, body: Body) -> "Past":
        """Read a body; whoever can write its annotation can start builds as well."""
        metadata, status, output = body["metadata"], body.get("status") or {}, (body.get("spec") or {}).get("output")
        owners = metadata.get("ownerReferences") or ()
        try:
            read = json.loads((metadata.get("annotations") or {}).get(INPUTS_ANNOTATION) or "{}")
        except ValueError:
            read = {}
        made = read if isinstance(read, dict) else {}
        causes = made.get("causes")
        number = str((metadata.get("labels") or {}).get(NUMBER_LABEL) or "")
        phase = known_phase(status.get("phase"))
        created = datetime.fromisoformat(metadata["creationTimestamp"])
        return cls(
            metadata["name"],
            metadata["uid"],
            int(number) if number.isdecimal() else 0,
            Inputs(*(str(made.get(name) or "") for name in ("commit", "template", "tick", "requested", "tree"))),
            tuple(map(str, causes)) if isinstance(causes, list) else (),
            created,
            phase,
            "podName" in status or "startTime" in status or bool(status.get("platforms")),
            (parse_time(status.get("completionTime")) or created) if phase.is_final else None,
            int(metadata["resourceVersion"]),
            next((str(each["uid"]) for each in owners if each["kind"] == TRACKED_KIND), ""),
            tuple((output or {}).get("images") or ()),
            tuple(dict.fromkeys(_base_images(status))),
            str(status.get("digest") or ""),
            str(status.get("message") or "") if phase.is_final and phase is not Phase.SUCCEEDED else "",
        )

    @property
    def known_causes(self) -> tuple[Cause, ...]:
        """Why it was started, as far as this version knows such causes."""
        return tuple(Cause(text) for text in self.causes if text in list(Cause))


def _base_images(status: Body) -> Iterator[tuple[str, str]]:
    for entry in (status, *(status.get("platforms") or ())):
        for base in entry.get("baseImages") or ():
            yield base["reference"], base["digest"]


def latest_good(builds: Sequence[Past]) -> Past | None:
    """The last build that has succeeded, of builds in the order of their numbers."""
    return next((build for build in reversed(builds) if build.phase is Phase.SUCCEEDED), None)


@dataclass(frozen=True, slots=True)
class Start:
    """A build to start; of an artifact of Flux, if the template has no source."""

    number: int
    inputs: Inputs
    causes: tuple[Cause, ...]
    cache: bool = True
    artifact: Artifact | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now, and what to say.

    Attributes:
        state: Where the TrackedImage stands.
        message: The same for people.
        start: The build to start.
        replaced: A waiting build whose inputs are outdated, to be deleted before.
        until: When to decide again, if nothing happens before.
        causes: Why a build is due that waits.
        failures: How often the same inputs have failed, one after the other.
        ticked: The schedule has been heeded up to this moment; None: as before.
        since: Since when a build is due that a base image alone has started, where such builds are spread; else None.
    """

    state: State
    message: str
    start: Start | None = None
    replaced: Past | None = None
    until: datetime | None = None
    causes: tuple[Cause, ...] = ()
    failures: int = 0
    ticked: datetime | None = None
    since: datetime | None = None


def template_hash(spec: TrackedSpec) -> str:
    """The hash of what the image depends on in a template. The revision of a watched source is not: its commit is."""
    kept = {name: value for name, value in spec.template.items() if name not in NOT_OF_IMAGE}
    source = kept.get("source") or {}
    if spec.source_interval is not None and "git" in source:
        git = {name: value for name, value in source["git"].items() if name not in {"revision", "secretRef"}}
        kept["source"] = {**source, "git": git}
    output = {name: value for name, value in (kept.get("output") or {}).items() if name not in _NOT_OF_OUTPUT}
    document = {**kept, "output": output, "repositories": list(spec.repositories)}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:HASH_LENGTH]


def decide(image: TrackedImage, seen: Seen, builds: Sequence[Past], now: datetime) -> Decision:
    """Decide about a TrackedImage whose spec is valid.

    Args:
        image: The TrackedImage.
        seen: What its watcher has seen.
        builds: Its builds that there are, in the order of their numbers.
        now: The current time.
    """
    spec = image.spec
    newest = builds[-1] if builds else None
    good = latest_good(builds)
    tick = _tick(image, builds, good, now)
    if spec.suspend:
        return Decision(State.SUSPENDED, "No build is started while suspend is true.", ticked=tick.heeded)
    wanted = _wanted(image, seen, newest, good)
    if spec.source_interval is not None and not wanted.commit:
        return _unknown(spec, seen)
    # The commit of the last build may be one of another source, and what Flux had then may be gone.
    is_lost = spec.source_interval is not None and seen.commit is None
    if newest is not None and newest.finished is None:
        if newest.has_begun or is_lost or newest.inputs.content == wanted.content:
            return Decision(State.BUILDING, f"{newest.name} is being built.", until=tick.next)
        # Newer inputs replace a build that waits.
        start = _start(image, builds, wanted, newest.known_causes, tick, newest.inputs.requested, seen)
        return Decision(
            State.BUILDING, "A newer build replaces one that waits.", start, newest, causes=newest.known_causes
        )
    if (loop := _loop(image, good)) is not None:
        return Decision(State.OUTPUT_IS_INPUT, loop)
    failures = _failures(builds, wanted)
    causes = tuple(_causes(image, seen, builds, good, wanted, tick)) or _left(newest, failures)
    if newest is not None and failures and newest.phase is Phase.CANCELLED and not {*causes} & AFTER_CANCEL:
        told = f"{newest.name} was cancelled. A change, or the annotation {REQUESTED_ANNOTATION}, starts the next."
        return Decision(State.BUILD_FAILED, told, until=tick.next, failures=failures, ticked=tick.heeded)
    if not causes:
        return Decision(
            State.UP_TO_DATE, "The latest image has the newest inputs.", until=tick.next, ticked=tick.heeded
        )
    since = _spread_since(image, causes, now)
    earliest, why = _earliest(image, newest, failures, causes, since)
    if earliest is not None and earliest > now:
        state = State.BUILD_FAILED if failures else State.WAITING
        again = f"{why} The next build starts at {format_time(earliest)}: {', '.join(causes)}."
        until = min(earliest, tick.next) if tick.next else earliest
        return Decision(state, again, until=until, causes=causes, failures=failures, ticked=tick.heeded, since=since)
    if is_lost:
        return _unknown(spec, seen)
    start = _start(image, builds, wanted, causes, tick, image.requested, seen)
    return Decision(
        State.BUILDING, f"A build was started: {', '.join(causes)}.", start, causes=causes, failures=failures
    )


def _wanted(image: TrackedImage, seen: Seen, newest: Past | None, good: Past | None) -> Inputs:
    """What the next image is made from. A commit that is not known yet is not another one."""
    template = template_hash(image.spec)
    if image.spec.source_interval is None:
        return Inputs(template=template)
    last = good.inputs if good else _recorded(image)
    known = [
        Inputs(seen.commit or "", tree=seen.tree),
        *((newest.inputs,) if newest else ()),
        *((last,) if last else ()),
    ]
    commit = next((each.commit for each in known if each.commit), "")
    return Inputs(commit, template, tree=next((each.tree for each in known if each.commit == commit), ""))


def _unknown(spec: TrackedSpec, seen: Seen) -> Decision:
    what = f"the artifact of {spec.flux}" if spec.flux else "the commit of the source"
    problem = f" {seen.problem}" if seen.problem else ""
    return Decision(State.SOURCE_UNKNOWN, f"Waiting for {what}.{problem}")


@dataclass(frozen=True, slots=True)
class _Tick:
    """The schedule.

    Attributes:
        due: The moment for which a build is due; None if none is.
        heeded: The moment up to which nothing is left to do, if there was one.
        next: The next moment.
    """

    due: datetime | None = None
    heeded: datetime | None = None
    next: datetime | None = None


def _tick(image: TrackedImage, builds: Sequence[Past], good: Past | None, now: datetime) -> _Tick:
    schedule = image.spec.schedule
    if schedule is None:
        return _Tick()
    recorded = parse_time(image.status.get("lastScheduleTime"))
    ticks = [parse_time(build.inputs.tick) for build in builds if build.inputs.tick]
    after = max(moment for moment in (image.created, recorded, *ticks) if moment is not None)
    if (following := schedule.next(after)) > now:
        return _Tick(next=following)
    # However many were missed, they run once.
    following = schedule.next(now)
    older = schedule.if_older_than
    if image.spec.suspend or (older is not None and good is not None and good.finished and now - good.finished < older):
        return _Tick(heeded=now, next=following)
    return _Tick(due=now, next=following)


def _causes(
    image: TrackedImage, seen: Seen, builds: Sequence[Past], good: Past | None, wanted: Inputs, tick: _Tick
) -> Iterator[Cause]:
    made = good.inputs if good else _recorded(image)
    if made is None:
        yield Cause.INITIAL
    else:
        if not made.has_source_of(wanted):
            yield Cause.SOURCE
        if made.template != wanted.template:
            yield Cause.TEMPLATE
        if image.spec.base_interval is not None and any(seen.has_moved(*base) for base in used_bases(image, good)):
            yield Cause.BASE_IMAGE
    if tick.due is not None:
        yield Cause.SCHEDULE
    heeded = {build.inputs.requested for build in builds} | {image.status.get("lastRequest")}
    if image.requested and image.requested not in heeded:
        yield Cause.REQUESTED


def _left(newest: Past | None, failures: int) -> tuple[Cause, ...]:
    """What a build that failed was started for, and what is still to be done, though it has passed."""
    if newest is None or not failures or newest.phase is not Phase.FAILED:
        return ()
    return tuple(cause for cause in newest.known_causes if cause is not Cause.REQUESTED)


def with_published(seen: Seen, bases: Iterable[tuple[str, str]], others: Iterable[TrackedImage]) -> Seen:
    """What was seen, with the base images that other TrackedImages have made since the watcher has looked.

    Args:
        seen: What the watcher has seen.
        bases: The base images, and their digests.
        others: All TrackedImages whose spec is valid.
    """
    made: dict[str, frozenset[str]] = {}
    for other in others:
        names, digest = other.published
        done = parse_time((other.status.get("latestBuild") or {}).get("completionTime"))
        if seen.at is not None and (done is None or done <= seen.at):
            continue
        for name in names & {reference for reference, _ in bases} if digest else ():
            made[name] = frozenset({digest.partition(":")[2][:16]})
    return replace(seen, images={**seen.images, **made}) if made else seen


def used_bases(image: TrackedImage, good: Past | None) -> list[tuple[str, str]]:
    """The base images of the latest image, and their digests."""
    if good is not None:
        return list(good.base_images)
    recorded = (image.status.get("inputs") or {}).get("baseImages") or ()
    return [(base["reference"], base["digest"]) for base in recorded]


def _recorded(image: TrackedImage) -> Inputs | None:
    """What the latest image was made from, where its build is gone."""
    recorded: Mapping[str, Any] = image.status.get("inputs") or {}
    if not image.status.get("latestImage"):
        return None
    texts = (str(recorded.get(name) or "") for name in ("commit", "templateHash", "treeHash"))
    commit, template, tree = texts
    return Inputs(commit, template, tree=tree)


def _failures(builds: Sequence[Past], wanted: Inputs) -> int:
    count = 0
    for build in reversed(builds):
        if build.phase is Phase.SUCCEEDED or build.inputs.content != wanted.content:
            break
        count += 1
    return count


def _earliest(
    image: TrackedImage, newest: Past | None, failures: int, causes: Sequence[Cause], since: datetime | None
) -> tuple[datetime | None, str]:
    """When the next build may start at the earliest, and why not before; None for at once."""
    if Cause.REQUESTED in causes:
        return None, ""
    spec = image.spec
    found = list[tuple[datetime, str]]()
    if newest is not None:
        found.append((newest.created + spec.min_interval, "The last build was started less than minInterval ago."))
    if newest is not None and failures:
        pause: timedelta = min(spec.backoff * 2 ** min(failures - 1, 20), spec.max_backoff)
        allowed = max(found[0][0], (newest.finished or newest.created) + pause)
        found = [(allowed, f"{newest.name} failed: {newest.problem}")]
    if since is not None:
        share = crc32(image.uid.encode()) / 2**32
        found.append((since + spec.base_spread * share, "A base image has moved, and its builds are spread over time."))
    return max(found, default=(None, ""), key=lambda each: each[0])


def _spread_since(image: TrackedImage, causes: Sequence[Cause], now: datetime) -> datetime | None:
    """Since when a base image, and nothing else, makes a build due; None where that does not count."""
    if not image.spec.base_spread or tuple(causes) != (Cause.BASE_IMAGE,):
        return None
    return parse_time((image.status.get("pending") or {}).get("since")) or now.replace(microsecond=0)


def _start(
    image: TrackedImage,
    builds: Sequence[Past],
    wanted: Inputs,
    causes: tuple[Cause, ...],
    tick: _Tick,
    requested: str,
    seen: Seen,
) -> Start:
    number = 1 + max([int(image.status.get("builds") or 0), *(build.number for build in builds)])
    due = format_time(tick.due) if tick.due else ""
    inputs = replace(wanted, tick=due, requested=requested if Cause.REQUESTED in causes else "")
    schedule = image.spec.schedule
    cached = not (schedule and not schedule.cache and causes == (Cause.SCHEDULE,))
    return Start(number, inputs, causes, cached, seen.artifact)


def _loop(image: TrackedImage, good: Past | None) -> str | None:
    """Why its builds would start each other for ever; None if they do not."""
    if image.spec.base_interval is None:
        return None
    own = {familiar(repository) for repository in image.spec.repositories}
    for reference, _ in used_bases(image, good):
        if _repository(reference) in own:
            return (
                f"The Dockerfile names {reference}, which is in a repository of image.repositories: each build would "
                "start the next. Push to another repository, or take baseImages out of triggers."
            )
    return None


def _repository(reference: str) -> str:
    bare = reference.partition("@")[0]
    host, slash, path = bare.rpartition("/")
    return f"{host}{slash}{path.partition(':')[0]}"


def inputs_document(start: Start) -> Document:
    """The annotation of a build that says what it is made from."""
    inputs = start.inputs
    made = {"commit": inputs.commit, "template": inputs.template, "tick": inputs.tick, "requested": inputs.requested}
    made["tree"] = inputs.tree
    return {**{name: value for name, value in made.items() if value}, "causes": list(start.causes)}
