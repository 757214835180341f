"""Where a redirect must not lead: to the addresses at which a cloud tells a machine its secrets."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

# Besides those that are link-local: Amazon's by IPv6, Alibaba's, and Azure's.
_OTHERS = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16"})


def refuse_metadata(url: str, origin: str, *, proxied: bool) -> None:
    """Refuse to be led from one host to the addresses of metadata servers.

    A URL that names such an address itself is its author's own business.

    Args:
        url: where a redirect leads.
        origin: the host that was asked for.
        proxied: whether a proxy will look the name up, so that only addresses count here.

    Raises:
        JobError: SourceInvalid.
    """
    host = urlsplit(url).hostname or ""
    if host == origin:
        return
    for address in _addresses(host, socket.AI_NUMERICHOST if proxied else 0):
        if address in _OTHERS or ip_address(address).is_link_local:
            raise JobError(
                Reason.SOURCE_INVALID,
                f"The server of the context leads to {host}, an address for metadata of the machine.",
                hint="If that is meant, write the URL of the context itself.",
            )


def _addresses(host: str, flags: int) -> set[str]:
    try:
        return {str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None, flags=flags)}
    except (OSError, UnicodeError):
        # The connection will say so.
        return set()
