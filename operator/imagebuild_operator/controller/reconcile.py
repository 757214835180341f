"""Apply what the core decides. Every trigger ends here, and a crash at any line is mended by the next run."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from imagebuild_operator.api.build import ImageBuild, Phase
from imagebuild_operator.api.errors import ClusterError, ConflictError, NotFoundError, RejectedError
from imagebuild_operator.api.names import POD_SELECTOR
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.traceparent import parent, trace_of
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.gate import Gate
from imagebuild_operator.controller.pod_logs import LogReader
from imagebuild_operator.controller.store import SWEEP, Key, Store
from imagebuild_operator.decide.attempt import current_pod, needs_explanation
from imagebuild_operator.decide.build import decide_build, parts
from imagebuild_operator.decide.plan import CreatePod, Plan
from imagebuild_operator.decide.refusal import meaning
from imagebuild_operator.decide.retention import EXPIRING, expired
from imagebuild_operator.defaults.effective import with_defaults
from imagebuild_operator.defaults.namespace import NO_DEFAULTS, NamespaceDefaults, parse_defaults
from imagebuild_operator.observe.pod import PodFacts, observe
from imagebuild_operator.observe.warnings import latest_warning
from imagebuild_operator.settings import History, OperatorSettings
from imagebuild_operator.status.events import Event, event_manifest
from imagebuild_operator.telemetry.logging import about
from imagebuild_operator.telemetry.recorder import Written

_logger: Final = logging.getLogger(__name__)

#: Seconds until the builds that expire are listed again after an error.
RELIST: Final = 2.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Reconciler:
    """Brings what is at the API server in line with what was asked for, one build at a time."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        settings: OperatorSettings,
        gate: Gate,
        written: Written,
        fields: str,
        to_sweep: Callable[[str], None],
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Work with these.

        Args:
            cluster: The API server.
            store: What the watches have shown.
            settings: The operator's settings.
            gate: Decides whose turn it is.
            written: Told of each status that is written.
            fields: The field selector that passes over finished builds; empty where they are in the store's watch.
            to_sweep: Called with a namespace that has finished builds that may have to go.
            clock: Tells the time.
        """
        self._cluster = cluster
        self._store = store
        self._settings = settings
        self._gate = gate
        self._logs = LogReader(cluster, enabled=settings.progress)
        self._written = written
        self._fields = fields
        self._to_sweep = to_sweep
        self._clock = clock

    async def reconcile(self, key: Key) -> float | None:
        """Do what is to be done about one build.

        Returns:
            Seconds after which to look again although nothing has happened, or None.

        Raises:
            ClusterError: the API server failed; the same call later will do.
        """
        build = self._store.build(key)
        if build is None and self._store.has_pods(key):
            # Of a finished build, of one that has gone, or of one that the watch has not shown yet.
            return await self._refresh(key)
        if build is None or build.deleting:
            self._logs.forget(key)
            return None
        try:
            return await self._reconcile(build, self._store.defaults(build.namespace))
        except ConflictError:
            return await self._refresh(key)
        except NotFoundError:
            self._store.drop_build(*key)
            return None

    async def _reconcile(self, bare: ImageBuild, defaults: NamespaceDefaults) -> float | None:
        build = with_defaults(bare, defaults)
        pods = self._store.pods(build)
        current = [(part, current_pod(part, pods)) for part in parts(build)]
        found = [facts for part, pod in current if pod is None and (facts := await self._confirm_gone(part))]
        pods = (*pods, *found)
        now = self._clock()
        shown = [*found, *(pod for _, pod in current if pod)]
        warnings = await self._explanations(build, shown, now)
        logs = await self._logs.look(build, shown, now)
        plan = decide_build(build, pods, self._settings, now, self._gate.turn(build), warnings, logs=logs)
        if not build.has_begun and _is_for_good(plan):
            newest = await self._newest_defaults(build.namespace)
            if newest != defaults:
                return await self._reconcile(bare, newest)
        if plan.create:
            plan = await self._create(build, pods, plan.create)
        await self._apply(build, plan)
        if build.is_finished and not plan.delete:
            self._store.forget((build.namespace, build.name))
        return plan.look_again

    def now(self) -> datetime:
        """The current time."""
        return self._clock()

    async def learn(self) -> None:
        """Learn of every build, pod and default, and forget those that have gone unseen.

        The watches do not say when they have shown all, nor what went while they were interrupted.

        Raises:
            ClusterError: the API server failed; the same call later will do.
        """
        with self._store.learning() as learning:
            for namespace in self._settings.namespaces or ("",):
                async for body in self._cluster.defaults.list(namespace):
                    learning.defaults(body)
                async for body in self._cluster.builds.list(namespace, self._fields):
                    learning.build(body)
                async for body in self._cluster.pods.list(namespace, POD_SELECTOR):
                    learning.pod(body)

    async def follow_expiring(self, namespace: str) -> None:
        """Take note, for ever, of the finished builds of a namespace that are to go: the watch passes over them."""
        since = ""
        while True:
            try:
                since = since or await self._list_expiring(namespace)
                async for kind, body in self._cluster.builds.watch(namespace, EXPIRING, since):
                    since = body["metadata"]["resourceVersion"]
                    self._expiring_seen(kind, body)
            except ClusterError as error:
                _logger.debug("the builds that expire are listed anew: %s", error)
                since = ""
                await asyncio.sleep(RELIST)

    async def _list_expiring(self, namespace: str) -> str:
        """Take note of all; the version to watch from."""
        since = ""
        async for page in self._cluster.builds.pages(namespace, EXPIRING):
            since = page["metadata"]["resourceVersion"]
            for body in page.get("items") or ():
                self._expiring_seen("ADDED", body)
        return since

    def _expiring_seen(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "BOOKMARK":
            return
        metadata = body["metadata"]
        if kind == "DELETED":
            self._store.drop_finished(metadata["namespace"], metadata["name"], metadata["uid"])
        else:
            self._store.put_ended(body)
            self._to_sweep(metadata["namespace"])

    def _take(self, body: dict[str, Any]) -> None:
        """Take a build's newest body from an answer: the watch may not show it, if it is finished."""
        for namespace, name in self._store.put_build(body):
            if name == SWEEP:
                self._to_sweep(namespace)

    async def sweep(self, namespace: str) -> float | None:
        """Delete the finished builds of a namespace that have outstayed their time or their number.

        Returns:
            Seconds until the next has, or None.

        Raises:
            ClusterError: the API server failed; the same call later will do.
        """
        await self._list_ended(namespace)
        history = self._store.history(namespace)
        gone, wait = expired(self._store.finished(namespace), history, self._clock())
        if gone and self._fields and history != History():
            # Those that others have deleted are still counted, since the watch passes over them.
            self._store.unlist(namespace)
            await self._list_ended(namespace)
            gone, wait = expired(self._store.finished(namespace), history, self._clock())
        for build in gone:
            await self._cluster.builds.delete(namespace, build.name, build.uid)
            self._store.drop_build(namespace, build.name)
            extra = about(namespace, build.name, uid=build.uid)
            _logger.info("The build is deleted: it was finished, and its time is over", extra=extra)
        return wait

    async def _list_ended(self, namespace: str) -> None:
        """Learn of the finished builds of a namespace again, where a change of its defaults concerns them."""
        if namespace not in self._store.unlisted:
            return
        self._store.unlisted.discard(namespace)
        try:
            async for body in self._cluster.builds.list(namespace):
                self._store.put_ended(body)
        except ClusterError:
            self._store.unlisted.add(namespace)
            raise

    async def _confirm_gone(self, build: ImageBuild) -> PodFacts | None:
        """Ask the API server before believing that a recorded pod is gone: the watch may only be late."""
        if build.recorded_pod is None or build.is_finished:
            return None
        try:
            facts = observe(await self._cluster.pods.get(build.namespace, build.recorded_pod))
        except NotFoundError:
            return None
        return facts if facts.owner_uid == build.uid else None

    async def _explanations(self, build: ImageBuild, pods: Iterable[PodFacts], now: datetime) -> dict[str, str]:
        """What the kubelet says of those of the pods that do not start."""
        found = {
            pod.name: latest_warning(await self._cluster.events.list_about_pod(build.namespace, pod.uid))
            for pod in pods
            if needs_explanation(pod, now)
        }
        return {name: warning for name, warning in found.items() if warning}

    async def _create(self, build: ImageBuild, pods: Iterable[PodFacts], creates: Iterable[CreatePod]) -> Plan:
        """Create pods, or find those that an earlier run created, and decide with them."""
        if not await self._is_newest(build):
            return Plan(look_again=0.0)
        made: list[PodFacts] = []
        refusals: dict[str, ClusterError] = {}
        for create in creates:
            try:
                body = await self._create_or_get(build, create)
            except ClusterError as error:
                if error.is_passing:
                    raise
                reason = meaning(error)
                if reason is not Reason.POD_REJECTED and self._gate.concerns(build.spec):
                    self._gate.refused(build, reason, self._clock())
                refusals[create.name] = error
            else:
                self._store.put_pod(body)
                made.append(observe(body))
        return decide_build(build, [*pods, *made], self._settings, self._clock(), refusals=refusals)

    async def _newest_defaults(self, namespace: str) -> NamespaceDefaults:
        """Ask before a build begins or is refused: the watch of defaults may lag behind that of builds."""
        body = await self._cluster.defaults.get(namespace)
        return NO_DEFAULTS if body is None else parse_defaults(body)

    async def _is_newest(self, build: ImageBuild) -> bool:
        """Ask before a pod is created: a watch that lags may show a build as new that has ended long ago."""
        body = await self._cluster.builds.get(build.namespace, build.name)
        self._take(body)
        metadata = body["metadata"]
        return bool(metadata["uid"] == build.uid and metadata["resourceVersion"] == build.resource_version)

    async def _create_or_get(self, build: ImageBuild, create: CreatePod) -> dict[str, Any]:
        try:
            return await self._cluster.pods.create(create.manifest)
        except ConflictError as conflict:
            try:
                body = await self._cluster.pods.get(build.namespace, create.name)
            except NotFoundError:
                # Not the pod: a quota that many creations at once have changed, or a webhook's own code.
                raise conflict from None
        if observe(body).owner_uid != build.uid:
            raise RejectedError(409, f"a pod named {create.name} exists and is not this build's")
        return body

    async def _apply(self, build: ImageBuild, plan: Plan) -> None:
        if plan.status:
            body = await self._cluster.builds.patch_status(
                build.namespace, build.name, build.resource_version, plan.status
            )
            # Only now, so that nothing is counted twice. What a crash here leaves out is never counted.
            self._written(build, plan.status)
            self._take(body)
        for event in plan.events:
            told = {"uid": build.uid, "attempt": build.attempt, "event": event.reason}
            status = {**build.status, **(plan.status or {})}
            if self._settings.defaults.traced or parent(build) is not None:
                told["trace_id"] = trace_of(build).trace_id
            extra = about(build.namespace, build.name, **told, phase=status.get("phase"), reason=status.get("reason"))
            _logger.info("%s", event.message, extra=extra)
            await self._tell(build, event)
        for pod in plan.delete:
            await self._cluster.pods.delete(build.namespace, pod.name, pod.uid)

    async def _tell(self, build: ImageBuild, event: Event) -> None:
        """Events are for people to read: one that is lost is not worth doing anything twice for."""
        try:
            await self._cluster.events.create(event_manifest(build, event, self._clock()))
        except ClusterError as error:
            extra = about(build.namespace, build.name, uid=build.uid)
            _logger.warning("Event %s is lost: %s", event.reason, error, extra=extra)

    async def _refresh(self, key: Key) -> float | None:
        """The build has changed since it was read: read it and look again at once."""
        try:
            self._take(await self._cluster.builds.get(*key))
        except NotFoundError:
            self._store.drop_build(*key)
            return None
        return 0.0


def _is_for_good(plan: Plan) -> bool:
    """Whether a plan for a build that has not begun lets it begin, or end."""
    return bool(plan.create) or Phase((plan.status or {}).get("phase") or Phase.PENDING).is_final
