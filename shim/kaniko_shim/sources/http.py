"""Fetches an archive by HTTP; credentials are sent to its origin only."""

import time
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from kaniko_shim.log.masking import mask_url
from kaniko_shim.net.basic_auth import basic_auth
from kaniko_shim.net.web import Target
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.download import download
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace


def fetch_http(
    url: str, request: SourceRequest, workspace: Workspace, sleep: Callable[[float], None] = time.sleep
) -> SourceReport:
    """Fetch and unpack an archive.

    Args:
        url: the URL of the archive.
        request: credentials, limits and the checksum.
        workspace: the directories to fill and to use.
        sleep: waits for a number of seconds.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    target = Target(_without_userinfo(url), _authorization(url, request))
    return download(lambda: target, mask_url(url), request, workspace, sleep)


def _authorization(url: str, request: SourceRequest) -> dict[str, str]:
    parts = urlsplit(url)
    if request.username or request.password:
        return basic_auth(request.username, request.password)
    if parts.username is not None:
        return basic_auth(unquote(parts.username), unquote(parts.password or ""))
    return {}


def _without_userinfo(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
