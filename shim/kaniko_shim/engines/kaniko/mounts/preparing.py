"""Prepares the mounts of one step."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kaniko_shim.dockerfile.mounts import Mount, MountType, parse_mount
from kaniko_shim.engines.kaniko.adapt.run.mounted import BINDS, MountedRun
from kaniko_shim.engines.kaniko.mounts.caches import open_cache
from kaniko_shim.engines.kaniko.mounts.links import LinkedTree
from kaniko_shim.engines.kaniko.mounts.placing import MountError, Places, remove

_SECRET_MODE = 0o400
# As runc, which gives the file system the mode of the directory that it hides, and makes a missing one with this.
_TMPFS_MODE = 0o755


@dataclass(frozen=True, slots=True)
class Sources:
    """What mounts are made of.

    Attributes:
        context: the build context.
        caches: the directories of caches.
        secrets: the values of build secrets, by id.
        stopped: whether the build has been stopped.
    """

    context: Path
    caches: Path
    secrets: Mapping[str, bytes] = field(repr=False)
    stopped: Callable[[], bool] = lambda: False


def prepare(
    run: MountedRun, environment: Sequence[bytes], directory: str, sources: Sources, places: Places
) -> list[bytes]:
    """Prepare all mounts of a step, the outer ones first.

    Args:
        run: the step.
        environment: its variables, `name=value`.
        directory: its working directory.
        sources: what mounts are made of.
        places: takes their places; the caller gives them back, also after an error.

    Returns:
        Variables to add to the environment.

    Raises:
        MountError: a mount cannot be prepared.
    """
    values = {
        os.fsdecode(name): os.fsdecode(value) for name, _, value in (each.partition(b"=") for each in environment)
    }
    try:
        mounts = [(parse_mount(text, values), number) for number, text in enumerate(run.mounts)]
    except ValueError as error:
        raise MountError(f"--mount: {error}") from error
    added = list[bytes]()
    waiting = list[tuple[str, int, Mount]]()
    for mount, number in mounts:
        if mount.type is MountType.SECRET:
            value = sources.secrets.get(mount.secret_id)
            if value is None:
                if mount.required:
                    raise MountError(f"the build has no secret {mount.secret_id!r}, which this RUN requires")
                continue
            if mount.env is not None:
                added.append(os.fsencode(mount.env) + b"=" + value)
        if place := mount.place(directory):
            waiting.append((place, number, mount))
    for place, number, mount in sorted(waiting, key=lambda each: each[0].count("/")):
        try:
            _put(mount, place, run.copied.get(number, ""), sources, places)
        except (OSError, shutil.Error) as error:
            raise MountError(f"the mount at {place} can't be prepared: {error}") from error
    # As in Docker, a mount may hide the working directory; it is made again, in the mount.
    with contextlib.suppress(OSError):
        Path(directory).mkdir(parents=True, exist_ok=True)
    places.settle()
    return added


def _put(mount: Mount, place: str, copied: str, sources: Sources, places: Places) -> None:
    match mount.type:
        case MountType.SECRET:
            _put_secret(mount, places.take(place), sources.secrets[mount.secret_id])
        case MountType.CACHE:
            _put_cache(mount, place, sources, places)
        case MountType.TMPFS:
            mode = _mode_of(place)
            real = places.take(place)
            real.mkdir()
            real.chmod(mode)
        case MountType.BIND if copied:
            if Path(copied).is_symlink():
                raise MountError(
                    f"the source of the mount at {place} is a symbolic link; write the path that it leads to"
                )
            # The executor has copied it there for this step alone.
            Path(copied).rename(places.take(place))
        case MountType.BIND:
            source = _in_context(sources.context, mount.source)
            if mount.writable:
                _copy(source, places.take(place))
            else:
                linked = LinkedTree(source, places.take(place))
                places.watch(linked.seal, linked.check)
        case MountType.SSH:
            raise MountError("there is no SSH agent for type=ssh")


def _mode_of(place: str) -> int:
    try:
        return stat.S_IMODE(Path(place).stat().st_mode)
    except OSError:
        return _TMPFS_MODE


def _put_secret(mount: Mount, path: Path, value: bytes) -> None:
    mode = _SECRET_MODE if mount.mode is None else mount.mode
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(value)
        os.fchown(descriptor, mount.uid or 0, mount.gid or 0)
        # After the owner: changing that would drop set-id bits.
        os.fchmod(descriptor, mode)


def _put_cache(mount: Mount, place: str, sources: Sources, places: Places) -> None:
    cache = open_cache(sources.caches, mount, sources.stopped)
    try:
        real = places.take(place)
    except MountError:
        cache.release()
        raise
    places.on_return(cache.release)
    try:
        cache.directory.rename(real)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # A volume: moving its files would mean copying them.
        real.symlink_to(cache.directory)
    else:
        places.on_return(lambda: _bring_back(real, cache.directory))


def _bring_back(real: Path, store: Path) -> None:
    if real.is_dir() and not real.is_symlink():
        real.rename(store)


def _in_context(context: Path, source: str) -> Path:
    root = context.resolve()
    path = (root / os.path.normpath("/" + source).lstrip("/")).resolve()
    if not path.is_relative_to(root):
        raise MountError(f"{source!r} leads out of the build context through a link")
    if not path.exists():
        raise MountError(f"the build context has no {source!r}")
    return path


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a directory, links as links; all of it belongs to root, as in a build context."""
    if stat.S_ISDIR(source.lstat().st_mode):
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)


def remove_copies(run: MountedRun) -> None:
    """Remove what the executor copied for a step."""
    for path in run.copied.values():
        remove(Path(path))
    if run.copied:
        with contextlib.suppress(OSError):
            # Not empty while a later step has something there.
            Path(BINDS).rmdir()
