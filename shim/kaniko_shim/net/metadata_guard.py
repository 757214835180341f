"""Refuses redirects to the metadata servers of clouds, which hand out a machine's credentials."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

Pool = TypeVar("Pool", bound=HTTPConnectionPool)

# In addition to link-local addresses: Amazon's by IPv6, Alibaba's, and Azure's.
_OTHERS = frozenset(map(ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16")))
# Prefixes whose last 32 bits are an IPv4 address that a gateway translates to (RFC 6052, RFC 8215, RFC 2765).
_EMBEDDING = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")))


def is_metadata(address: str) -> bool:
    """Whether an IP address, in any form that leads there, is that of a metadata server."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found not in _OTHERS:
        if found.ipv4_mapped or found.sixtofour:
            found = found.ipv4_mapped or found.sixtofour or found
        elif any(found in network for network in _EMBEDDING):
            found = IPv4Address(int(found) & 0xFFFFFFFF)
    return found in _OTHERS or found.is_link_local


def refuse_metadata(url: str, origin: str) -> None:
    """Refuse to be redirected from another host to the address of a metadata server.

    A URL that names such an address itself is accepted: its author asked for it. A host name is checked when it is
    connected to, by `guarded_pools`.

    Args:
        url: the target of the redirect.
        origin: the host of the original URL.

    Raises:
        JobError: SourceInvalid.
    """
    host = urlsplit(url).hostname or ""
    try:
        refused = host != origin and is_metadata(host)
    except ValueError:
        return
    if refused:
        raise _refusal(host)


def guarded_pools(origin: str) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's pools, by scheme, with connections that are checked before anything is sent on them.

    A name is resolved once, for the connection itself; so no second answer of a DNS server can lead elsewhere.
    """
    return {"http": _guarded(HTTPConnectionPool, origin), "https": _guarded(HTTPSConnectionPool, origin)}


def _guarded(pool: type[Pool], origin: str) -> type[Pool]:
    base: Any = pool.ConnectionCls

    class Guarded(base):  # type: ignore[misc] # it is one of two classes
        def _new_conn(self) -> Any:  # noqa: ANN401 - a socket of urllib3's own type
            connection = super()._new_conn()
            if self.host.strip("[]") != origin and is_metadata(connection.getpeername()[0]):
                connection.close()
                raise _refusal(self.host)
            return connection

    Guarded.__name__ = base.__name__
    return type(pool.__name__, (pool,), {"ConnectionCls": Guarded})


def _refusal(host: str) -> JobError:
    return JobError(
        Reason.SOURCE_INVALID,
        f"The server redirects to {host}, the address of a metadata server.",
        hint="If this is intended, set SOURCE_GET_URL to that URL itself.",
    )
