"""The report of a container, read from its termination message.

The `build` container runs the user's commands, so its report is only a claim. What is proven comes from `push`, which
runs none of them.
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from imagebuild_vocabulary.remedies import Remedy

from imagebuild_operator.api.reasons import REPORTED, Reason
from imagebuild_operator.api.redact import UNSHOWN, redact, tail
from imagebuild_operator.observe.pod import MAX_TERMINATION_MESSAGE

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_SKETCH: Final = re.compile(r"[A-Za-z0-9+/=]{1,2048}")
MAX_TEXT: Final = 1024
MAX_LOG_TAIL: Final = 4096
MAX_WARNING: Final = 512
MAX_WARNINGS: Final = 10
MAX_ATTACHED: Final = 8
MAX_IMAGES: Final = 16
MAX_BASE_IMAGES: Final = 32
#: The greatest numbers that the status can hold: of a line in the Dockerfile, and of anything else.
MAX_LINE: Final = 2**31 - 1
MAX_NUMBER: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Image:
    """One pushed reference."""

    reference: str
    digest: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An image that the Dockerfile names, and what it was."""

    reference: str
    digest: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A document or signature that was attached to the image."""

    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a container says that it ended; a field that it left out is None."""

    reason: Reason | None = None
    message: str | None = None
    hint: str | None = None
    remedy: Remedy | None = None
    instruction: str | None = None
    dockerfile_line: int | None = None
    registry: str | None = None
    log_tail: str | None = None
    digest: str | None = None
    images: tuple[Image, ...] = ()
    layer_bytes: tuple[int, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)
    timings: Mapping[str, int] = field(default_factory=dict)
    cache: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    attached: tuple[Attached, ...] = ()
    base_images: tuple[BaseImage, ...] = ()
    #: A sketch of what the image consists of.
    contents: str | None = None
    #: Whether nothing was built, since the registry had the image of the same inputs.
    is_unchanged: bool = False
    #: How many processes of the container the kernel killed because memory ran out.
    oom_kills: int | None = None


def parse_result(message: str) -> Result:
    """Read a termination message. Anything but a JSON object is taken as the end of a log."""
    message = tail(message, MAX_TERMINATION_MESSAGE)
    document = _document(message)
    if not isinstance(document, dict):
        return Result(log_tail=_text(message, MAX_LOG_TAIL))
    return Result(
        reason=_reason(document.get("reason")),
        message=_text(document.get("message")),
        hint=_text(document.get("hint")),
        remedy=next((remedy for remedy in Remedy if remedy == document.get("remedy")), None),
        instruction=_text(document.get("instruction")),
        dockerfile_line=_number(document.get("dockerfileLine"), MAX_LINE),
        registry=_text(document.get("registry")),
        log_tail=_text(document.get("logTail"), MAX_LOG_TAIL),
        digest=_digest(document.get("digest")),
        images=_images(document.get("images")),
        layer_bytes=_sizes(document.get("layerBytes")),
        source=_source(document.get("source")),
        timings=_numbers(document.get("timings"), ("fetchMs", "buildMs", "pushMs")),
        cache=_numbers(document.get("cache"), ("hits", "misses")),
        warnings=_warnings(document.get("warnings")),
        attached=_attached(document.get("attached")),
        base_images=_base_images(document.get("baseImages")),
        contents=_sketch(document.get("contents")),
        is_unchanged=document.get("unchanged") is True,
        oom_kills=_numbers(document.get("memory"), ("oomKills",)).get("oomKills"),
    )


def _document(message: str) -> object:
    """The JSON of a message; None for none.

    The kubelet divides 12 KiB among the containers of a pod, and cuts off the rest of a message. If others have put
    containers into the pod, it can cut the builder's report: in its last field, the end of the log, of a failure.
    """
    # An escaped character can be cut, too: it has up to six characters.
    for text in (message, *(f'{message[: len(message) - cut]}"}}' for cut in range(6) if message.startswith("{"))):
        with suppress(ValueError, RecursionError):
            return json.loads(text)
    return None


def _reason(value: object) -> Reason | None:
    return next((reason for reason in REPORTED if reason == value), None)


def _text(value: object, limit: int = MAX_TEXT) -> str | None:
    if not isinstance(value, str):
        return None
    return redact(UNSHOWN.sub("�", value))[-limit:] or None


def _number(value: object, most: int = MAX_NUMBER) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else None


def _digest(value: object) -> str | None:
    return value if isinstance(value, str) and _DIGEST.fullmatch(value) else None


def _sketch(value: object) -> str | None:
    return value if isinstance(value, str) and _SKETCH.fullmatch(value) else None


def _sizes(value: object) -> tuple[int, ...]:
    """All sizes or none, since only its position tells which layer one belongs to."""
    sizes = [_number(item) for item in value] if isinstance(value, list) else []
    known = tuple(size for size in sizes if size is not None)
    return known if len(known) == len(sizes) else ()


def _numbers(value: object, names: tuple[str, ...]) -> dict[str, int]:
    if not isinstance(value, dict):
        return {}
    read = {name: _number(value.get(name)) for name in names}
    return {name: number for name, number in read.items() if number is not None}


def _source(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    read: dict[str, Any] = {name: _text(value.get(name)) for name in ("url", "revision", "sha256")}
    read["bytes"] = _number(value.get("bytes"))
    return {name: item for name, item in read.items() if item is not None}


def _warnings(value: object) -> tuple[str, ...]:
    texts = (
        (redact(" ".join(UNSHOWN.sub(" ", item).split())) for item in value if isinstance(item, str))
        if isinstance(value, list)
        else ()
    )
    return tuple(text[:MAX_WARNING] for text in texts if text)[:MAX_WARNINGS]


def _images(value: object) -> tuple[Image, ...]:
    images = []
    for item in value if isinstance(value, list) else ():
        reference = _text(item.get("reference")) if isinstance(item, dict) else None
        digest = _digest(item.get("digest")) if isinstance(item, dict) else None
        if reference and digest:
            images.append(Image(reference, digest, _number(item.get("sizeBytes"))))
    return tuple(images)[:MAX_IMAGES]


def _base_images(value: object) -> tuple[BaseImage, ...]:
    """All of them or none: who looks for newer ones would miss what is left out."""
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    read = [BaseImage(_text(item.get("reference")) or "", _digest(item.get("digest")) or "") for item in items]
    return tuple(read) if len(read) <= MAX_BASE_IMAGES and all(each.reference and each.digest for each in read) else ()


def _attached(value: object) -> tuple[Attached, ...]:
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    read = ((_text(item.get("kind")), _digest(item.get("digest"))) for item in items)
    return tuple(Attached(kind, digest) for kind, digest in read if kind and digest)[:MAX_ATTACHED]
