"""The result: one JSON object that fits into a container's termination message."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kaniko_shim.log.phases import Timings
from kaniko_shim.outcome.errors import Failure

LIMIT = 2457
"""Bytes that the kubelet keeps of each termination message in a pod of five containers, which is our largest one.

It divides 12 KiB by the number of containers: kubernetes/pkg/kubelet/status/status_manager.go, normalizeStatus.
"""

VERSION = 1

_LONG_TEXTS = ("message", "hint", "instruction")


@dataclass(frozen=True, slots=True)
class PushedImage:
    """An image as the registry has it.

    Attributes:
        reference: its name.
        digest: digest of its manifest.
        size: bytes of its config and layers; 0 if unknown.
        layers: bytes of each layer, the base's first; empty if unknown, or for an index.
    """

    reference: str
    digest: str
    size: int = 0
    layers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Attached:
    """What was attached to an image (provenance, sbom, vulnerabilities or signature), and its manifest's digest."""

    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What was fetched: a masked URL, a Git commit and its time, or a checksum, and the bytes transferred."""

    url: str = ""
    revision: str = ""
    sha256: str = ""
    size: int = 0
    committed: int | None = None


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An image that FROM or --from names, and what it was: the digest of its manifest for the platform."""

    reference: str
    digest: str


@dataclass(frozen=True, slots=True)
class CacheReport:
    """Cached layers that were found and not found."""

    hits: int
    misses: int


@dataclass(frozen=True, slots=True)
class Result:
    """How a job ended. `failure` is None for success."""

    command: str
    failure: Failure | None = None
    log_tail: str = ""
    #: Of an image that was checked and not pushed; a pushed one has its own.
    digest: str = ""
    images: tuple[PushedImage, ...] = ()
    source: SourceReport = field(default_factory=SourceReport)
    timings: Timings = field(default_factory=Timings)
    cache: CacheReport | None = None
    warnings: tuple[str, ...] = ()
    #: How many processes of the container the kernel killed because memory ran out; None if unknown, or for a success.
    oom_kills: int | None = None
    attached: tuple[Attached, ...] = ()
    base_images: tuple[BaseImage, ...] = ()
    #: Whether nothing was built, since the registry had the image of the same inputs.
    is_unchanged: bool = False
    #: A sketch of what the image consists of, if it was asked for.
    contents: str = ""

    @property
    def exit_code(self) -> int:
        """What the process exits with."""
        return self.failure.code if self.failure else 0


def document(result: Result) -> dict[str, object]:
    """The result as a JSON document; unknown values are omitted."""
    failure = result.failure
    fields: dict[str, object] = {
        "version": VERSION,
        "command": result.command,
        "outcome": "Failed" if failure else "Succeeded",
        "exitCode": result.exit_code,
    }
    if failure:
        fields |= {
            "reason": str(failure.reason),
            "message": failure.message,
            "hint": failure.advice,
            "remedy": str(failure.remedy or ""),
            "instruction": failure.instruction,
            "dockerfileLine": failure.line,
            "registry": failure.registry,
        }
        if result.oom_kills is not None:
            fields["memory"] = {"oomKills": result.oom_kills}
    fields["digest"] = result.images[0].digest if result.images else result.digest
    fields["contents"] = result.contents
    if result.images:
        fields["images"] = [
            _known({"reference": image.reference, "digest": image.digest, "sizeBytes": image.size})
            for image in result.images
        ]
        # All outputs have the same image.
        fields["layerBytes"] = list(result.images[0].layers)
    source, timings = result.source, result.timings
    fields["source"] = _known(
        {"url": source.url, "revision": source.revision, "sha256": source.sha256, "bytes": source.size}
    )
    fields["timings"] = {
        name: value
        for name, value in (
            ("fetchMs", timings.fetch),
            ("buildMs", timings.build),
            ("pushMs", timings.push),
            ("totalMs", timings.total),
        )
        if value is not None
    }
    if result.cache:
        fields["cache"] = {"hits": result.cache.hits, "misses": result.cache.misses}
    fields["baseImages"] = [{"reference": each.reference, "digest": each.digest} for each in result.base_images]
    if result.is_unchanged:
        fields["unchanged"] = True
    fields["attached"] = [{"kind": each.kind, "digest": each.digest} for each in result.attached]
    fields["warnings"] = list(result.warnings)
    if failure:
        # Last, so that a kubelet that keeps less, since others have put containers into the pod, cuts only this.
        fields["logTail"] = result.log_tail
    return _known(fields) | {"exitCode": result.exit_code}


def encode(result: Result, mask: Callable[[str], str], limit: int = LIMIT) -> bytes:
    """The result as UTF-8 JSON of at most `limit` bytes; layer sizes, base images and the log's tail go first."""
    fields = _clean(document(result), mask)
    content = _dump(fields)
    for name in ("layerBytes", "baseImages"):
        # A part of them would say something else.
        if len(content) > limit and fields.pop(name, None):
            content = _dump(fields)
    if len(content) > limit and "logTail" in fields:
        fields["logTail"] = _fit_tail(str(fields["logTail"]), fields, limit)
        content = _dump(_known(fields) | {"exitCode": fields["exitCode"]})
    for name in ("warnings", *_LONG_TEXTS):
        if len(content) <= limit:
            return content
        if name in fields:
            value = fields[name]
            text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
            shortest = max(len(text) - (len(content) - limit) - 1, 200)
            fields[name] = [text[:shortest] + "…"] if name == "warnings" else text[:shortest] + "…"
            content = _dump(fields)
    if len(content) > limit and "images" in fields:
        del fields["images"]
        content = _dump(fields)
    for name in ("logTail", "warnings", "source", "instruction", "hint", "message"):
        if len(content) <= limit:
            break
        fields.pop(name, None)
        content = _dump(fields)
    return content


def _fit_tail(tail: str, fields: Mapping[str, object], limit: int) -> str:
    lines = tail.split("\n")
    low, high = 0, len(lines)
    while low < high:
        middle = (low + high) // 2
        if len(_dump({**fields, "logTail": "\n".join(lines[middle:])})) <= limit:
            high = middle
        else:
            low = middle + 1
    return "\n".join(lines[low:])


def _known(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value not in ("", 0, [], {}, ())}


def _dump(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _clean(fields: Mapping[str, object], mask: Callable[[str], str]) -> dict[str, object]:
    return {name: _clean_value(value, mask) for name, value in fields.items()}


def _clean_value(value: object, mask: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return clean_text(mask(value))
    if isinstance(value, dict):
        return _clean(value, mask)
    if isinstance(value, list):
        return [_clean_value(item, mask) for item in value]
    return value


def clean_text(text: str) -> str:
    """Valid UTF-8 without control characters other than line ends and tabs."""
    text = text.encode("utf-8", "replace").decode()
    if text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
