"""A TrackedImage, and what it makes builds of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from imagebuild_vocabulary.image_names import familiar
from imagebuild_vocabulary.names import REQUESTED_ANNOTATION, TRACKED_KIND

from imagebuild_operator.api.body import Body, Document, reference
from imagebuild_operator.api.errors import InvalidSpecError

_PART: Final = re.compile(r"([0-9]+)([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

#: Fields of an ImageBuild's spec that the image does not depend on: a change of them alone starts no build.
NOT_OF_IMAGE: Final = frozenset(
    {
        *("cache", "concurrency", "podTemplate", "priority", "proxy", "pullSecretRefs", "queueName", "registries"),
        *("resources", "retry", "timeoutSeconds", "ttlSecondsAfterFinished"),
    }
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a build is due whatever has changed.

    Attributes:
        cron: Five fields, as of cron.
        zone: The time zone of the fields.
        if_older_than: Only if the latest image is older than this; None: in any case.
        cache: Whether such builds use the layer cache.
    """

    cron: str
    zone: ZoneInfo
    if_older_than: timedelta | None = None
    cache: bool = True

    def next(self, after: datetime) -> datetime:
        """The next moment after another; a time that a change of clocks skips or repeats comes once."""
        moment: datetime = next(CronSim(self.cron, after.astimezone(self.zone)))
        # In the hour that is repeated, times of a zone equal no other.
        return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class FluxRef:
    """An object of Flux whose artifact is built.

    Attributes:
        kind: GitRepository, OCIRepository, Bucket or ExternalArtifact.
        name: Its name, in the namespace of the TrackedImage.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class TrackedSpec:
    """What a TrackedImage asks for.

    Attributes:
        suspend: Whether no build is started.
        labels: Labels of its builds.
        annotations: Annotations of its builds.
        template: Spec of its builds, without the images of the output.
        repositories: Where the image is pushed.
        tags: Templates of the tags that each image gets.
        moving_tags: Tags that always are at the latest image.
        source_paths: Patterns of what counts in the source; empty for all.
        source_interval: Seconds between two looks at the source; None: it is not watched.
        flux: What brings the source; None: the template has it.
        base_interval: Seconds between two looks at the base images; None: they are not watched.
        base_spread: Time over which the builds that a base image starts are spread.
        schedule: When a build is due whatever has changed; None: never.
        min_interval: Time between two builds at least.
        backoff: Time until the same inputs are tried again after a first failure.
        max_backoff: The same after many.
        keep_succeeded: How many builds that succeeded are kept.
        keep_failed: How many of the others.
    """

    suspend: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    template: Mapping[str, Any] = field(repr=False)
    repositories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ("{number}",)
    moving_tags: tuple[str, ...] = ()
    source_paths: tuple[str, ...] = ()
    source_interval: int | None = None
    flux: FluxRef | None = None
    base_interval: int | None = None
    base_spread: timedelta = timedelta()
    schedule: Schedule | None = None
    min_interval: timedelta = timedelta()
    backoff: timedelta = timedelta(minutes=1)
    max_backoff: timedelta = timedelta(hours=6)
    keep_succeeded: int = 3
    keep_failed: int = 2


@dataclass(frozen=True)
class TrackedImage:
    """A TrackedImage as the API server has it."""

    namespace: str
    name: str
    uid: str
    generation: int
    version: int
    created: datetime
    is_deleting: bool
    labels: Mapping[str, str]
    requested: str
    raw: Body = field(repr=False)
    status: Body = field(repr=False)

    @classmethod
    def of(cls, body: Body) -> "TrackedImage":
        """Parse a body; the spec is parsed when it is asked for, since it may be invalid."""
        metadata = body["metadata"]
        return cls(
            metadata["namespace"],
            metadata["name"],
            metadata["uid"],
            metadata.get("generation", 1),
            int(metadata["resourceVersion"]),
            datetime.fromisoformat(metadata["creationTimestamp"]),
            "deletionTimestamp" in metadata,
            metadata.get("labels") or {},
            str((metadata.get("annotations") or {}).get(REQUESTED_ANNOTATION) or ""),
            body.get("spec") or {},
            body.get("status") or {},
        )

    @property
    def reference(self) -> Document:
        """Its ObjectReference."""
        return reference(TRACKED_KIND, self.namespace, self.name, self.uid, str(self.version))

    @property
    def source(self) -> tuple[object, object]:
        """Where its source is: what the template says of it, and the object of Flux."""
        template, triggers = self.raw.get("template") or {}, self.raw.get("triggers") or {}
        return (template.get("spec") or {}).get("source"), (triggers.get("source") or {}).get("fluxRef")

    @cached_property
    def spec(self) -> TrackedSpec:
        """What it asks for.

        Raises:
            InvalidSpecError: a field has a value that the schema allows, and that means nothing.
        """
        template, image = self.raw.get("template") or {}, self.raw.get("image") or {}
        triggers, metadata = self.raw.get("triggers") or {}, template.get("metadata") or {}
        failure = (self.raw.get("failure") or {}).get("backoff") or {}
        history = self.raw.get("history") or {}
        source, bases = triggers.get("source"), triggers.get("baseImages")
        flux = (source or {}).get("fluxRef")
        return TrackedSpec(
            suspend=self.raw.get("suspend") is True,
            labels=dict(metadata.get("labels") or {}),
            annotations=dict(metadata.get("annotations") or {}),
            template=template.get("spec") or {},
            repositories=tuple(image.get("repositories") or ()),
            tags=tuple(image.get("tags") or ("{number}",)),
            moving_tags=tuple(image.get("movingTags") or ()),
            source_paths=tuple((source or {}).get("paths") or ()),
            source_interval=None if source is None else _whole_seconds(source.get("interval"), "30s" if flux else "5m"),
            flux=FluxRef(flux["kind"], flux["name"]) if flux else None,
            base_interval=None if bases is None else _whole_seconds(bases.get("interval"), "1h"),
            base_spread=parse_duration((bases or {}).get("spread") or "0s"),
            schedule=_schedule(triggers.get("schedule")),
            min_interval=parse_duration(self.raw.get("minInterval") or "0s"),
            backoff=parse_duration(failure.get("initial") or "1m"),
            max_backoff=parse_duration(failure.get("max") or "6h"),
            keep_succeeded=max(1, history.get("succeeded", 3)),
            keep_failed=history.get("failed", 2),
        )

    def condition(self, kind: str) -> Body:
        """A condition as it was recorded; empty if it was not."""
        known = self.status.get("conditions") or ()
        return next((each for each in known if each["type"] == kind), {})

    @property
    def published(self) -> tuple[frozenset[str], str]:
        """The names under which others find the latest image, and its digest; nothing for a multi-platform image.

        Of that, others know the digests of the platforms, and not that of the index.
        """
        latest, tag = str(self.status.get("latestImage") or ""), str(self.status.get("latestTag") or "")
        spec = self.spec
        if not latest or len((spec.template.get("output") or {}).get("platforms") or ()) > 1:
            return frozenset(), ""
        tags = (*spec.moving_tags, *([tag] if tag else []))
        names = (f"{familiar(repository)}:{each}" for repository in spec.repositories for each in tags)
        return frozenset(names), latest.rpartition("@")[2]


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `90s`, `5m` or `1h30m`; the schema allows nothing else."""
    return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text)))


def _whole_seconds(text: str | None, default: str) -> int:
    return round(parse_duration(text or default).total_seconds())


def _schedule(asked: Body | None) -> Schedule | None:
    if asked is None:
        return None
    try:
        zone = ZoneInfo(asked.get("timeZone") or "UTC")
    except (KeyError, OSError, ValueError) as error:
        raise InvalidSpecError(
            "spec.triggers.schedule.timeZone",
            f"there is no time zone {asked.get('timeZone')!r}: write one of the IANA database, like Europe/Berlin",
        ) from error
    older = asked.get("ifOlderThan")
    found = Schedule(asked["cron"], zone, parse_duration(older) if older else None, asked.get("cache", True))
    try:
        found.next(datetime(2026, 1, 1, tzinfo=zone))
    except (CronSimError, StopIteration) as error:
        raise InvalidSpecError(
            "spec.triggers.schedule.cron",
            f"{asked['cron']!r} is no schedule: write minute, hour, day of the month, month and day of the week, like "
            "0 4 * * 1",
        ) from error
    return found
