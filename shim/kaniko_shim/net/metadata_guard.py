"""Refuses redirects to the metadata servers of clouds, which hand out a machine's credentials."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

# In addition to link-local addresses: Amazon's by IPv6, Alibaba's, and Azure's.
_OTHERS = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16"})


def refuse_metadata(url: str, origin: str, *, proxied: bool) -> None:
    """Refuse to be redirected from another host to a metadata server.

    A URL that names such an address itself is accepted: its author asked for it.

    Args:
        url: the target of the redirect.
        origin: the host of the original URL.
        proxied: whether a proxy resolves the host name, so that only IP addresses are checked here.

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
                f"The server of the context redirects to {host}, the address of a metadata server.",
                hint="If this is intended, set SOURCE_GET_URL to that URL itself.",
            )


def _addresses(host: str, flags: int) -> set[str]:
    try:
        return {str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None, flags=flags)}
    except (OSError, UnicodeError):
        # Connecting reports it.
        return set()
