"""One upload into one pod: `kaniko-shim send` in its container upload, over exec."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from imagebuild_vocabulary.names import SEND, UPLOAD

from imagebuild.archive import Archive
from imagebuild.connection import Connection
from imagebuild.errors import (
    ForbiddenError,
    ImageBuildError,
    InvalidError,
    NotFoundError,
    UnreachableError,
    UploadError,
)
from imagebuild.watching import Delay

Progress = Callable[[int, int], None]

#: The first protocol of exec that can close standard input and read on; Kubernetes has it since 1.30.
PROTOCOL: Final = "v5.channel.k8s.io"
OLDEST: Final = (1, 30)
_OLD_HINT: Final = "Create the build with kubectl, and send the directory with kubectl exec, as status.message says."
_STDIN: Final = b"\x00"
_CLOSE_STDIN: Final = b"\xff\x00"
_STDOUT: Final = 1
_STDERR: Final = 2
_STATUS: Final = 3

#: Exit codes of `send`.
_COMPLETE: Final = 0
_REFUSED: Final = 1
_UNAVAILABLE: Final = 4


async def send(connection: Connection, namespace: str, pod: str, archive: Archive, progress: Progress | None) -> bool:
    """Send an archive to one pod; a broken connection is continued.

    Args:
        connection: The API server.
        namespace: Namespace of the pod.
        pod: Its name.
        archive: What is sent.
        progress: Called with the bytes sent and the bytes of the archive.

    Returns:
        Whether the pod has all of it; False if the pod is gone, and the status of the build says why.
    """
    whole = ("--size", str(archive.size), "--sha256", archive.sha256)
    offset, delay, command = 0, Delay(), _Command(connection, namespace, pod)
    while True:
        try:
            code, answer = await command.run((*whole, "--offset", str(offset)), archive, offset, progress)
            if code == _COMPLETE:
                return True
            message = str(answer.get("message") or f"the command send ended with exit code {code}.")
            if code == _REFUSED:
                raise UploadError(f"Pod {pod} refused the build context: {message}")
            if code == _UNAVAILABLE and _has_ended(answer, archive):
                return True
            await delay.after(
                UnreachableError(
                    f"The upload to pod {pod} does not get on: {message}", "Look at the status of the build."
                )
            )
        except NotFoundError:
            return False
        except ImageBuildError as error:
            if isinstance(error, UnreachableError):
                delay.worked()
            await delay.after(error)
        kept = await _kept(command, archive, delay)
        if kept > offset:
            delay.reset()
        offset = kept


async def _kept(command: "_Command", archive: Archive, delay: Delay) -> int:
    """Ask how much of an archive a pod has kept."""
    while True:
        try:
            _, answer = await command.run(("--status",))
        except ImageBuildError as error:
            await delay.after(error)
            continue
        if answer.get("sha256") != archive.sha256 or answer.get("state") != "incomplete":
            return 0
        return min(int(answer["received"]), archive.size)


def _has_ended(answer: dict[str, Any], archive: Archive) -> bool:
    """Whether a pod that takes nothing has what was sent; raises if it has something else.

    If it does not wait any more, neither does the build, which ends the upload. If it does not wait yet, it will.
    """
    if answer.get("state") == "complete":
        if answer.get("sha256") == archive.sha256:
            return True
        raise UploadError("The build has another build context already.", "Create another build.")
    return False


@dataclass(frozen=True, slots=True)
class _Command:
    """`kaniko-shim send` in a pod."""

    connection: Connection
    namespace: str
    pod: str

    async def run(
        self,
        arguments: tuple[str, ...],
        archive: Archive | None = None,
        offset: int = 0,
        progress: Progress | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Run it to its end: its exit code and its answer.

        Raises:
            ForbiddenError: the user may not do that.
            UnreachableError: the connection broke, or the node could not run it.
            UploadError: the API server is too old.
        """
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}/exec"
        flags = [(flag, "true") for flag in ("stdin", "stdout", "stderr")]
        query = [("container", UPLOAD), *flags, *(("command", each) for each in (*SEND, *arguments))]
        try:
            async with self.connection.websocket(path, query, PROTOCOL) as socket:
                if socket.protocol == PROTOCOL:
                    return await self._talk(socket, archive, offset, progress)
            raise await self._too_old() or UploadError("The API server does not take uploads.", _OLD_HINT)
        except (ForbiddenError, InvalidError) as error:
            # So do old API servers, which know no protocol that can close standard input.
            if too_old := await self._too_old():
                raise too_old from error
            if isinstance(error, InvalidError):
                raise
            message = f"You may not send the build context into pod {self.pod} of namespace {self.namespace}."
            hint = "Ask an administrator for get and create of pods/exec, which the ClusterRole edit has."
            raise ForbiddenError(error.status, message, hint) from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnreachableError(f"The connection to pod {self.pod} broke: {error}.", "Try again.") from error

    async def _too_old(self) -> UploadError | None:
        """The error for an API server that is too old; None if it is not, or does not say its version."""
        try:
            version = await self.connection.call("GET", "/version")
        except ImageBuildError:
            return None
        major, minor = (re.sub(r"\D.*", "", str(version.get(part) or "")) for part in ("major", "minor"))
        if not major or not minor or (int(major), int(minor)) >= OLDEST:
            return None
        return UploadError(f"Kubernetes {major}.{minor} cannot take uploads: 1.30 or later is needed.", _OLD_HINT)

    async def _talk(
        self, socket: aiohttp.ClientWebSocketResponse, archive: Archive | None, offset: int, progress: Progress | None
    ) -> tuple[int, dict[str, Any]]:
        writing = asyncio.create_task(_write(socket, archive, offset, progress))
        output = {_STDOUT: b"", _STDERR: b"", _STATUS: b""}
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY and message.data[:1]:
                    channel = message.data[0]
                    output[channel] = output.get(channel, b"") + message.data[1:]
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        if not output[_STATUS]:
            raise UnreachableError(f"The connection to pod {self.pod} broke.", "Try again.")
        try:
            answer = json.loads(output[_STDOUT])
        except ValueError:
            answer = {"message": output[_STDERR].decode(errors="replace").strip()}
        return _exit_code(json.loads(output[_STATUS]), self.pod), answer


async def _write(
    socket: aiohttp.ClientWebSocketResponse, archive: Archive | None, offset: int, progress: Progress | None
) -> None:
    """Write the archive to standard input, and close that."""
    for chunk in archive.chunks(offset) if archive is not None else ():
        await socket.send_bytes(_STDIN + chunk)
        offset += len(chunk)
        if progress is not None and archive is not None:
            progress(offset, archive.size)
    await socket.send_bytes(_CLOSE_STDIN)


def _exit_code(status: dict[str, Any], pod: str) -> int:
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    message = str(status.get("message") or "unknown error").rstrip(".")
    raise UnreachableError(f"The command send could not be run in pod {pod}: {message}.", "Try again.")
