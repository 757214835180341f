"""A user and a mount namespace for the daemon, below those of the container.

BuildKit mounts file systems and starts containers, for which it needs all capabilities in a user namespace. The
container gives it none, but SETUID, SETGID and SETFCAP are enough to make a namespace inside of which root has all
(user_namespaces(7)). What runs there is, seen from the container and from the node, an unprivileged user.
"""

import ctypes
import errno
import os
import re
import signal
from collections.abc import Collection, Mapping
from pathlib import Path

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.isolation import Isolation
from kaniko_shim.system.container.mounts import has_mount_below

_NEW_USER, _NEW_MOUNT = 0x10000000, 0x00020000
_CAN_NOT = 71
# user_namespaces(7): the first and the number of the ids of the initial namespace.
_ALL = ("0", "0", "4294967295")
_MOST_IDS = 65536
_SECCOMP = re.compile(r"^Seccomp:\t2$", re.MULTILINE)
_SECCOMP_ADVICE = (
    "In a pod, leave the container's seccompProfile unset on nodes whose kubelet has no seccompDefault, or install a "
    "profile that allows unshare and mount; with docker run, add --security-opt seccomp=unconfined."
)
_USERS_ADVICE = (
    "Use a version of Kubernetes and of the container runtime with user namespaces, set "
    "builder.buildkit.userNamespaces of the chart to false, or use the engine Kaniko."
)
_PROCESSES_ADVICE = (
    "Use Kubernetes 1.33 or newer, set builder.buildkit.procMount of the chart to Default, or use the engine Kaniko."
)


def map_of(own: str) -> str:
    """The ids that the new namespace gets: all that this one has.

    Args:
        own: `/proc/self/uid_map`, or that of groups.
    """
    ranges = _ranges(own)
    if ranges == [_ALL]:
        # In two parts: BuildKit and runc believe of a map such as that of the host that they are not in a namespace.
        rest = int(_ALL[2]) - _MOST_IDS
        return f"0 0 {_MOST_IDS}\n{_MOST_IDS} {_MOST_IDS} {rest}\n"
    return "".join(f"{first} {first} {number}\n" for first, _, number in ranges)


def _ranges(ids: str) -> list[tuple[str, ...]]:
    return [tuple(line.split()) for line in ids.splitlines()]


def has_own_processes(mountinfo: str) -> bool:
    """Whether RUN steps can get process IDs of their own: proc can be mounted only where nothing covers parts of it.

    That is what `procMount: Unmasked` of a pod, or `--security-opt systempaths=unconfined` of docker, is for.

    Args:
        mountinfo: `/proc/self/mountinfo`.
    """
    return not any(has_mount_below(f"/proc/{name}", mountinfo) for name in ("sys", "kcore", "keys", "acpi", "bus"))


def missing_isolation(required: Collection[Isolation], own_ids: str, mountinfo: str) -> tuple[str, str] | None:
    """What of the required isolation the container lacks, and what to do about it; None if nothing.

    An API server or a kubelet that does not know a field of the pod leaves it out without a word.

    Args:
        required: what must be there.
        own_ids: `/proc/self/uid_map`.
        mountinfo: `/proc/self/mountinfo`.
    """
    if Isolation.USERS in required and _ranges(own_ids) == [_ALL]:
        return (
            "the pod has no user namespace of its own, although it asks for one (hostUsers: false)",
            _USERS_ADVICE,
        )
    if Isolation.PROCESSES in required and not has_own_processes(mountinfo):
        return (
            "parts of /proc are covered, although the pod asks for all of it (procMount: Unmasked)",
            _PROCESSES_ADVICE,
        )
    return None


def obstacle(number: int, status: str) -> tuple[str, str]:
    """Why the kernel makes no namespace, and what to do about it.

    Args:
        number: the error's.
        status: `/proc/self/status`.
    """
    name = errno.errorcode.get(number, str(number))
    if number == errno.ENOSPC:
        return (
            f"the node's limit of user namespaces is used up or 0 ({name})",
            "Raise the sysctl user.max_user_namespaces of the node.",
        )
    if number == errno.EPERM and _SECCOMP.search(status):
        return (
            f"the seccomp profile of the container forbids user namespaces ({name})",
            _SECCOMP_ADVICE,
        )
    return (
        f"the node forbids user namespaces ({name})",
        "Allow them: kernel.unprivileged_userns_clone=1, and on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0.",
    )


def start(argv: tuple[str, ...], environment: Mapping[str, str], log: Path) -> int:
    """Start a program in new namespaces, in which it has all capabilities.

    Args:
        argv: the program and its arguments.
        environment: its variables.
        log: the file for what it prints.

    Returns:
        Its process ID.

    Raises:
        JobError: EngineUnavailable; the kernel or the container allows no such namespaces.
    """
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        try:
            _become(argv, environment, log, ready[1], go)
        finally:
            os._exit(_CAN_NOT)
    os.close(ready[1])
    os.close(go[0])
    try:
        number = int(os.read(ready[0], 16) or b"-1")
        if number:
            status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
            raise unavailable(*obstacle(number, status))  # noqa: TRY301 - the child is ended below
        for kind in ("uid_map", "gid_map"):
            own = Path("/proc/self", kind).read_text(encoding="ascii")
            try:
                Path("/proc", str(child), kind).write_text(map_of(own), encoding="ascii")
            except OSError as error:
                raise unavailable(
                    f"the container lacks the capability SETUID, SETGID or SETFCAP ({error.strerror})",
                    "Add all three to securityContext.capabilities.add, or --cap-add of docker run, and let the build "
                    "run as root in its container.",
                ) from error
        os.write(go[1], b"1")
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(ready[0])
        os.close(go[1])
    return child


def unavailable(problem: str, hint: str) -> JobError:
    """The failure of a container in which BuildKit can't work."""
    return JobError(Reason.ENGINE_UNAVAILABLE, f"BuildKit can't run here: {problem}.", hint=hint)


def _become(argv: tuple[str, ...], environment: Mapping[str, str], log: Path, ready: int, go: tuple[int, int]) -> None:
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # Python ignores some of these, and a program that it becomes would inherit that.
    for each in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(each, signal.SIG_DFL)
    os.close(go[1])
    libc = ctypes.CDLL(None, use_errno=True)
    number = ctypes.get_errno() if libc.unshare(_NEW_USER | _NEW_MOUNT) else 0
    os.write(ready, b"%d" % number)
    if number or os.read(go[0], 1) != b"1":
        return
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open("/dev/null", os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.execve(argv[0], argv, environment)  # noqa: S606 - a program of the image
