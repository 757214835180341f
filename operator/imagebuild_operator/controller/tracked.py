"""Makes builds for TrackedImages, and runs the watchers that look at their remotes."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from imagebuild_vocabulary.names import TRACKED_KIND, WATCH

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.errors import ClusterError, ConflictError, InvalidSpecError, NotFoundError, RejectedError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.redact import redact
from imagebuild_operator.api.tracked import FluxRef, TrackedImage
from imagebuild_operator.cache.keys import TrackedKey
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.event_recorder import EventRecorder
from imagebuild_operator.decide.tracked import (
    STALLED,
    Decision,
    Past,
    Start,
    State,
    decide,
    inputs_document,
    latest_good,
    used_bases,
    with_published,
)
from imagebuild_operator.decide.tracked_status import next_status, old_builds
from imagebuild_operator.defaults.bounds import check_bounds
from imagebuild_operator.defaults.namespace import NamespaceDefaults
from imagebuild_operator.defaults.rules import complete
from imagebuild_operator.observe.flux import GROUP_VERSION, KINDS, artifact_of
from imagebuild_operator.observe.watched import Seen, parse_watched
from imagebuild_operator.pod.tracked import (
    HASH_ANNOTATION,
    Watched,
    image_build,
    in_pods,
    watcher_name,
    watcher_pod,
)
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.status.events import Event
from imagebuild_operator.telemetry.logging import about

_logger: Final = logging.getLogger(__name__)

#: Seconds between two looks at the objects of Flux at least.
SOONEST: Final = 10
#: Seconds between two reads of what a watcher says.
POLL: Final = 5.0
#: Seconds until a build that the API server has refused is created again, and the status with which quotas refuse.
REFUSED_RETRY: Final = 60.0
FORBIDDEN: Final = 403
#: Seconds until a watcher that was created has said something.
FIRST_POLL: Final = 1.0
#: Seconds for which a watcher that runs is not looked for again, unless its log can't be read.
FOUND: Final = 60.0
#: Seconds of a watcher's log in which it says everything once, and those that are read twice, since clocks differ.
EVERYTHING: Final = 300.0
OVERLAP: Final = 30.0


@dataclass(slots=True)
class _OfFlux:
    """Objects of Flux of one kind, by the names of the TrackedImages whose sources they bring."""

    kind: str
    interval: int
    refs: dict[str, FluxRef]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is looked at in a namespace, and what that was made from.

    Attributes:
        revision: Of its TrackedImages.
        defaults: Those in force.
        pods: The watchers that there should be; None for one that has nothing to do.
        flux: The objects of Flux.
    """

    revision: int
    defaults: NamespaceDefaults
    pods: Sequence[Document | None]
    flux: Sequence[_OfFlux]


class Tracker:
    """Reconciles one TrackedImage, or the watcher of one namespace, at a time."""

    def __init__(
        self, cluster: Cluster, store: Store, settings: OperatorSettings, enqueue: Callable[[TrackedKey], None]
    ) -> None:
        """Make a tracker.

        Args:
            cluster: The API server.
            store: The cache.
            settings: The operator's settings.
            enqueue: Has a TrackedImage reconciled for which something new was seen.
        """
        self._cluster = cluster
        self._store = store
        self._defaults = settings.defaults
        self._selector = settings.selector
        self._enqueue = enqueue
        self._events = EventRecorder(cluster, traced=False)
        #: When the log of each watcher was read, as the event loop counts.
        self._read: dict[tuple[str, str], float] = {}
        #: Which objects of Flux were looked at for the TrackedImages of a namespace, by kind, and when.
        self._asked: dict[tuple[str, str], tuple[Mapping[str, FluxRef], float]] = {}
        #: The watchers that were found running, and until when that is believed.
        self._found: dict[tuple[str, str], tuple[Document, float]] = {}
        #: What is looked at in each namespace.
        self._wanted: dict[str, _Wanted] = {}
        #: How many watchers each namespace has had.
        self._watchers: dict[str, int] = {}

    async def reconcile(self, key: TrackedKey, now: datetime) -> float | None:
        """Start a build if one is due, and write the status.

        Returns:
            Seconds until it has to be decided again, or None.

        Raises:
            ClusterError: the API server failed; the same call later will do.
        """
        image = self._store.tracked.get(key)
        if image is None or image.is_deleting:
            return None
        if not self._store.has_all_builds(key.namespace):
            # The end of the list that brings them has this called again.
            return None
        builds = self._store.tracked.builds(image.uid)
        seen = self._store.tracked.seen(key)
        good = latest_good(builds)
        try:
            bases = used_bases(image, good)
            others = self._store.tracked.publishers((reference for reference, _ in bases), but=key)
            known = with_published(seen, bases, others)
            decision = decide(image, known, builds, now)
        except InvalidSpecError as error:
            await self._write(image, Decision(State.INVALID, str(error)), builds, seen, now)
            return None
        if decision.replaced is not None:
            try:
                await self._delete(image, decision.replaced, still_waits=True)
            except ConflictError:
                # It may have begun: the watch shows what it is by now.
                return FIRST_POLL
        if decision.start is not None:
            try:
                builds = [*builds, Past.of(await self._start(image, decision.start, now))]
            except RejectedError as error:
                # A quota, or a policy that may be changed; or a template that no build can have.
                is_refused = error.status == FORBIDDEN
                told = f"The build can't be created{' yet' if is_refused else ''}: {redact(str(error))}"
                state = State.WAITING if is_refused else State.INVALID
                waiting = Decision(state, told, causes=decision.causes if is_refused else ())
                await self._write(image, waiting, builds, seen, now)
                return REFUSED_RETRY
        await self._write(image, decision, builds, seen, now)
        for build in old_builds(image, builds):
            await self._delete(image, build)
        return max(0.0, (decision.until - now).total_seconds()) if decision.until else None

    async def _delete(self, image: TrackedImage, build: Past, *, still_waits: bool = False) -> None:
        """Delete a build; one that waits only as it was seen, since it may have begun."""
        version = str(build.version) if still_waits else ""
        await self._cluster.builds.delete(image.namespace, build.name, build.uid, version)
        self._store.drop_build(BuildKey(image.namespace, build.name), build.uid)

    async def _start(self, image: TrackedImage, start: Start, now: datetime) -> Document:
        manifest = image_build(
            image,
            start.number,
            start.inputs.commit,
            inputs_document(start),
            start.inputs.hash,
            cache=start.cache,
            selector=self._selector,
            artifact=start.artifact,
        )
        try:
            made = await self._cluster.tracked.create_build(manifest)
            self._store.tracked.put_build(made)
        except ConflictError:
            found = await self._cluster.builds.get(image.namespace, manifest["metadata"]["name"])
            if _is_of(found, image):
                # Made by another operator, and the watch has not shown it yet.
                self._store.tracked.put_build(found)
                return found
            raise RejectedError(
                409, f"there is another ImageBuild {found['metadata']['name']}: delete it, or rename the {TRACKED_KIND}"
            ) from None
        why = f"Started {manifest['metadata']['name']}: {', '.join(start.causes)}."
        await self._events.record_tracked(image, Event("Normal", "BuildStarted", why), now)
        return made

    async def _write(
        self, image: TrackedImage, decision: Decision, builds: Sequence[Past], seen: Seen, now: datetime
    ) -> None:
        changes = next_status(image, decision, builds, seen, now)
        if not changes:
            return
        try:
            body = await self._cluster.tracked.patch_status(image.namespace, image.name, image.version, changes)
        except (ConflictError, NotFoundError):
            # The watch shows the newer one, or its deletion.
            return
        self._store.tracked.put(body)
        if changes.get("latestImage"):
            self._tell_others(TrackedKey(image.namespace, image.name))
            await self._events.record_tracked(
                image, Event("Normal", "ImageUpdated", f"The latest image is {changes['latestImage']}."), now
            )
        if decision.state in STALLED and "conditions" in changes:
            await self._events.record_tracked(image, Event("Warning", str(decision.state), decision.message), now)

    def _tell_others(self, key: TrackedKey) -> None:
        """Have those reconciled whose base image this is."""
        image = self._store.tracked.get(key)
        for other in self._store.tracked.users(image.published[0], but=key) if image else ():
            self._enqueue(other)

    async def watch(self, namespace: str) -> float | None:
        """See that the watchers of a namespace look at the right remotes, and take in what they say.

        Returns:
            Seconds until it has to be looked at again, or None if there is nothing to watch.

        Raises:
            ClusterError: the API server failed; the same call later will do.
        """
        wanted = self._wanted_of(namespace)
        # After a restart, those that are no longer needed are looked for.
        known = self._watchers.get(namespace)
        number, pauses = 0, list[float]()
        while number < len(wanted.pods) or known is None or number < known:
            pod = wanted.pods[number] if number < len(wanted.pods) else None
            pause = await self._see(namespace, watcher_name(number), pod)
            if pause is None and number >= len(wanted.pods):
                break
            pauses += [] if pause is None else [pause]
            number += 1
        self._watchers[namespace] = number
        pauses += [await self._see_flux(namespace, each) for each in wanted.flux]
        if not pauses:
            del self._wanted[namespace]
        return min(pauses, default=None)

    def _wanted_of(self, namespace: str) -> _Wanted:
        """What is looked at in a namespace, which is found out again only after a change."""
        made_of = self._store.tracked.revision(namespace), self._store.defaults(namespace)
        known = self._wanted.get(namespace)
        if known is None or known.revision != made_of[0] or known.defaults is not made_of[1]:
            watched = [each for each in self._watched(namespace) if each.has_remotes]
            pods = [
                watcher_pod(namespace, number, each, self._defaults) if each else None
                for number, each in enumerate(in_pods(watched))
            ]
            known = self._wanted[namespace] = _Wanted(*made_of, pods, list(self._of_flux(namespace)))
        return known

    def _of_flux(self, namespace: str) -> Iterator[_OfFlux]:
        """The objects of Flux that bring sources, by kind."""
        found: dict[str, _OfFlux] = {}
        for image in self._store.tracked.of(namespace):
            if image.is_deleting or not _is_valid(image) or image.spec.suspend or not (ref := image.spec.flux):
                continue
            interval = max(SOONEST, image.spec.source_interval or 0)
            asked = found.setdefault(ref.kind, _OfFlux(ref.kind, interval, {}))
            asked.refs[image.name] = ref
            asked.interval = min(asked.interval, interval)
        yield from found.values()

    async def _see_flux(self, namespace: str, wanted: _OfFlux) -> float:
        """Look at the objects of Flux of a kind that bring sources, all at once; seconds until the next look."""
        now = asyncio.get_running_loop().time()
        asked, at = self._asked.get((namespace, wanted.kind), ({}, 0.0))
        # What is new is looked at now.
        if (left := at + wanted.interval - now) > 0 and wanted.refs.items() <= asked.items():
            return left
        found = await self._flux_sources(namespace, wanted.kind, wanted.refs)
        self._asked[namespace, wanted.kind] = wanted.refs, now
        for key in self._store.tracked.see_sources(namespace, found):
            self._enqueue(key)
        return float(wanted.interval)

    async def _flux_sources(self, namespace: str, kind: str, refs: Mapping[str, FluxRef]) -> dict[str, Seen]:
        """What Flux has of the sources of TrackedImages, by the names of these."""
        at = datetime.now(UTC)
        try:
            bodies = await self._cluster.tracked.flux_sources(namespace, KINDS[kind])
        except NotFoundError:
            problem = f"The cluster has no {kind} of {GROUP_VERSION}: install Flux 2.7 or later."
            return {name: Seen(at=at, problem=problem) for name in refs}
        except RejectedError as error:
            problem = f"The operator may not list {KINDS[kind]} of {GROUP_VERSION}: {redact(str(error))}"
            return {name: Seen(at=at, problem=problem) for name in refs}
        by_name = {body["metadata"]["name"]: body for body in bodies}
        return {name: _seen(ref, by_name.get(ref.name), at) for name, ref in refs.items()}

    async def _see(self, namespace: str, name: str, wanted: Document | None) -> float | None:
        """The same for one of its pods."""
        now = asyncio.get_running_loop().time()
        found, until = self._found.get((namespace, name), (None, 0.0))
        if wanted is None or found is not wanted or now >= until:
            self._found.pop((namespace, name), None)
            is_running, pause = await self._ensure(namespace, name, wanted)
            if wanted is None or not is_running:
                return pause
            self._found[namespace, name] = wanted, now + FOUND
        try:
            log = await self._read_log(namespace, name)
        except ClusterError:
            # It is gone, its node does not answer, or it has just begun.
            self._found.pop((namespace, name), None)
        else:
            for key in self._store.tracked.see(namespace, parse_watched(log)):
                self._enqueue(key)
        return POLL

    async def _ensure(self, namespace: str, name: str, wanted: Document | None) -> tuple[bool, float | None]:
        """See that there is the watcher that there should be: whether it runs, and else when to look again."""
        pod = await self._find_watcher(namespace, name)
        if pod is not None and (wanted is None or not _is_wanted(pod, wanted)):
            await self._cluster.pods.delete(namespace, name, pod["metadata"]["uid"])
            return False, FIRST_POLL
        if wanted is None:
            return False, None
        if pod is not None:
            return (pod.get("status") or {}).get("phase") == "Running", POLL
        try:
            await self._cluster.pods.create(wanted)
        except RejectedError as error:
            extra = about(namespace, "")
            _logger.warning("The watcher of TrackedImages can't be created: %s", error, extra=extra)
            return False, POLL
        return False, FIRST_POLL

    async def _read_log(self, namespace: str, name: str) -> str:
        """Read what a watcher has said since the last time; at first, long enough that it has said everything."""
        now, last = asyncio.get_running_loop().time(), self._read.get((namespace, name))
        since = EVERYTHING if last is None else min(EVERYTHING, now - last + OVERLAP)
        log = await self._cluster.pods.read_log(namespace, name, WATCH, since)
        self._read[namespace, name] = now
        return log

    def _watched(self, namespace: str) -> Iterator[Watched]:
        """What is watched; nothing for those whose builds the defaults would refuse: it takes the same Secrets."""
        defaults = self._store.defaults(namespace)
        for image in self._store.tracked.of(namespace):
            try:
                if image.is_deleting or image.spec.suspend:
                    continue
                # What Flux brings has no place yet.
                own: dict[str, Any] = {"source": {"inline": {"files": {}}}, **image.spec.template}
                own["output"] = {
                    **(own.get("output") or {}),
                    "images": [f"{each}:1" for each in image.spec.repositories],
                }
                spec = parse_spec(complete(own, defaults.applied.get("spec") or {}))
                check_bounds(own, spec, defaults.bounds)
            except InvalidSpecError:
                continue
            yield Watched(image, spec, tuple(dict.fromkeys(name for name, _ in used_bases(image, None))))

    async def _find_watcher(self, namespace: str, name: str) -> Document | None:
        try:
            return await self._cluster.pods.get(namespace, name)
        except NotFoundError:
            return None


def _seen(ref: FluxRef, body: Document | None, at: datetime) -> Seen:
    artifact, problem = artifact_of(body)
    told = f"{ref}: {problem}" if problem else ""
    if artifact is None:
        return Seen(at=at, problem=told)
    return Seen(artifact.commit, at=at, problem=told, tree=artifact.sha256, artifact=artifact)


def _is_valid(image: TrackedImage) -> bool:
    try:
        return bool(image.spec.repositories)
    except InvalidSpecError:
        return False


def _is_of(body: Document, image: TrackedImage) -> bool:
    owners = body["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == image.uid for owner in owners) and "deletionTimestamp" not in body["metadata"]


def _is_wanted(pod: Document, wanted: Document) -> bool:
    metadata, phase = pod["metadata"], (pod.get("status") or {}).get("phase")
    is_same = (metadata.get("annotations") or {}).get(HASH_ANNOTATION) == wanted["metadata"]["annotations"][
        HASH_ANNOTATION
    ]
    return is_same and phase not in {"Succeeded", "Failed"}
