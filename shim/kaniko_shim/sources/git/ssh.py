"""Git's SSH transport, without an ssh program, which the image lacks, as it lacks an account to run it."""

import io
import logging
import socket
from collections.abc import Callable
from typing import IO, Protocol

import paramiko
from dulwich.client import SSHGitClient
from dulwich.errors import GitProtocolError
from dulwich.protocol import Protocol as GitProtocol

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.git.known_hosts import fingerprint, keys_of, revoked_keys
from kaniko_shim.sources.git.ssh_access import SshAccess

_TIMEOUT = 60
_CONNECT_TIMEOUT = 20
# The signatures accepted from a server's RSA key; the type ssh-rsa itself means the broken SHA-1.
_RSA = ("rsa-sha2-512", "rsa-sha2-256")

# It logs every failure that it raises.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class SshClient(SSHGitClient):
    """dulwich's client, with a way to close the connections that it leaves open after a failure."""

    def __init__(self, host: str, port: int, username: str, access: SshAccess, say: Callable[[str], None]) -> None:
        # Not derived from dulwich's own vendor, which returns processes.
        super().__init__(host, port, username, vendor=Vendor(access, say))  # type: ignore[arg-type]
        self._opened = list[GitProtocol]()

    def _connect(
        self, cmd: bytes, path: str | bytes, protocol_version: int | None = None
    ) -> tuple[GitProtocol, Callable[[], bool], IO[bytes] | None]:
        made = super()._connect(cmd, path, protocol_version)
        self._opened.append(made[0])
        return made

    def close(self) -> None:
        """Close all connections."""
        for protocol in self._opened:
            protocol.close()


class Vendor:
    """Runs dulwich's commands on a server."""

    def __init__(self, access: SshAccess, say: Callable[[str], None]) -> None:
        self._access = access
        self._say = say

    def run_command(
        self,
        host: str,
        command: bytes,
        username: str | None = None,
        port: int | None = None,
        *,
        protocol_version: int | None = None,
        **_: object,
    ) -> "Connection":
        """Connect and start a command.

        Raises:
            JobError: the server's key or the user's credentials were refused.
            GitProtocolError: the connection failed.
            OSError: the same.
        """
        connection = socket.create_connection((host, port or 22), _CONNECT_TIMEOUT)
        transport = paramiko.Transport(connection)
        try:
            self._greet(transport, host, port or 22)
            self._log_in(transport, host, username or "git")
            channel = transport.open_session(timeout=_TIMEOUT)
            channel.settimeout(_TIMEOUT)
            if protocol_version is not None:
                channel.set_environment_variable("GIT_PROTOCOL", f"version={protocol_version}")
            channel.exec_command(command)
        except paramiko.SSHException as error:
            _hang_up(transport, connection)
            raise GitProtocolError(f"SSH: {error}") from error
        except BaseException:
            _hang_up(transport, connection)
            raise
        return Connection(connection, transport, channel)

    def _greet(self, transport: paramiko.Transport, host: str, port: int) -> None:
        known = keys_of(self._access.known_hosts, host, port)
        if known:
            # Request a key of a type that is known.
            wanted = [name for kind in known.values() for name in (_RSA if kind == "ssh-rsa" else (kind,))]
            options = transport.get_security_options()
            options.key_types = [name for name in options.key_types if name in wanted] or options.key_types
        elif not self._access.any_host:
            raise _unknown_host(host, port)
        try:
            transport.start_client(timeout=_TIMEOUT)
        except paramiko.ssh_exception.IncompatiblePeer as error:
            raise JobError(
                Reason.SOURCE_UNAUTHORIZED,
                f"The SSH server {host} offers no key of a type in SOURCE_SSH_KNOWN_HOSTS, or no algorithm in common.",
                hint=f"SSH reports: {error}. Add all keys of the server.",
            ) from error
        key = transport.get_remote_server_key().asbytes()
        if key in revoked_keys(self._access.known_hosts, host, port):
            raise JobError(
                Reason.SOURCE_UNAUTHORIZED,
                f"The SSH server {host} has the key {fingerprint(key)}, which SOURCE_SSH_KNOWN_HOSTS revokes.",
                hint="Do not trust this server before its operator has replaced the key.",
            )
        if known and key not in known:
            raise JobError(
                Reason.SOURCE_UNAUTHORIZED,
                f"The SSH server {host} has the key {fingerprint(key)}, which is not in SOURCE_SSH_KNOWN_HOSTS.",
                hint="Ask the server's operator whether its key was changed; if so, add the new one.",
            )
        if not known:
            self._say(f"the SSH server {host} has the key {fingerprint(key)}, which was not checked")

    def _log_in(self, transport: paramiko.Transport, host: str, username: str) -> None:
        access = self._access
        try:
            if access.private_key:
                transport.auth_publickey(username, load_key(access.private_key, access.password))
            elif access.password:
                transport.auth_password(username, access.password)
            else:
                transport.auth_none(username)
        except paramiko.AuthenticationException as error:
            given = "the key in SOURCE_SSH_PRIVATE_KEY" if access.private_key else "the password in SOURCE_PASSWORD"
            if not (access.private_key or access.password):
                given = "a login without credentials"
            raise JobError(
                Reason.SOURCE_UNAUTHORIZED,
                f"The SSH server {host} refused {given} for the user {username!r}.",
                hint="Set SOURCE_SSH_PRIVATE_KEY to a key that can read the repository, such as a deploy key.",
            ) from error


class _Key(Protocol):
    def __call__(self, file_obj: io.StringIO, password: str | None = None) -> paramiko.PKey: ...


def load_key(text: str, password: str) -> paramiko.PKey:
    """Read a private key of any type.

    Raises:
        JobError: InvalidSpec.
    """
    kinds: tuple[_Key, ...] = (
        paramiko.Ed25519Key.from_private_key,
        paramiko.ECDSAKey.from_private_key,
        paramiko.RSAKey.from_private_key,
    )
    for load in kinds:
        try:
            return load(io.StringIO(text), password or None)
        except paramiko.PasswordRequiredException as error:
            raise JobError(
                Reason.INVALID_SPEC,
                "SOURCE_SSH_PRIVATE_KEY: the key has a passphrase.",
                hint="Set SOURCE_PASSWORD to the passphrase, or use a key without one.",
            ) from error
        except (paramiko.SSHException, ValueError, TypeError, IndexError):
            continue
    raise JobError(
        Reason.INVALID_SPEC,
        "SOURCE_SSH_PRIVATE_KEY: this is no Ed25519, ECDSA or RSA key that can be read"
        + (", or SOURCE_PASSWORD is not its passphrase." if password else "."),
    )


class Connection:
    """A running command on the server, which dulwich reads from and writes to."""

    def __init__(self, connection: socket.socket, transport: paramiko.Transport, channel: paramiko.Channel) -> None:
        self._connection = connection
        self._transport = transport
        self._channel = channel
        self._output = io.BufferedReader(_Output(channel), 256 * 1024)
        self.stderr = channel.makefile_stderr("rb")

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; fewer only at the end."""
        return self._output.read(size)

    def write(self, data: bytes) -> int:
        """Send all bytes."""
        self._channel.sendall(data)
        return len(data)

    def can_read(self) -> bool:
        """Whether bytes have arrived."""
        return self._channel.recv_ready()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()
        _hang_up(self._transport, self._connection)


def _hang_up(transport: paramiko.Transport, connection: socket.socket) -> None:
    transport.close()
    # The transport leaves the socket open after its thread has failed.
    connection.close()


class _Output(io.RawIOBase):
    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override] # what BufferedReader gives it
        content = self._channel.recv(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def _unknown_host(host: str, port: int) -> JobError:
    scan = f"ssh-keyscan {host}" if port == 22 else f"ssh-keyscan -p {port} {host}"  # noqa: PLR2004 - SSH's port
    return JobError(
        Reason.SOURCE_UNAUTHORIZED,
        f"SOURCE_SSH_KNOWN_HOSTS has no key of the SSH server {host}.",
        hint=f"Add the output of `{scan}` after comparing it with the keys that the server's operator publishes.",
    )
