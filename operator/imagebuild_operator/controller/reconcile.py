"""Reconcile one build: observe, decide, apply. Every trigger ends here, and a run recovers from a crash of the last."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.errors import ClusterError, ConflictError, NotFoundError, RejectedError
from imagebuild_operator.api.parse import parse_build, parse_spec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.cache.bounded_set import BoundedSet
from imagebuild_operator.cache.keys import Resync, Sweep
from imagebuild_operator.cache.known_problems import KnownProblems
from imagebuild_operator.cache.known_pushes import KnownPushes
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.creation_log import CreationLog
from imagebuild_operator.controller.defaults_reader import DefaultsReader
from imagebuild_operator.controller.event_recorder import EventRecorder
from imagebuild_operator.controller.pod_logs import LogReader
from imagebuild_operator.decide.attempt import needs_explanation
from imagebuild_operator.decide.backoffs import OF_NAMESPACE
from imagebuild_operator.decide.build import decide_build, parts
from imagebuild_operator.decide.cancel import cause
from imagebuild_operator.decide.engine import engine_places, engine_problems
from imagebuild_operator.decide.gate import Gate
from imagebuild_operator.decide.lifecycle import expected_pod, wait_for_admission
from imagebuild_operator.decide.plan import CreatePod, Plan
from imagebuild_operator.decide.push_proof import push_proofs
from imagebuild_operator.decide.queue import BEGIN, DEFAULTS_UNREADABLE, invalid_defaults
from imagebuild_operator.decide.reconcile_input import ReconcileInput, current_pod
from imagebuild_operator.decide.refusal import meaning
from imagebuild_operator.defaults.effective import with_defaults
from imagebuild_operator.defaults.namespace import NamespaceDefaults, namespace_defaults
from imagebuild_operator.defaults.objects import parse_defaults
from imagebuild_operator.observe.pod import PodFacts, observe
from imagebuild_operator.observe.warnings import latest_warning
from imagebuild_operator.pod.identity import difference
from imagebuild_operator.pod.manifest import pod_name
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.telemetry.logging import about
from imagebuild_operator.telemetry.recorder import StatusRecorder

_logger: Final = logging.getLogger(__name__)

#: Pods that are remembered as created by this leader. A recorded one need not be.
MAX_OWN_PODS: Final = 10_000
#: Seconds after which a pod that was deleted is looked for, if the watch has not shown its DELETED: a watch that began
#: after the deletion never does.
DELETION_CHECK: Final = 1.0


class Reconciler:
    """Brings the pods and the status of a build in line with its spec."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        settings: OperatorSettings,
        gate: Gate,
        written: StatusRecorder,
        enqueue: Callable[[Sweep | Resync], None],
        clock: Callable[[], datetime],
    ) -> None:
        """Set it up.

        Args:
            cluster: The API server.
            store: The cache.
            settings: The operator's settings.
            gate: Decides which builds may start.
            written: Called with each status that is written.
            enqueue: Puts a key into the work queue: a sweep for a namespace that may have a build to delete, a resync
                when ImageBuildDefaults can be read again.
            clock: Tells the time.
        """
        self._cluster = cluster
        self._store = store
        self._settings = settings
        self._gate = gate
        self._logs = LogReader(cluster, enabled=settings.progress)
        self._defaults = DefaultsReader(cluster.defaults)
        self._own = CreationLog(has_lease=settings.lease is not None)
        #: The uids of the pods that this leader has created, or compared with their manifests.
        self._own_pods = BoundedSet(MAX_OWN_PODS)
        self._pushes = KnownPushes(settings.push_proof)
        self._engines = KnownProblems()
        self._written = written
        self._enqueue = enqueue
        self._clock = clock
        self._events = EventRecorder(cluster, traced=settings.defaults.traced)

    async def stop(self) -> None:
        """End the requests that no reconcile waits for."""
        await self._defaults.stop()

    async def reconcile(self, key: BuildKey) -> float | None:
        """Reconcile one build.

        Returns:
            Seconds after which to requeue it if nothing happens before, or None.

        Raises:
            ConflictError: something changed since it was read; the cache now holds the newest version of the build.
            ClusterError: the API server failed; the same call later will do.
        """
        build = self._store.build(key)
        if build is None and self._store.has_pods(key):
            # Of a finished build, of a deleted one, or of one that the watch has not shown yet.
            return await self._refresh(key)
        if build is None or build.deleting:
            self._logs.forget(key)
            return None
        try:
            if build.is_partial:
                whole = await self._whole(build)
                if whole is None:
                    return 0.0
                build = whole
            return await self._reconcile(build, self._store.defaults(build.namespace))
        except ConflictError:
            await self._refresh(key)
            raise
        except NotFoundError:
            self._store.drop_build(key, build.uid)
            return None

    async def _reconcile(self, bare: ImageBuild, defaults: NamespaceDefaults) -> float | None:
        build = with_defaults(bare, defaults)
        pods = self._store.pods(build)
        current = [(part, current_pod(part, pods)) for part in parts(build)]
        if await self._has_foreign_pod(current):
            return DELETION_CHECK
        admission = self._gate.admission(build)
        found = await self._confirm_all_gone(current, ends=cause(build, admission) is not None)
        pods = (*pods, *found)
        now = self._clock()
        shown = [*found, *(pod for _, pod in current if pod)]
        warnings = await self._explanations(build, shown, now)
        logs = await self._logs.read_due(build, shown, now)
        if admission == BEGIN and defaults.problem:
            admission = invalid_defaults(defaults.problem)
        inputs = ReconcileInput(
            build,
            pods,
            self._settings,
            now,
            admission,
            warnings,
            logs=logs,
            pushes=self._pushes.known(now),
            engine_problem=self._engine_problem(build, now),
        )
        plan = decide_build(inputs)
        if not build.has_begun and _depends_on_defaults(plan):
            try:
                newest = await self._newest_defaults(build.namespace)
            except RejectedError as error:
                # To begin without them could be against their limits.
                _logger.warning("The ImageBuildDefaults cannot be read: %s", error, extra=about(build.namespace, ""))
                self._gate.refused(build, Reason.DEFAULTS_UNREADABLE, now)
                plan = wait_for_admission(replace(inputs, admission=DEFAULTS_UNREADABLE))
            else:
                if newest != defaults:
                    return await self._reconcile(bare, newest)
        if plan.create:
            plan = await self._create(build, pods, plan.create)
        are_pods_gone = await self._apply(build, plan)
        if build.is_finished and not plan.delete:
            # Unless a change of it has come while its status was written.
            self._store.tidy(BuildKey.of(build))
        return 0.0 if are_pods_gone else _next(plan)

    async def _has_foreign_pod(self, current: Iterable[tuple[ImageBuild, PodFacts | None]]) -> bool:
        """Delete a pod that somebody else has made in the place of one of the operator's; whether there was one."""
        for build, pod in current:
            if pod is not None and (problem := await self._why_foreign(build, pod)):
                extra = about(build.namespace, build.name, uid=build.uid)
                _logger.warning("Pod %s is deleted: it is not the operator's; %s", pod.name, problem, extra=extra)
                if await self._cluster.pods.delete(build.namespace, pod.name, pod.uid) is None:
                    self._store.drop_pod(BuildKey.of(build), pod.name, pod.uid)
                return True
        return False

    async def _why_foreign(self, build: ImageBuild, pod: PodFacts) -> str:
        """Why a pod cannot be the operator's; empty if it is. It is compared once, unless it is recorded or new."""
        is_recorded = build.recorded_pod == pod.name and build.recorded_uid in {None, pod.uid}
        if is_recorded or pod.uid in self._own_pods or build.is_finished:
            return ""
        try:
            body = await self._cluster.pods.get(build.namespace, pod.name)
        except NotFoundError:
            return "it is gone"
        if str(body["metadata"]["uid"]) != pod.uid:
            return "there is another of its name by now"
        manifest = expected_pod(build, self._settings, pod.engine)
        problem = "there is no pod to be yet" if manifest is None else difference(body, manifest)
        if not problem:
            self._own_pods.add(pod.uid)
        return problem

    async def _confirm_all_gone(
        self, current: Iterable[tuple[ImageBuild, PodFacts | None]], *, ends: bool
    ) -> list[PodFacts]:
        missing = [part for part, pod in current if pod is None]
        return [facts for part in missing if (facts := await self._confirm_gone(part, ends=ends))]

    async def _confirm_gone(self, build: ImageBuild, *, ends: bool) -> PodFacts | None:
        """Ask the API server whether a recorded pod is gone: the watch may only be late.

        The same for a pod that may have been created and not recorded, if the build is to end without one.
        """
        name = build.recorded_pod or (pod_name(build, build.attempt) if ends else None)
        if name is None or build.is_finished:
            return None
        try:
            facts = self._take(build, await self._cluster.pods.get(build.namespace, name))
        except NotFoundError:
            return None
        is_recorded = build.recorded_uid in {None, facts.uid}
        return facts if facts.owner_uid == build.uid and is_recorded else None

    def _take(self, build: ImageBuild, body: dict[str, Any]) -> PodFacts:
        """Put a pod's newest body into the cache, which says by the operator's own clock when its deletion is due."""
        self._store.put_pod(body)
        facts = observe(body)
        return next((pod for pod in self._store.pods(build) if pod.uid == facts.uid), facts)

    async def _explanations(self, build: ImageBuild, pods: Iterable[PodFacts], now: datetime) -> dict[str, str]:
        """The kubelet's latest Warning about each pod that does not start."""
        found = dict[str, str]()
        for pod in pods:
            if not needs_explanation(pod, now):
                continue
            try:
                events = await self._cluster.events.list_about_pod(build.namespace, pod.uid)
            except ClusterError as error:
                # They only explain: the build goes on, and ends at its deadline, without them.
                extra = about(build.namespace, build.name, uid=build.uid)
                _logger.warning("The Events about pod %s cannot be listed: %s", pod.name, error, extra=extra)
                continue
            if warning := latest_warning(events):
                found[pod.name] = warning
        return found

    async def _create(self, build: ImageBuild, pods: Iterable[PodFacts], creates: Iterable[CreatePod]) -> Plan:
        """Create pods, or find those that an earlier run created.

        The status is written by the next run, behind the builds whose pods are to be created before.
        """
        if not self._own.begin(build) and not await self._is_newest(build):
            return Plan(requeue_after=0.0)
        made: list[PodFacts] = []
        refusals: dict[str, ClusterError] = {}
        for create in creates:
            try:
                body = await self._create_or_get(build, create)
            except ClusterError as error:
                if error.is_passing:
                    raise
                reason = meaning(error)
                is_waited_for = reason is not Reason.POD_REJECTED and self._gate.concerns(build.namespace, build.spec)
                if is_waited_for or reason in OF_NAMESPACE:
                    self._gate.refused(build, reason, self._clock())
                refusals[create.name] = error
            else:
                made.append(self._take(build, body))
        if not refusals:
            return Plan(requeue_after=0.0)
        return decide_build(ReconcileInput(build, [*pods, *made], self._settings, self._clock(), refusals=refusals))

    async def _newest_defaults(self, namespace: str) -> NamespaceDefaults:
        """Read the defaults before a build starts or is refused: their watch may lag behind that of builds."""
        # An operator that watches some namespaces has no right to read what belongs to none.
        scopes = (namespace,) if self._settings.namespaces else (namespace, "")
        bodies = await asyncio.gather(*(self._defaults.newest(scope) for scope in scopes))
        if self._store.is_defaults_unreadable(namespace):
            self._enqueue(Resync())
        own, *cluster = (None if body is None else parse_defaults(body) for body in bodies)
        return namespace_defaults(own, cluster[0] if cluster else None)

    async def _whole(self, build: ImageBuild) -> ImageBuild | None:
        """The build with all of its spec, which the cache does not keep; None if it has changed meanwhile."""
        body = await self._cluster.builds.get(build.namespace, build.name)
        self._put(body)
        whole = parse_build(body)
        is_same = (whole.uid, whole.resource_version) == (build.uid, build.resource_version)
        return whole if is_same else None

    async def _is_newest(self, build: ImageBuild) -> bool:
        """Read the build before its pod is created: a watch that lags may show a build as new that ended long ago."""
        body = await self._cluster.builds.get(build.namespace, build.name)
        self._put(body)
        metadata = body["metadata"]
        return bool(metadata["uid"] == build.uid and metadata["resourceVersion"] == build.resource_version)

    async def _create_or_get(self, build: ImageBuild, create: CreatePod) -> dict[str, Any]:
        try:
            body = await self._cluster.pods.create(create.manifest)
        except ConflictError as conflict:
            try:
                body = await self._cluster.pods.get(build.namespace, create.name)
            except NotFoundError:
                # The conflict is not about the pod: concurrent changes of a quota, or a webhook's own status.
                raise conflict from None
            if observe(body).owner_uid != build.uid:
                raise RejectedError(409, f"pod {create.name} exists and belongs to something else") from conflict
            # An earlier run may have created it, or somebody else: the next run compares it.
        else:
            self._own_pods.add(body["metadata"]["uid"])
        return body

    async def _apply(self, build: ImageBuild, plan: Plan) -> bool:
        """Write the status, the Events and the deletions of a plan; whether a pod to delete was gone already."""
        if plan.status:
            body = await self._cluster.builds.patch_status(
                build.namespace, build.name, build.resource_version, plan.status
            )
            self._own.wrote(body["metadata"]["resourceVersion"])
            # Only after the write, so that nothing is counted twice. A crash here leaves the change uncounted.
            self._written(build, plan.status)
            self._learn(build, plan.status)
            self._put(body)
        for event in plan.events:
            await self._events.record(build, event, {**build.status, **(plan.status or {})}, self._clock())
        is_gone = False
        for pod in plan.delete:
            deleted = await self._cluster.pods.delete(build.namespace, pod.name, pod.uid)
            if deleted is None:
                # Its DELETED was missed, or is late. Nothing else would lead to the next reconcile.
                self._store.drop_pod(BuildKey.of(build), pod.name, pod.uid)
                is_gone = True
            else:
                self._store.update_pod(deleted)
        return is_gone

    def _engine_problem(self, build: ImageBuild, now: datetime) -> str:
        """Why BuildKit could not run where a build runs; its spec is read for that only where there was a problem."""
        if self._engines.are_none:
            return ""
        return self._engines.at(engine_places(build, self._settings), now)

    def _learn(self, build: ImageBuild, status: dict[str, Any]) -> None:
        """Remember what a status says about the credentials of a push, and about BuildKit where the build runs."""
        for place, problem in engine_problems(build, status, self._settings):
            self._engines.met(place, problem, self._clock())
        if status.get("phase") == Phase.SUCCEEDED:
            self._pushes.succeeded(push_proofs(build.namespace, parse_spec(build.spec)), self._clock())
        elif status.get("reason") == Reason.REGISTRY_UNAUTHORIZED:
            self._pushes.refused(push_proofs(build.namespace, parse_spec(build.spec)))

    async def _refresh(self, key: BuildKey) -> float | None:
        """The build has changed since it was read: read it and requeue it at once."""
        held = self._store.build(key)
        try:
            self._put(await self._cluster.builds.get(key.namespace, key.name))
        except NotFoundError:
            # The watch may have shown another of its name since it was asked for.
            if held:
                self._store.drop_build(key, held.uid)
            return None
        return 0.0

    def _put(self, body: dict[str, Any]) -> None:
        """Put a build's newest body into the cache: the watch may not show it, if it is finished."""
        for key in self._store.put_build(body):
            if isinstance(key, Sweep):
                self._enqueue(key)


def _next(plan: Plan) -> float | None:
    """Seconds after which to requeue a build whose plan was applied."""
    if plan.delete:
        return min(DELETION_CHECK, DELETION_CHECK if plan.requeue_after is None else plan.requeue_after)
    return plan.requeue_after


def _depends_on_defaults(plan: Plan) -> bool:
    """Whether other defaults could lead to another plan for a build that has not started."""
    return bool(plan.create) or (plan.status or {}).get("reason") == Reason.INVALID_SPEC
