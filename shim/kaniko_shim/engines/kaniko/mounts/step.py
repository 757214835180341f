"""The program that a RUN with mounts starts: it asks the shim for the mounts, and runs the user's command with them.

It runs as the step's USER, in the step's environment, and starts in every such RUN; so it imports only what is built
into the interpreter.
"""

import _signal  # type: ignore[import-not-found] # the built-in part of signal, which alone takes no time
import _socket
import os
import sys

from kaniko_shim.engines.kaniko.mounts import protocol

_IGNORED = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGQUIT)
# The interpreter ignores these two, and the command would inherit that.
_PYTHONS_OWN = (_signal.SIGPIPE, _signal.SIGXFSZ)
_DEFAULT_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


def main() -> None:
    """Run the command; exits as it does."""
    key, *command = [os.fsencode(argument) for argument in sys.argv[1:]]
    variables = [each for each in _own_environment().split(b"\0") if each]
    directory = os.getcwdb()  # noqa: PTH109 - no more imports
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(protocol.SOCKET)
        answer, *added = _ask(connection, protocol.BEGIN, key, directory, *variables)
    except OSError as error:
        _stop(f"the builder does not answer: {error.strerror}".encode())
    if answer != protocol.GRANTED:
        _stop(b"".join(added))
    status = _run(command, variables + added, directory)
    try:
        answer, *rest = _ask(connection, protocol.END)
    except OSError as error:
        _stop(f"the builder does not answer: {error.strerror}".encode())
    if answer != protocol.GRANTED:
        _stop(b"".join(rest))
    _exit_like(status)


def _own_environment() -> bytes:
    # The interpreter may have added variables for the locale to os.environ.
    descriptor = os.open("/proc/self/environ", os.O_RDONLY | os.O_CLOEXEC)
    parts = list[bytes]()
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    os.close(descriptor)
    return b"".join(parts)


def _ask(connection: _socket.socket, *sent: bytes) -> list[bytes]:
    connection.sendall(protocol.frame(*sent))
    size = protocol.length(_receive(connection, protocol.HEAD))
    return protocol.fields(_receive(connection, size))


def _receive(connection: _socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionError(0, "it has closed the connection")
        received += part
    return received


def _run(command: list[bytes], variables: list[bytes], directory: bytes) -> int:
    """Run the command; returns its wait status."""
    for number in _IGNORED:
        _signal.signal(number, _signal.SIG_IGN)
    pid = os.fork()
    if not pid:
        _become(command, variables, directory)
    return os.waitpid(pid, 0)[1]


def _become(command: list[bytes], variables: list[bytes], directory: bytes) -> None:
    for number in (*_IGNORED, *_PYTHONS_OWN):
        _signal.signal(number, _signal.SIG_DFL)
    environment = {name: value for name, equals, value in (each.partition(b"=") for each in variables) if equals}
    problem, code = b"not found", _NOT_FOUND
    try:
        # The mounts may have put another directory in the place of the one that the step began in.
        os.chdir(directory)
        for program in _candidates(command[0], environment.get(b"PATH", _DEFAULT_PATH)):
            try:
                os.execve(program, command, environment)  # noqa: S606 - the user's command
            except (FileNotFoundError, NotADirectoryError):
                continue
            except PermissionError as error:
                problem, code = (error.strerror or "").encode(), _NOT_EXECUTABLE
    except OSError as error:
        problem, code = (error.strerror or "").encode(), _NOT_EXECUTABLE
    os.write(2, command[0] + b": " + problem + b"\n")
    os._exit(code)


def _candidates(name: bytes, path: bytes) -> list[bytes]:
    return [name] if b"/" in name else [(part or b".") + b"/" + name for part in path.split(b":")]


def _exit_like(status: int) -> None:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number not in {_signal.SIGKILL, _signal.SIGSTOP}:
            _signal.signal(number, _signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def _stop(text: bytes) -> None:
    os.write(2, b"kaniko-shim: " + text + b"\n")
    os._exit(protocol.REFUSED_CODE)
