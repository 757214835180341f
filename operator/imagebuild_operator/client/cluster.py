"""The cluster: a client for each kind of object, over one session with the API server."""

from dataclasses import dataclass

from imagebuild_operator.client.builds import BuildClient
from imagebuild_operator.client.defaults import DefaultsClient
from imagebuild_operator.client.events import EventClient
from imagebuild_operator.client.leases import LeaseClient
from imagebuild_operator.client.pods import PodClient
from imagebuild_operator.client.session import Session
from imagebuild_operator.client.tracked import TrackedClient
from imagebuild_operator.telemetry.prometheus import Metrics


@dataclass(frozen=True, slots=True)
class Cluster:
    """All requests that the operator makes. Each raises `ClusterError` or one of its kinds."""

    session: Session
    builds: BuildClient
    defaults: DefaultsClient
    pods: PodClient
    events: EventClient
    leases: LeaseClient
    tracked: TrackedClient

    @classmethod
    async def connect(cls, metrics: Metrics, selector: str = "") -> "Cluster":
        """Use the pod's ServiceAccount, or else the current context of KUBECONFIG.

        Args:
            metrics: Counts and times each request.
            selector: Label selector of this installation's ImageBuilds; empty for all.
        """
        session = await Session.open(metrics)
        return cls(
            session,
            BuildClient(session, selector),
            DefaultsClient(session),
            PodClient(session),
            EventClient(session),
            LeaseClient(session),
            TrackedClient(session),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self.session.close()
