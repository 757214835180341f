"""No redirect leads to a metadata server, however its address is written and whatever a name resolves to."""

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from kaniko_shim.net import metadata_guard
from kaniko_shim.outcome.errors import JobError

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool


@pytest.mark.shows("A6")
@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ],
)
def test_every_form_of_its_address_is_known(address: str):
    assert metadata_guard.is_metadata(address)


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "::1", "2001:db8::1", "64:ff9b::10.0.0.1"])
def test_others_are_not_meant(address: str):
    assert not metadata_guard.is_metadata(address)


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://[::ffff:169.254.169.254]/latest"])
def test_a_redirect_to_it_is_refused(url: str):
    with pytest.raises(JobError, match="the address of a metadata server"):
        metadata_guard.refuse_metadata(url, "git.example.com")


def test_a_url_that_names_it_is_taken():
    metadata_guard.refuse_metadata("http://169.254.169.254/latest", "169.254.169.254")


@pytest.mark.shows("A6")
@pytest.mark.parametrize(("origin", "refused"), [("git.example.com", True), ("localhost", False)])
def test_a_name_is_checked_where_it_leads(monkeypatch: pytest.MonkeyPatch, origin: str, refused: bool):  # noqa: FBT001
    """A name that resolves to it is refused before a byte is sent. Loopback takes the part of its address here."""
    monkeypatch.setattr(metadata_guard, "_OTHERS", frozenset({ip_address("127.0.0.1")}))
    with socket.create_server(("127.0.0.1", 0)) as server:
        pool: HTTPConnectionPool = metadata_guard.guarded_pools(origin)["http"]("localhost", server.getsockname()[1])
        connection = pool._get_conn()  # noqa: SLF001 - what a request begins with
        if refused:
            with pytest.raises(JobError, match="redirects to localhost"):
                connection.connect()
        else:
            connection.connect()
            connection.close()
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(1) == b""
