"""The kopf handlers. Each hands the event to the controller; `reconcile` does the rest.

They handle raw events, which are level-based and write nothing on the objects: no finalizer that could block the
deletion of a namespace, no annotation with a copy of the spec. The work queue retries what fails.
"""

from collections.abc import Mapping
from typing import Any

import kopf

from imagebuild_operator.api.names import CLUSTER_DEFAULTS_PLURAL, DEFAULTS_PLURAL, GROUP, PLURAL, VERSION
from imagebuild_operator.controller.controller import Controller
from imagebuild_operator.runtime.login import Login
from imagebuild_operator.runtime.monitor import Monitor


def register(
    registry: kopf.OperatorRegistry, controller: Controller, monitor: Monitor, login: Login, *, is_cluster_wide: bool
) -> None:
    """Register every handler of the operator.

    Args:
        registry: The registry of kopf.
        controller: Handles the events.
        monitor: Serves metrics and probes.
        login: Opens the session of the watches.
        is_cluster_wide: Whether all namespaces are watched. An operator that watches some of them has no right to read
            what belongs to none.
    """

    @kopf.on.login(registry=registry, id="login")
    async def log_in(settings: kopf.OperatorSettings, **_: Any) -> kopf.AiohttpSession:  # noqa: ANN401 - same as below
        return await login(settings)

    @kopf.on.startup(registry=registry, id="start")
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:  # noqa: ANN401 - kopf passes what it likes
        await monitor.start()
        await controller.start()
        if controller.fields:
            # A build that finishes then leaves the watch, which sends DELETED.
            settings.watching.field_selectors[GROUP, VERSION, PLURAL] = controller.fields

    @kopf.on.cleanup(registry=registry, id="stop")
    async def stop(**_: Any) -> None:  # noqa: ANN401
        await controller.stop()
        await monitor.stop()

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry, id="build")
    async def build_seen(type: str | None, body: Mapping[str, Any], **_: Any) -> None:  # noqa: A002, ANN401
        controller.build_seen(body, is_gone=type == "DELETED")

    async def defaults_seen(type: str | None, body: Mapping[str, Any], **_: Any) -> None:  # noqa: A002, ANN401
        controller.defaults_seen(body, is_gone=type == "DELETED")

    # If the cluster lacks one of these resources, kopf logs that once and goes on.
    for plural in (DEFAULTS_PLURAL, CLUSTER_DEFAULTS_PLURAL) if is_cluster_wide else (DEFAULTS_PLURAL,):
        kopf.on.event(GROUP, VERSION, plural, registry=registry, id=plural)(defaults_seen)

    @kopf.on.event("v1", "pods", registry=registry, id="pod")
    async def pod_seen(type: str | None, body: Mapping[str, Any], **_: Any) -> None:  # noqa: A002, ANN401
        controller.pod_seen(body, is_gone=type == "DELETED")
