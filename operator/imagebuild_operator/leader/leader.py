"""Takes part in the election of the one operator that acts, and says when it is this one and when no longer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import CLOCK_BOOTTIME, clock_gettime
from typing import Final

from imagebuild_operator.api.errors import ClusterError, ConflictError, NotFoundError
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.leader.election import Election, claim, lost, parse_lease, release, seen, won
from imagebuild_operator.settings import LeaseSettings

_logger: Final = logging.getLogger(__name__)


def now() -> float:
    """Seconds of a clock that never goes back and never stops, not even while the process or the machine is stopped."""
    return clock_gettime(CLOCK_BOOTTIME)


class Leadership:
    """One operator's part in the election."""

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
            identity: This operator's name, that no other has.
            begin: Called when this operator may act.
            end: Called when it may no longer.
        """
        self._cluster = cluster
        self._place = place
        self._election = Election(identity, place.seconds)
        self._begin = begin
        self._end = end
        self._has_begun = False
        self._task: asyncio.Task[None] | None = None
        self._complaint = ""

    @property
    def acts(self) -> bool:
        """Whether this operator may act at this very moment."""
        return self._election.acts(now())

    @property
    def failure(self) -> BaseException | None:
        """The unexpected exception that has ended the election; None while it goes on, and after a stop."""
        task = self._task
        return task.exception() if task is not None and task.done() and not task.cancelled() else None

    def start(self) -> None:
        """Begin to take part; needs a running event loop."""
        _logger.info("%s stands by for the lease %s", self._election.identity, self._place)
        self._task = asyncio.create_task(self._run(), name="election")
        self._task.add_done_callback(self._tell_failure)

    async def stop(self) -> None:
        """Stop to act, and let another one begin at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        is_holder = self.acts
        self._election = lost(self._election)
        await self._settle()
        if is_holder:
            try:
                async with asyncio.timeout(self._place.seconds):
                    await self._release()
            except (ClusterError, TimeoutError) as error:
                _logger.warning("the lease %s is not released, and runs out: %r", self._place, error)

    async def _run(self) -> None:
        while True:
            await self._settle()
            try:
                async with asyncio.timeout(self._patience()):
                    await self._look()
            except ConflictError:
                self._complain("")  # Another was quicker.
            except (ClusterError, TimeoutError) as error:
                self._complain(f"the lease {self._place} can't be read or renewed: {error!r}")
            else:
                self._complain("")
            await self._settle()
            await asyncio.sleep(self._election.wait(now()))

    async def _look(self) -> None:
        if self.acts:
            try:
                await self._claim()
            except (ConflictError, NotFoundError):
                pass  # It is not as it was left.
            else:
                return
        try:
            lease = parse_lease(await self._cluster.leases.get(self._place))
        except NotFoundError:
            lease = None
        self._election = seen(self._election, lease, now())
        # What has begun under a lease that is lost has to end before another is claimed.
        if not self._has_begun and self._election.may_claim(now()):
            await self._claim()

    async def _claim(self) -> None:
        asked, held = now(), self._election.lease
        spec = claim(self._election, datetime.now(UTC))
        if held is None:
            body = await self._cluster.leases.create(self._place, spec)
        else:
            body = await self._cluster.leases.patch(self._place, held.version, spec)
        self._election = won(self._election, parse_lease(body), asked)

    async def _release(self) -> None:
        # Read first: a renewal that was under way may have been taken.
        lease = parse_lease(await self._cluster.leases.get(self._place))
        if lease.holder == self._election.identity:
            spec = release(replace(self._election, lease=lease), datetime.now(UTC))
            await self._cluster.leases.patch(self._place, lease.version, spec)

    def _patience(self) -> float:
        """Seconds that the API server may take: never beyond the moment at which this operator has to stop."""
        moment, until = now(), self._election.until
        whole = self._place.seconds / 2
        return min(whole, until - moment) if until is not None and until > moment else whole

    async def _settle(self) -> None:
        """Begin or end to act, as the election has it."""
        acts = self.acts
        if acts and not self._has_begun:
            self._has_begun = True
            _logger.info("%s holds the lease %s, and acts", self._election.identity, self._place)
            self._begin()
        elif self._has_begun and not acts:
            self._has_begun = False
            _logger.warning("%s no longer holds the lease %s, and stands by", self._election.identity, self._place)
            await self._end()

    def _tell_failure(self, _: object) -> None:
        if self.failure is not None:
            _logger.critical("the election for the lease %s has ended", self._place, exc_info=self.failure)

    def _complain(self, problem: str) -> None:
        """Say once what is wrong, not with every look."""
        if problem and problem != self._complaint:
            _logger.warning("%s", problem)
        self._complaint = problem
