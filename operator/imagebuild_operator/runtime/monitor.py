"""The probes and the metrics of the operator."""

import time
from collections.abc import Iterator

from imagebuild_operator.client.authentication import Authentication
from imagebuild_operator.controller.controller import Controller
from imagebuild_operator.runtime.pages import HEALTH, READY, Pages
from imagebuild_operator.runtime.watches import Watches
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.telemetry.health import (
    degraded,
    denied,
    out_of_election,
    rejected,
    stalled,
    stuck,
    unready,
    without_lease,
)
from imagebuild_operator.telemetry.metrics import WATCH_PROGRESS, Observation
from imagebuild_operator.telemetry.prometheus import Metrics


class Monitor:
    """Serves the metrics, and answers the probes from the state of the controller and the watches."""

    def __init__(
        self,
        settings: OperatorSettings,
        controller: Controller,
        watches: Watches,
        authentication: Authentication,
        metrics: Metrics,
    ) -> None:
        self._watches = watches
        self._authentication = authentication
        self._settings = settings
        self._controller = controller
        self._metrics = metrics
        self._pages = Pages()
        metrics.sample(self._sample)

    async def start(self) -> None:
        """Serve.

        Raises:
            OSError: a port is taken.
        """
        await self._pages.serve_probes(self._settings.health_port, {HEALTH: self._ill, READY: self._unready})
        if self._settings.metrics_port is not None:
            await self._pages.serve_metrics(self._settings.metrics_port, self._metrics.registry)

    async def stop(self) -> None:
        """Stop serving."""
        await self._pages.close()

    async def _ill(self) -> list[str]:
        """The problems that a restart of the operator would solve."""
        wrong = stuck(self._controller.stuck) + out_of_election(self._controller.election_failure)
        late = stalled(self._watches.ages(), self._settings.watch_silence)
        if late and await self._controller.api_answers():
            wrong += late
        return wrong

    async def _unready(self) -> list[str]:
        if self._authentication.is_rejected:
            # Otherwise nothing may ask again, and notice that they are accepted now.
            await self._controller.api_answers()
        return [
            *unready(has_started=self._controller.has_started, have_listed=self._watches.have_listed),
            *denied(self._watches.denied),
            *rejected(self._authentication.rejected_for, is_rejected=self._authentication.is_rejected),
            *without_lease(self._controller.unreached_lease),
            *degraded(has_unreadable_defaults=self._controller.has_unreadable_defaults),
        ]

    def _sample(self) -> Iterator[tuple[Observation, str]]:
        for resource, age in self._watches.ages().items():
            yield Observation(WATCH_PROGRESS, (resource,), time.time() - age), ""
