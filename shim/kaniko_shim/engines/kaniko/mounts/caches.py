"""The directories of RUN --mount=type=cache, and their locks among builds that share a volume."""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.dockerfile.mounts import Mount
from kaniko_shim.engines.kaniko.mounts.placing import MountError

_PAUSE = 0.1
_MODE = 0o755
_PERMISSIONS = 0o777


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache that a step uses.

    Attributes:
        directory: where its files are.
        lock: the descriptor of its locked file; -1 for none.
    """

    directory: Path
    lock: int = -1

    def release(self) -> None:
        """Let other steps and builds have it."""
        if self.lock >= 0:
            os.close(self.lock)


def open_cache(root: Path, mount: Mount, stopped: Callable[[], bool]) -> Cache:
    """The directory of a cache, made with the mount's owner and mode if it is new.

    A private cache that another build uses is replaced by the next free one of the same id.

    Args:
        root: where the directories of all caches are; may be a volume.
        mount: the mount.
        stopped: whether the build has been stopped meanwhile.

    Raises:
        MountError: the directory cannot be made, or the build was stopped.
    """
    # As in BuildKit, a cache that is to belong to another user is another cache.
    identity = repr((mount.cache_id, mount.uid, mount.gid, mount.mode))
    name = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    if mount.sharing == "shared":
        return Cache(_make(root / name, mount))
    number = 0
    while True:
        each = f"{name}-{number}" if number else name
        lock = _lock(root / f"{each}.lock", wait=mount.sharing == "locked", stopped=stopped)
        if lock >= 0:
            return Cache(_make(root / each, mount), lock)
        number += 1


def _lock(path: Path, *, wait: bool, stopped: Callable[[], bool]) -> int:
    """A descriptor of the locked file; -1 if another build has locked it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise MountError(f"the cache can't be used: {path}: {error.strerror}") from error
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait and not stopped():
                time.sleep(_PAUSE)
                continue
            os.close(descriptor)
            if wait:
                raise MountError("the build was stopped while it waited for a locked cache") from None
            return -1
        except OSError:
            # A volume without locks.
            return descriptor
        return descriptor


def _make(directory: Path, mount: Mount) -> Path:
    try:
        directory.mkdir(parents=True)
        # BuildKit ignores the other bits.
        directory.chmod(_MODE if mount.mode is None else mount.mode & _PERMISSIONS)
        os.chown(directory, mount.uid or 0, mount.gid or 0)
    except FileExistsError:
        pass
    except OSError as error:
        raise MountError(f"the cache can't be made: {directory}: {error.strerror}") from error
    return directory
