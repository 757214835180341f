"""An OpenSSH server for the user who runs the tests, with keys of its own."""

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_port

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@dataclass(frozen=True)
class Sshd:
    """A running server.

    Attributes:
        address: where it listens.
        private_key: one that may log in.
        known_hosts: the server's key, as ssh-keyscan would print it.
    """

    address: str
    port: int
    user: str
    private_key: str
    known_hosts: str

    def url(self, path: Path) -> str:
        return f"ssh://{self.user}@{self.address}:{self.port}{path}"


def make_key(path: Path, *options: str) -> str:
    """A new private key; its public key is in the same folder."""
    subprocess.run(["ssh-keygen", "-q", "-N", "", *options, "-f", path], check=True)
    return path.read_text()


@contextmanager
def serve_ssh(directory: Path, kind: str = "ed25519", *options: str, address: str = "127.0.0.1") -> Iterator[Sshd]:
    """Run a server whose host key, and whose user's key, are of a kind."""
    assert SSHD is not None
    make_key(directory / "host", "-t", kind)
    private = make_key(directory / "user", "-t", kind, *options)
    port = free_port(address)
    config = directory / "sshd_config"
    config.write_text(
        f"ListenAddress {address}\nPort {port}\nHostKey {directory / 'host'}\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {directory / 'user.pub'}\nPermitRootLogin yes\nPasswordAuthentication no\n"
        "AcceptEnv GIT_PROTOCOL\n"
    )
    if getpass.getuser() == "root":
        Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", config], stderr=subprocess.DEVNULL)
    try:
        _wait(address, port, process)
        public = " ".join((directory / "host.pub").read_text().split()[:2])
        yield Sshd(address, port, getpass.getuser(), private, f"[{address}]:{port} {public}\n")
    finally:
        process.terminate()
        process.wait(10)


def _wait(address: str, port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection((address, port), timeout=1) as connection:
                assert connection.recv(4) == b"SSH-"
                return
        except OSError:
            assert process.poll() is None, "sshd ended"
            assert time.monotonic() < deadline, "sshd does not listen"
            time.sleep(0.02)
