"""Holds what `build` recorded against what the build was asked for.

The record is a claim: a RUN step is root where it is written. What the parameters of a trusted source say is never
taken from it, and a record that contradicts them is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from imagebuild_vocabulary.sources import COMMIT, is_pinned

from kaniko_shim.attest.record import Record
from kaniko_shim.log.masking import MASK

# How the record names a context of a kind that has no URL of its own in the spec.
_SCHEMES = {
    "inline": ("data:",),
    "configMap": ("dir:",),
    "persistentVolumeClaim": ("dir:", "file:"),
    "upload": ("file:",),
    "s3": ("s3:",),
    "oci": ("oci:",),
}


def settle(record: Record, parameters: Mapping[str, Any], now: str) -> Record:
    """The record, completed with what follows from the parameters.

    Args:
        record: what `build` recorded.
        parameters: those of the operator: fields of an ImageBuild's spec.
        now: RFC 3339.

    Raises:
        ValueError: the record contradicts the parameters; the message says in what.
    """
    kind, named = _source(parameters)
    _compare_source(record, kind, named)
    own = _dockerfile_digest(parameters)
    if own and record.dockerfile and own != record.dockerfile:
        raise ValueError(f"it names a Dockerfile with SHA-256 {record.dockerfile}, and that of the spec has {own}")
    if not record.started <= record.finished <= now:
        raise ValueError(f"it says that the build ran from {record.started} to {record.finished}, and now is {now}")
    return replace(record, dockerfile=own or record.dockerfile)


def pinned_in(parameters: Mapping[str, Any]) -> set[str]:
    """Which of the context and the Dockerfile the parameters themselves name by content, so that they are no claims."""
    context = {"context"} if is_pinned(_mapping(parameters.get("source"))) else set()
    return context | ({"Dockerfile"} if _dockerfile_digest(parameters) else set())


def _source(parameters: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The kind of the source, and its fields."""
    kind, said = next(iter(_mapping(parameters.get("source")).items()), ("", None))
    return kind, {"url": said} if kind == "url" else _mapping(said)


def _compare_source(record: Record, kind: str, named: Mapping[str, Any]) -> None:
    url, revision, checksum = (record.source.get(name, "") for name in ("url", "revision", "sha256"))
    expected = _bare(str(named.get("url") or ""))
    # Where a part of the spec's URL looked like a secret, there is nothing to compare with.
    if url and expected and MASK not in expected and _bare(url) != expected:
        raise ValueError(f"it names the source {url}, and the spec {named['url']}")
    if url and kind in _SCHEMES and not url.startswith(_SCHEMES[kind]):
        raise ValueError(f"it names the source {url}, and that of the spec is {kind}")
    if revision and kind in _SCHEMES.keys() - {"oci"}:
        raise ValueError(f"it names the revision {revision}, and a source of the kind {kind} has none")
    wanted = str(named.get("revision") or "")
    if revision and COMMIT.fullmatch(wanted) and revision != wanted:
        raise ValueError(f"it names the commit {revision}, and the spec {wanted}")
    pinned = str(named.get("sha256") or "")
    if checksum and pinned and checksum != pinned:
        raise ValueError(f"it names the checksum {checksum}, and the spec {pinned}")


def _bare(url: str) -> str:
    """A URL without what only one of the two forms has: the mark of Git, the user, the query and the revision."""
    rest = re.sub(r"[?#].*", "", url, flags=re.DOTALL).removeprefix("git+")
    scheme, slashes, path = rest.partition("://")
    host, slash, tail = path.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{tail}"


def _dockerfile_digest(parameters: Mapping[str, Any]) -> str:
    """SHA-256 of a Dockerfile that is in the spec; empty if it is in the context."""
    dockerfile = _mapping(parameters.get("dockerfile"))
    if "inlineSHA256" in dockerfile:
        return str(dockerfile["inlineSHA256"])
    if isinstance(dockerfile.get("inline"), str):
        return _digest(dockerfile["inline"])
    path = "/".join(
        filter(None, (str(parameters.get("contextDir") or ""), str(dockerfile.get("path") or "Dockerfile")))
    )
    kind, named = _source(parameters)
    files = _mapping(named.get("files")) if kind == "inline" else {}
    content = files.get(path.removeprefix("./"))
    return _digest(content) if isinstance(content, str) else ""


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
