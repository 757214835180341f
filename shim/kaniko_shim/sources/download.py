"""Downloads an archive and unpacks it as it arrives; resumes where a connection broke."""

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from email.utils import parsedate_to_datetime

import urllib3
from urllib3.exceptions import HTTPError

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK
from kaniko_shim.net.meter import Meter
from kaniko_shim.net.web import ChangedError, Target, TransientError, explain, get, whole_number
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.archive import unpack_stream
from kaniko_shim.sources.fetch_retries import FetchRetries
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace

PROGRESS = 1024 * 1024
"""Bytes after which attempts are counted from the first again."""

_PARTIAL = 206
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")


def download(
    make_target: Callable[[], Target],
    shown: str,
    request: SourceRequest,
    workspace: Workspace,
    sleep: Callable[[float], None] = time.sleep,
) -> SourceReport:
    """Download and unpack an archive.

    Args:
        make_target: makes the URL and its headers; called before each connection, since signatures expire.
        shown: the URL in messages and in the report; holds no secret.
        request: limits and the checksum.
        workspace: the directories to fill and to use.
        sleep: waits for a number of seconds.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    retries = FetchRetries(shown, workspace.say, sleep)
    while True:
        body = _Body(make_target, shown, workspace, retries)
        try:
            return unpack_stream(Buffered(body.piece), request, workspace.context, workspace.scratch, shown)
        except ChangedError as error:
            retries.wait(f"{error}; starting from the beginning")
            workspace.clear()
        finally:
            body.close()


class _Body:
    """The whole body behind a URL, over as many connections as it takes."""

    def __init__(
        self, make_target: Callable[[], Target], shown: str, workspace: Workspace, retries: FetchRetries
    ) -> None:
        self._make_target = make_target
        self._shown = shown
        self._workspace = workspace
        self._retries = retries
        self._connections = ExitStack()
        self._response: urllib3.BaseHTTPResponse | None = None
        self._validator = ""
        self._total: int | None = None
        self._offset = self._began = 0
        self._meter = Meter(workspace.say)

    def piece(self) -> bytes:
        """What has arrived; empty at the end.

        Raises:
            ChangedError: the rest is not available.
            JobError: a Source… reason.
        """
        while True:
            try:
                response = self._response or self._open()
                content = self._read(response)
            except TransientError as error:
                self.close()
                if self._offset and not self._validator:
                    raise ChangedError(str(error)) from error
                self._retries.wait(str(error), error.retry_after)
                continue
            self._offset += len(content)
            if self._offset - self._began >= PROGRESS:
                self._retries.reset()
            self._meter.count(len(content), self._total)
            return content

    def close(self) -> None:
        """Close the connections."""
        self._response = None
        self._connections.close()

    def _open(self) -> urllib3.BaseHTTPResponse:
        headers = {"Range": f"bytes={self._offset}-", "If-Range": self._validator} if self._offset else {}
        response = get(self._make_target(), self._shown, headers, self._workspace.environment, self._connections)
        if self._offset:
            self._check(response)
        else:
            if response.status == _PARTIAL:
                raise ChangedError("the server sent only a part of the archive")
            self._total = whole_number(response.headers.get("Content-Length", ""))
            self._validator = validator_of(response.headers)
        self._response = response
        self._began = self._offset
        return response

    def _check(self, response: urllib3.BaseHTTPResponse) -> None:
        """Refuse a response that is not the rest of the body; a server may ignore any of our headers."""
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if response.status != _PARTIAL or not found:
            raise ChangedError("the server does not resume the download")
        begin, total = found.groups()
        same = not self._validator.startswith('"') or response.headers.get("ETag", self._validator) == self._validator
        if int(begin) != self._offset or (self._total is not None and total not in {"*", str(self._total)}) or not same:
            raise ChangedError("the archive on the server has changed")

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        # Only what has arrived: waiting for more would hide how slowly it comes.
        try:
            content = response.read1(CHUNK, decode_content=False)
        except HTTPError as error:
            raise explain(error, self._shown) from error
        if not content and self._total is not None and self._offset < self._total:
            raise TransientError("the connection ended early")
        return content


def validator_of(headers: urllib3.HTTPHeaderDict) -> str:
    """The header that identifies a body byte for byte; empty if none does.

    A weak ETag does not, nor does a Last-Modified of the same second as the response (RFC 9110, 8.8).
    """
    if (tag := headers.get("ETag", "")).startswith('"'):
        return tag
    if tag or headers.get("Accept-Ranges", "") == "none":
        return ""
    modified, now = headers.get("Last-Modified", ""), headers.get("Date", "")
    try:
        age = (parsedate_to_datetime(now) - parsedate_to_datetime(modified)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return modified if age >= 1 else ""
