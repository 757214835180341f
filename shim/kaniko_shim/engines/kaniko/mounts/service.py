"""Serves the steps with mounts: prepares the mounts that one asks for, and takes them away when it has ended."""

import os
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from kaniko_shim.engines.kaniko.adapt.run.mounted import PROGRAM, MountedRun
from kaniko_shim.engines.kaniko.mounts import protocol
from kaniko_shim.engines.kaniko.mounts.integrity import Fingerprint
from kaniko_shim.engines.kaniko.mounts.peer import Peer, is_step, peer_of
from kaniko_shim.engines.kaniko.mounts.placing import MountError, Places
from kaniko_shim.engines.kaniko.mounts.preparing import Sources, prepare, remove_copies
from kaniko_shim.engines.kaniko.users.accounts import UnknownUserError, identity
from kaniko_shim.system.processes.leftovers import LeftoverError, end_others

TINI = "/kaniko/tini"

_PATIENCE = 10.0
"""Seconds that a step has to say what it wants, and that the executor's log has to come to the step."""

_PAUSE = 0.01
_PASSWD, _GROUP = Path("/etc/passwd"), Path("/etc/group")


class MountService:
    """Answers steps one after the other, in a thread, as long as the executor runs."""

    def __init__(
        self,
        runs: Sequence[MountedRun],
        sources: Sources,
        place: Path,
        program_files: Path,
        at: Callable[[], str],
    ) -> None:
        """Prepare the service.

        Args:
            runs: the RUNs with mounts.
            sources: what their mounts are made of.
            place: the directory of the socket.
            program_files: the directory of the shim's own files, which a RUN must not have changed.
            at: the instruction that the executor is at, by its log; empty if the log does not tell.
        """
        self._executor = 0
        self._runs = defaultdict[tuple[str, ...], list[MountedRun]](list)
        for run in runs:
            self._runs[run.key, *run.words].append(run)
        self._sources = replace(sources, stopped=lambda: self._stopping)
        self._place = place
        self._program_files = program_files
        self._at = at
        self._stopping = False
        self._connection: socket.socket | None = None

    def __enter__(self) -> Self:
        """Listen, if there is any RUN with mounts."""
        if not self._runs:
            return self
        self._place.mkdir(exist_ok=True)
        self._place.chmod(0o755)
        (self._place / "spare").mkdir(mode=0o700, exist_ok=True)
        self._fingerprint = Fingerprint(self._program_files)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = self._place / "socket"
        path.unlink(missing_ok=True)
        self._listener.bind(str(path))
        # Steps of every user come here; who they are is checked.
        path.chmod(0o666)
        self._listener.listen()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take away what is left."""
        if not self._runs:
            return
        self._stopping = True
        for each in (self._listener, self._connection):
            with suppress(OSError):
                if each:
                    each.shutdown(socket.SHUT_RDWR)
        self._thread.join(_PATIENCE)
        self._listener.close()

    def started(self, executor: int) -> None:
        """The executor runs, as the process with this ID."""
        self._executor = executor

    def _serve(self) -> None:
        while not self._stopping:
            try:
                self._connection, _ = self._listener.accept()
            except OSError:
                return
            with self._connection as connection, suppress(OSError, ValueError):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE)
        peer = peer_of(connection)
        request = protocol.fields(_receive(connection))
        key = os.fsdecode(request[1]) if len(request) > 1 else ""
        words = (key, *(peer.words[peer.words.index(PROGRAM) + 2 :] if PROGRAM in peer.words else ()))
        run = self._granted(peer, words)
        if len(request) < 3 or run is None:  # noqa: PLR2004 - what it wants, a key, a directory
            _refuse(connection, "only the RUN that names these mounts can have them")
            return
        if run_uses_secrets(run) and not self._fingerprint.holds():
            _refuse(connection, "a RUN step has changed the builder's own files, so no build secret is given out")
            return
        self._runs[words].remove(run)
        kept = (peer.pid, self._executor)
        try:
            end_others(kept)
        except LeftoverError as error:
            _refuse(connection, str(error))
            return
        places = Places(self._place / "spare")
        connection.settimeout(None)
        try:
            added = prepare(run, request[3:], os.fsdecode(request[2]), self._sources, places)
            connection.sendall(protocol.frame(protocol.GRANTED, *added))
            with suppress(OSError):
                _receive(connection)
            problem = ""
        except MountError as error:
            problem = str(error)
        try:
            end_others(kept)
            places.give_back()
            remove_copies(run)
        except (MountError, LeftoverError) as error:
            problem = problem or str(error)
        if problem:
            _refuse(connection, problem)
        else:
            connection.sendall(protocol.frame(protocol.GRANTED))

    def _granted(self, peer: Peer, words: tuple[str, ...]) -> MountedRun | None:
        """The RUN that a process is the step of; None if it is none that may have mounts now."""
        left = self._runs.get(words, [])
        if not left or not is_step(peer, self._executor, PROGRAM, words, TINI) or not self._comes_to(left[0]):
            return None
        return next((run for run in left if _is_user(peer.uid, run.user)), None)

    def _comes_to(self, run: MountedRun) -> bool:
        """Whether the executor is at a RUN, once all that it has logged is read."""
        deadline = time.monotonic() + _PATIENCE
        while (at := self._at()) and at not in run.given:
            if self._stopping or time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)
        return True


def _is_user(uid: int, user: str | None) -> bool:
    """Whether a process of a uid can be a step under a USER; None if that is not known."""
    if user is None:
        return True
    try:
        return uid == identity(user, _read(_PASSWD), _read(_GROUP))[0]
    except UnknownUserError:
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def run_uses_secrets(run: MountedRun) -> bool:
    """Whether a RUN may get a build secret."""
    return any("secret" in text.lower() or "$" in text for text in run.mounts)


def _refuse(connection: socket.socket, why: str) -> None:
    connection.sendall(protocol.frame(protocol.REFUSED, why.encode("utf-8", "surrogateescape").replace(b"\0", b" ")))


def _receive(connection: socket.socket) -> bytes:
    size = protocol.length(_exactly(connection, protocol.HEAD))
    return _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionError(0, "the step has ended")
        received += part
    return bytes(received)
