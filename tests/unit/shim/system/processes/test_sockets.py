"""A scanner has no network, and can't get it back; its own files are all that is left."""

import subprocess
import sys

import pytest

PROGRAM = """
import socket, subprocess, sys
from kaniko_shim.system.processes.sockets import deny_network
deny_network()
socket.socketpair()
child = "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)"
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, socket.AF_VSOCK):
    try:
        socket.socket(family, socket.SOCK_RAW if family == socket.AF_NETLINK else socket.SOCK_STREAM)
    except PermissionError:
        continue
    sys.exit(f"a socket of the family {family!r}")
done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True)
assert done.returncode and "PermissionError" in done.stderr, done
print("no network")
"""


@pytest.mark.shows("A67")
def test_neither_it_nor_what_it_starts_has_a_network():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "no network\n"), done.stderr
