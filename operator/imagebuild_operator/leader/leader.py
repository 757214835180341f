"""Takes part in the election of the leader, and starts and stops the leader's work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import CLOCK_BOOTTIME, clock_gettime
from typing import Final

from imagebuild_operator.api.errors import ClusterError, ConflictError, NotFoundError
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.leader.election import (
    Election,
    after_acquisition,
    after_read,
    after_resignation,
    claim,
    release,
)
from imagebuild_operator.leader.lease import parse_lease
from imagebuild_operator.settings import LeaseSettings

_logger: Final = logging.getLogger(__name__)


def now() -> float:
    """Seconds of a clock that never goes back and never stops, not even while the process or the machine sleeps."""
    return clock_gettime(CLOCK_BOOTTIME)


class Leadership:
    """This operator's part in the election."""

    def __init__(
        self,
        cluster: Cluster,
        place: LeaseSettings,
        identity: str,
        begin: Callable[[], None],
        end: Callable[[], Awaitable[None]],
    ) -> None:
        """Take part.

        Args:
            cluster: The API server.
            place: The Lease.
            identity: This operator's identity, which is unique.
            begin: Called when this operator becomes the leader.
            end: Called when it no longer is.
        """
        self._cluster = cluster
        self._place = place
        self._election = Election(identity, place.seconds)
        self._begin = begin
        self._end = end
        self._has_begun = False
        self._task: asyncio.Task[None] | None = None
        self._problem = ""
        self._reached = now()

    @property
    def unreached(self) -> float:
        """Seconds by which the Lease could not be read or renewed for longer than it lasts; 0 if it could."""
        late = now() - self._reached - self._place.seconds
        return late if self._task is not None and late > 0 else 0.0

    @property
    def is_leader(self) -> bool:
        """Whether this operator is the leader at this very moment."""
        return self._election.is_leader(now())

    @property
    def failure(self) -> BaseException | None:
        """The unexpected exception that ended the election; None while it goes on, and after a stop."""
        task = self._task
        return task.exception() if task is not None and task.done() and not task.cancelled() else None

    def start(self) -> None:
        """Start to take part; needs a running event loop."""
        _logger.info("%s is a standby for Lease %s", self._election.identity, self._place)
        self._task = asyncio.create_task(self._run(), name="election")
        self._task.add_done_callback(self._log_failure)

    async def stop(self) -> None:
        """Stop, and let a standby take over at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        is_holder = self.is_leader
        self._election = after_resignation(self._election)
        await self._start_or_stop()
        if is_holder:
            try:
                async with asyncio.timeout(self._place.seconds):
                    await self._release()
            except (ClusterError, TimeoutError) as error:
                _logger.warning("Releasing Lease %s failed; it will expire: %r", self._place, error)

    async def _run(self) -> None:
        while True:
            await self._start_or_stop()
            try:
                async with asyncio.timeout(self._timeout()):
                    await self._read_or_renew()
            except ConflictError:
                self._reached = now()
                self._log_problem("")  # Another was quicker.
            except (ClusterError, TimeoutError) as error:
                self._log_problem(f"Reading or renewing Lease {self._place} failed: {error!r}")
            else:
                self._reached = now()
                self._log_problem("")
            await self._start_or_stop()
            await asyncio.sleep(self._election.wait(now()))

    async def _read_or_renew(self) -> None:
        if self.is_leader:
            try:
                await self._claim()
            except (ConflictError, NotFoundError):
                pass  # Somebody else has changed it.
            else:
                return
        try:
            lease = parse_lease(await self._cluster.leases.get(self._place))
        except NotFoundError:
            lease = None
        self._election = after_read(self._election, lease, now())
        # The work under a Lease that was lost has to stop before another is acquired.
        if not self._has_begun and self._election.may_claim(now()):
            await self._claim()

    async def _claim(self) -> None:
        asked, held = now(), self._election.lease
        spec = claim(self._election, datetime.now(UTC))
        if held is None:
            body = await self._cluster.leases.create(self._place, spec)
        else:
            body = await self._cluster.leases.patch(self._place, held.version, spec)
        self._election = after_acquisition(self._election, parse_lease(body), asked)

    async def _release(self) -> None:
        # Read first: a renewal that was under way may have been taken.
        lease = parse_lease(await self._cluster.leases.get(self._place))
        if lease.holder == self._election.identity:
            spec = release(replace(self._election, lease=lease), datetime.now(UTC))
            await self._cluster.leases.patch(self._place, lease.version, spec)

    def _timeout(self) -> float:
        """Seconds that the API server may take: never beyond the moment at which this leader has to stop."""
        moment, until = now(), self._election.until
        whole = self._place.seconds / 2
        return min(whole, until - moment) if until is not None and until > moment else whole

    async def _start_or_stop(self) -> None:
        """Start or stop the leader's work, as the election has it."""
        is_leader = self.is_leader
        if is_leader and not self._has_begun:
            self._has_begun = True
            _logger.info("%s holds Lease %s and is now the leader", self._election.identity, self._place)
            self._begin()
        elif self._has_begun and not is_leader:
            self._has_begun = False
            _logger.warning("%s no longer holds Lease %s and is now a standby", self._election.identity, self._place)
            await self._end()

    def _log_failure(self, _: object) -> None:
        if self.failure is not None:
            _logger.critical(
                "The election for Lease %s ended unexpectedly; the liveness probe fails from now on",
                self._place,
                exc_info=self.failure,
            )

    def _log_problem(self, problem: str) -> None:
        """Log a problem once, not with every read."""
        if problem and problem != self._problem:
            _logger.warning("%s", problem)
        self._problem = problem
