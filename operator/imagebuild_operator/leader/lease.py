"""The Lease that the replicas of a release share, as a value."""

from dataclasses import dataclass

from imagebuild_operator.api.body import Body


@dataclass(frozen=True, slots=True)
class Lease:
    """The Lease as the API server holds it.

    Attributes:
        version: Its resourceVersion.
        holder: The leader's identity; empty if there is none.
        duration: Seconds after which it expires unless it is renewed.
        acquired: When the leader acquired it, as written there.
        transitions: How often the leader has changed.
    """

    version: str
    holder: str = ""
    duration: float = 0.0
    acquired: str | None = None
    transitions: int = 0


def parse_lease(body: Body) -> Lease:
    """Read a Lease as the API server holds it."""
    spec = body.get("spec") or {}
    return Lease(
        version=body["metadata"]["resourceVersion"],
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or 0),
        acquired=spec.get("acquireTime"),
        transitions=int(spec.get("leaseTransitions") or 0),
    )
