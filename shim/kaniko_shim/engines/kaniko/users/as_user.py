"""The program that runs the command of a RUN as its USER, where an executor would give it other groups.

It starts as root, in the step's environment; it imports only what is built into the interpreter, and nothing is left of
it when the command runs.
"""

import _signal  # type: ignore[import-not-found] # the built-in part of signal, which alone takes no time
import os
import sys

from kaniko_shim.engines.kaniko.users.accounts import UnknownUserError, home_of, identity

KEEP_HOME = "keep"
"""The image sets HOME itself."""

_PYTHONS_OWN = (_signal.SIGPIPE, _signal.SIGXFSZ)
_PASSWD, _GROUP = "/etc/passwd", "/etc/group"
_DEFAULT_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FAILED, _NOT_FOUND, _NOT_EXECUTABLE = 125, 127, 126


def main() -> None:
    """Run the command: the arguments are the user, what to do with HOME, and the command."""
    user, home, *command = sys.argv[1:]
    passwd = _read(_PASSWD)
    try:
        uid, gid, groups = identity(user, passwd, _read(_GROUP))
    except UnknownUserError as error:
        _stop(f"USER {user}: {error}", _FAILED)
    variables = [each for each in _own_environment().split(b"\0") if each]
    if home != KEEP_HOME:
        variables = [each for each in variables if not each.startswith(b"HOME=")]
        variables.append(b"HOME=" + os.fsencode(home_of(uid, passwd)))
    environment = dict(each.split(b"=", 1) for each in variables if b"=" in each)
    os.setgroups(groups)
    os.setgid(gid)
    os.setuid(uid)
    for number in _PYTHONS_OWN:
        _signal.signal(number, _signal.SIG_DFL)
    _become([os.fsencode(each) for each in command], environment)


def _become(command: list[bytes], environment: dict[bytes, bytes]) -> None:
    program = command[0]
    places = [program]
    if b"/" not in program:
        path = environment.get(b"PATH", _DEFAULT_PATH)
        places = [directory + b"/" + program for directory in path.split(b":") if directory]
    found = _NOT_FOUND
    for place in places:
        try:
            os.execve(place, command, environment)  # noqa: S606 - the command of the Dockerfile
        except PermissionError:
            found = _NOT_EXECUTABLE
        except OSError:
            continue
    reason = "is not executable" if found == _NOT_EXECUTABLE else "not found"
    _stop(f"{os.fsdecode(program)}: {reason}", found)


def _read(path: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:  # noqa: PTH123 - no more imports
            return file.read()
    except OSError:
        return ""


def _own_environment() -> bytes:
    # The interpreter may have added variables for the locale to os.environ.
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - no more imports
        return file.read()


def _stop(problem: str, status: int) -> None:
    os.write(2, f"kaniko-shim: {problem}\n".encode())
    os._exit(status)
