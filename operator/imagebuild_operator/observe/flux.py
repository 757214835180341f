"""The artifacts of Flux's sources, read from their status.

https://fluxcd.io/flux/components/source/: a controller fetches a source, and serves it as an archive in the cluster.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.redact import UNSHOWN, redact

GROUP_VERSION: Final = "source.toolkit.fluxcd.io/v1"
#: The kinds that have an artifact which a build context can be, and their resources.
KINDS: Final[Mapping[str, str]] = {
    "GitRepository": "gitrepositories",
    "OCIRepository": "ocirepositories",
    "Bucket": "buckets",
    "ExternalArtifact": "externalartifacts",
}
MAX_PROBLEM: Final = 500
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_REVISION: Final = re.compile(r"(?:(.*)@)?(?:sha1|sha256):([0-9a-f]{40}|[0-9a-f]{64})")
_ROOT: Final = re.compile(r"^(https?://[^/:]+)\.(?=[/:]|$)")
_URL: Final = re.compile(r"https?://[^\s@]+")


@dataclass(frozen=True, slots=True)
class Artifact:
    """The archive of a source.

    Attributes:
        url: Where it is served.
        sha256: Its checksum.
        commit: The commit or digest that it was made from; its checksum where the revision has none.
        branch: The branch, tag or name before that; empty if there is none.
    """

    url: str
    sha256: str
    commit: str
    branch: str


def artifact_of(body: Body | None) -> tuple[Artifact | None, str]:
    """The artifact of an object, and what is wrong with the object; both may be there.

    Args:
        body: The object; None if there is none of that name.
    """
    if body is None:
        return None, "it does not exist"
    status = body.get("status") or {}
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    ready = conditions.get("Ready") or {}
    told = redact(" ".join(UNSHOWN.sub(" ", str(ready.get("message") or "")).split()))[:MAX_PROBLEM]
    problem = f"it is not ready: {told}" if ready.get("status") == "False" else ""
    found = status.get("artifact") or {}
    digest, url = _DIGEST.fullmatch(str(found.get("digest") or "")), str(found.get("url") or "")
    if not digest or not _URL.fullmatch(url):
        return None, problem or "it has no artifact yet"
    # Flux writes the root of DNS, by which no entry of NO_PROXY would know the host.
    url = _ROOT.sub(r"\1", url)
    revision = _REVISION.fullmatch(str(found.get("revision") or ""))
    commit, branch = (revision[2], revision[1] or "") if revision else (digest[1], "")
    return Artifact(url, digest[1], commit, branch), problem
