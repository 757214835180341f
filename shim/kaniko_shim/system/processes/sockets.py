"""Takes the network from this process and all that it starts, without any privilege.

A filter of system calls (seccomp) refuses sockets other than local ones. No program can take it away.
"""

import ctypes
import platform
import struct
from itertools import starmap
from typing import Final

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | 1
"""The last: an error, EPERM."""
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
"""Offsets in struct seccomp_data (linux/seccomp.h)."""
_AF_UNIX: Final = 1
_X32: Final = 0x40000000
"""Bit of the system calls of x86-64 with 32-bit pointers."""
_IO_URING_SETUP: Final = 425
_MACHINES: Final = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""AUDIT_ARCH_* and the number of socket(2) of each machine that the builder image is made for."""


def deny_network() -> None:
    """Refuse every socket but local ones from now on.

    Raises:
        OSError: the kernel does not take the filter, or the machine is another one.
    """
    architecture, socket = _MACHINES.get(platform.machine(), (0, 0))
    if not architecture:
        raise OSError(f"system calls of {platform.machine()} are not known")
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        # Each of these jumps to the refusal; io_uring makes sockets without socket(2).
        (_AT_LEAST, 5, 0, _X32),
        (_EQUAL, 4, 0, _IO_URING_SETUP),
        (_EQUAL, 1, 0, socket),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = b"".join(starmap(struct.Struct("HBBI").pack, program))
    buffer = ctypes.create_string_buffer(code)
    filters = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _MODE_FILTER, filters, 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not take a filter of system calls")
