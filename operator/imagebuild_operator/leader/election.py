"""Which of several operators acts: the rules of a Kubernetes Lease, as client-go keeps them. Pure.

No other machine's clock is believed. A lease that another holds has run out when it has not changed for its duration,
by one's own clock, since it was first seen so; one's own has run out earlier, counted from before it was last renewed.
So whoever acts has stopped before another begins, as long as their clocks run equally fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from imagebuild_operator.api.time import format_micro_time

#: Parts of the lease's duration: between two renewals, between two looks of those who wait, and until one that could
#: not renew it stops to act.
RENEW: Final = 0.2
LOOK: Final = 0.1
GIVE_UP: Final = 0.7


@dataclass(frozen=True, slots=True)
class Lease:
    """The Lease as the API server holds it.

    Attributes:
        version: Its resourceVersion.
        holder: Who acts; empty where nobody does.
        duration: Seconds for which it holds without being renewed.
        acquired: When the holder got it, as written there.
        transitions: How often it has changed hands.
    """

    version: str
    holder: str = ""
    duration: float = 0.0
    acquired: str | None = None
    transitions: int = 0


@dataclass(frozen=True, slots=True)
class Election:
    """What one operator knows of the election. All times are seconds of its own clock, which never goes back.

    Attributes:
        identity: Its own name, that no other has.
        duration: Seconds for which a lease of its own holds.
        lease: The Lease as last seen; None where there is none, or before the first look.
        changed: When that was first seen so.
        until: Until when it may act; None where it may not.
    """

    identity: str
    duration: int
    lease: Lease | None = None
    changed: float = 0.0
    until: float | None = None

    def acts(self, now: float) -> bool:
        """Whether it may act."""
        return self.until is not None and now < self.until

    def may_claim(self, now: float) -> bool:
        """Whether it may write itself into the Lease: nobody holds it, or it itself does, or it has run out."""
        lease = self.lease
        return lease is None or lease.holder in {"", self.identity} or now >= self.changed + lease.duration

    def wait(self, now: float) -> float:
        """Seconds until there is something to do."""
        if self.acts(now):
            return self.duration * RENEW
        left = self.changed + self.lease.duration - now if self.lease else 0.0
        return min(self.duration * LOOK, left) if left > 0 else self.duration * LOOK


def seen(election: Election, lease: Lease | None, now: float) -> Election:
    """Take note of the Lease as the API server holds it."""
    is_lost = lease is None or lease.holder != election.identity
    until = None if is_lost else election.until
    return replace(election, lease=lease, until=until, changed=election.changed if lease == election.lease else now)


def won(election: Election, lease: Lease, asked: float) -> Election:
    """Take note of the Lease as the API server took it.

    Args:
        election: What was known before.
        lease: The Lease, with oneself as its holder.
        asked: When the request for it was made.
    """
    return replace(election, lease=lease, changed=asked, until=asked + election.duration * GIVE_UP)


def lost(election: Election) -> Election:
    """Take note that it may no longer act."""
    return replace(election, until=None)


def claim(election: Election, moment: datetime) -> dict[str, Any]:
    """The Lease's spec with oneself as its holder."""
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
    """The Lease's spec without a holder, so that nobody has to wait until it has run out."""
    return {**claim(election, moment), "holderIdentity": "", "leaseDurationSeconds": 1}


def parse_lease(body: Mapping[str, Any]) -> Lease:
    """Read a Lease as the API server holds it."""
    spec = body.get("spec") or {}
    return Lease(
        version=body["metadata"]["resourceVersion"],
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or 0),
        acquired=spec.get("acquireTime"),
        transitions=int(spec.get("leaseTransitions") or 0),
    )
