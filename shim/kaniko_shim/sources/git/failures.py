"""Failures of Git servers that another attempt would not change."""

import re

import urllib3
from dulwich.client import HTTPUnauthorized
from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.net.proxies import refusal_of_proxy
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.names import CUT, cut_names
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.git.remotes import Remote

_HTTP_STATUS = re.compile(r"^unexpected http resp (\d+)")
_NO_REPOSITORY = re.compile(
    r"(?i)not appear to be a git repository|repository .*not found|could not be found|no such|does not exist"
)
_NO_ACCESS = re.compile(r"(?i)permission denied|access denied|not allowed|unauthori[sz]ed|deploy key")


def final_failure(error: Exception, remote: Remote) -> JobError | None:
    """The failure that an error means; None if another attempt may succeed.

    Names in the error, such as the repository's, do not count.
    """
    if refusal := refusal_of_proxy(error):
        return refusal
    kind = _kind(error, remote)
    if kind is Reason.SOURCE_UNAUTHORIZED:
        names = "SOURCE_SSH_PRIVATE_KEY" if remote.scheme == "ssh" else "SOURCE_USERNAME and SOURCE_PASSWORD"
        return JobError(
            kind,
            f"{remote.shown} refused access.",
            hint=f"Set {names}. Check the URL too: some servers refuse access to a repository that does not exist.",
        )
    if kind is Reason.SOURCE_NOT_FOUND:
        return JobError(kind, f"There is no Git repository at {remote.shown}.")
    if kind is Reason.SOURCE_UNAVAILABLE:
        return JobError(
            kind,
            f"The certificate of {remote.shown} is not trusted.",
            hint="Set SOURCE_CA to the CA bundle of the server, or mount it into a directory of SSL_CERT_DIR.",
            remedy=Remedy.SOURCE_CA,
        )
    return None


def is_broken(error: Exception) -> bool:
    """Whether a connection broke, or a server was not able to answer, as opposed to an answer that says no."""
    if isinstance(error, OSError) or isinstance(error.__cause__, urllib3.exceptions.HTTPError):
        return True
    match = _HTTP_STATUS.match(str(error))
    return match is not None and (match[1] in {"408", "429"} or match[1].startswith("5"))


def _kind(error: Exception, remote: Remote) -> Reason | None:
    if isinstance(error, HTTPUnauthorized):
        return Reason.SOURCE_UNAUTHORIZED
    if match := _HTTP_STATUS.match(str(error)):
        status = match[1]
        if status in {"401", "403"}:
            return Reason.SOURCE_UNAUTHORIZED
        return Reason.SOURCE_NOT_FOUND if status in {"404", "410"} else None
    path = remote.path.strip("/")
    # Where more of a URL follows the path, too.
    text = str(error).replace(f"/{path}", CUT)
    text = cut_names(text, (remote.path, path, path.removesuffix(".git"), f"{remote.host}/{path}"))
    if _NO_ACCESS.search(text):
        return Reason.SOURCE_UNAUTHORIZED
    if _NO_REPOSITORY.search(text):
        return Reason.SOURCE_NOT_FOUND
    return Reason.SOURCE_UNAVAILABLE if "CERTIFICATE_VERIFY_FAILED" in text else None
