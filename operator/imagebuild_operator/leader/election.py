"""Which of several operators is the leader: the rules of a Kubernetes Lease, as client-go keeps them. Pure.

An operator trusts only its own clock. Another's Lease has expired when it has not changed for its duration since it was
first seen so; the operator's own expires earlier, counted from before the last renewal. A leader has therefore stopped
before the next one starts, as long as their clocks run equally fast.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from imagebuild_operator.api.time import format_micro_time
from imagebuild_operator.leader.lease import Lease

#: Fractions of the Lease's duration: between two renewals by the leader, between two reads by a standby, and after
#: which a leader that could not renew it stops.
RENEW: Final = 0.2
READ: Final = 0.1
GIVE_UP: Final = 0.7


@dataclass(frozen=True, slots=True)
class Election:
    """What one operator knows of the election. All times are seconds of its own clock, which never goes back.

    Attributes:
        identity: Its own identity, which is unique.
        duration: Seconds after which its own Lease expires.
        lease: The Lease as last read; None if there is none, or before the first read.
        changed: When it was first read as it is.
        until: Until when this operator is the leader; None if it is not.
    """

    identity: str
    duration: int
    lease: Lease | None = None
    changed: float = 0.0
    until: float | None = None

    def is_leader(self, now: float) -> bool:
        """Whether this operator is the leader."""
        return self.until is not None and now < self.until

    def may_claim(self, now: float) -> bool:
        """Whether it may acquire the Lease: nobody else holds it, or it has expired."""
        lease = self.lease
        return lease is None or lease.holder in {"", self.identity} or now >= self.changed + lease.duration

    def wait(self, now: float) -> float:
        """Seconds until the next read or renewal."""
        if self.is_leader(now):
            return self.duration * RENEW
        left = self.changed + self.lease.duration - now if self.lease else 0.0
        return min(self.duration * READ, left) if left > 0 else self.duration * READ


def after_read(election: Election, lease: Lease | None, now: float) -> Election:
    """The election after the Lease was read."""
    is_lost = lease is None or lease.holder != election.identity
    until = None if is_lost else election.until
    return replace(election, lease=lease, until=until, changed=election.changed if lease == election.lease else now)


def after_acquisition(election: Election, lease: Lease, asked: float) -> Election:
    """The election after this operator acquired or renewed the Lease.

    Args:
        election: What was known before.
        lease: The Lease as the API server answered it, with this operator as the holder.
        asked: When the request was sent.
    """
    return replace(election, lease=lease, changed=asked, until=asked + election.duration * GIVE_UP)


def after_resignation(election: Election) -> Election:
    """The election after this operator stopped being the leader."""
    return replace(election, until=None)


def claim(election: Election, moment: datetime) -> dict[str, Any]:
    """The Lease's spec with this operator as the holder."""
    lease, time = election.lease, format_micro_time(moment)
    is_mine = lease is not None and lease.holder == election.identity
    return {
        "holderIdentity": election.identity,
        "leaseDurationSeconds": election.duration,
        "acquireTime": (lease.acquired if lease and is_mine else None) or time,
        "renewTime": time,
        "leaseTransitions": 0 if lease is None else lease.transitions + (not is_mine),
    }


def release(election: Election, moment: datetime) -> dict[str, Any]:
    """The Lease's spec without a holder, so that no standby has to wait until it expires."""
    return {**claim(election, moment), "holderIdentity": "", "leaseDurationSeconds": 1}
