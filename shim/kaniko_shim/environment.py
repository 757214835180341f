"""Removes secrets from the environment that other processes can read.

The kernel shows the environment that a process was started with in `/proc/<pid>/environ` for as long as it runs,
whatever the process does to its variables, and a RUN step can read it. So the process restarts itself with a bare
environment, and passes the original one in memory that only the second process can reach. The module uses only
built-in modules, since it runs before everything else.
"""

import os
import sys
from collections.abc import Mapping

MARKER = "KANIKO_SHIM_ENVIRONMENT_FD"

_KEPT = ("PATH", "HOME", "LANG", "SSL_CERT_DIR", "SSL_CERT_FILE")


def take() -> Mapping[str, str]:
    """The environment that the process was first started with.

    In the first process, this does not return: it starts the second one.
    """
    marker = os.environ.pop(MARKER, None)
    if marker is None:
        _restart()
    descriptor = int(marker or "-1")
    with os.fdopen(descriptor, "rb") as stream:
        stream.seek(0)
        content = stream.read()
    return decode(content)


def encode(environment: Mapping[bytes, bytes]) -> bytes:
    """NUL-separated `name=value`, in the kernel's format."""
    return b"\0".join(name + b"=" + value for name, value in environment.items())


def decode(content: bytes) -> dict[str, str]:
    """The reverse of `encode`; bytes that are not UTF-8 become surrogates."""
    pairs = (item.partition(b"=") for item in content.split(b"\0") if item)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def _restart() -> None:
    # Without MFD_CLOEXEC, so that the descriptor survives the exec.
    descriptor = os.memfd_create("environment", 0)
    content = encode(os.environb)
    while content:
        content = content[os.write(descriptor, content) :]
    bare = {name: os.environ[name] for name in _KEPT if name in os.environ}
    bare[MARKER] = str(descriptor)
    os.execve(sys.executable, sys.orig_argv, bare)  # noqa: S606 - the same program with the same arguments
