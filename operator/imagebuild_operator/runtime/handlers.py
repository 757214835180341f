"""The kopf handlers: the start and the end of the operator, its login, and what is watched.

What is watched has handlers of raw events, for which kopf writes nothing on the objects: no finalizer that could block
the deletion of a namespace, no annotation with a copy of the spec. `watched_objects` hands the objects to the
controller; `reconcile` does the rest, and the work queue retries what fails.
"""

import asyncio
from typing import Any

import kopf
from imagebuild_vocabulary.names import (
    CLUSTER_DEFAULTS_PLURAL,
    DEFAULTS_PLURAL,
    GROUP,
    PLURAL,
    PODS,
    TRACKED_PLURAL,
    VERSION,
)

from imagebuild_operator.controller.controller import Controller
from imagebuild_operator.runtime.login import Login
from imagebuild_operator.runtime.monitor import Monitor


def register(
    registry: kopf.OperatorRegistry,
    controller: Controller,
    monitor: Monitor,
    login: Login,
    ended: asyncio.Event,
    *,
    is_cluster_wide: bool,
    tracks: bool,
) -> None:
    """Register every handler of the operator.

    Args:
        registry: The registry of kopf.
        controller: Does the work.
        monitor: Serves metrics and probes.
        login: Opens the session of the watches.
        ended: kopf's stop flag. It is set at the end too: kopf's own task that waits for it would keep the process for
            five seconds more.
        is_cluster_wide: Whether all namespaces are watched. An operator that watches some of them has no right to read
            what belongs to none.
        tracks: Whether TrackedImages are heeded.
    """

    @kopf.on.login(registry=registry, id="login")
    async def log_in(settings: kopf.OperatorSettings, **_: Any) -> kopf.AiohttpSession:  # noqa: ANN401 - same as below
        return await login(settings)

    @kopf.on.startup(registry=registry, id="start")
    async def start(**_: Any) -> None:  # noqa: ANN401 - kopf passes what it likes
        await monitor.start()
        await controller.start()

    @kopf.on.cleanup(registry=registry, id="stop")
    async def stop(**_: Any) -> None:  # noqa: ANN401
        await controller.stop()
        await monitor.stop()
        ended.set()

    async def watched(**_: Any) -> None:  # noqa: ANN401
        """Do nothing: the session has handed the object to the controller. Only what has a handler is watched."""

    # If the cluster lacks the resource of defaults, kopf logs that once and goes on.
    tracked = (TRACKED_PLURAL,) if tracks else ()
    of_cluster = (CLUSTER_DEFAULTS_PLURAL,) if is_cluster_wide else ()
    for plural in (PLURAL, DEFAULTS_PLURAL, *tracked, *of_cluster):
        kopf.on.event(GROUP, VERSION, plural, registry=registry, id=plural)(watched)
    kopf.on.event("v1", PODS, registry=registry, id=PODS)(watched)
