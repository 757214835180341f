"""RUNs with mounts: what the shim has to prepare when the executor is at one of them."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.mounts import MountType, has_variable, without_values
from kaniko_shim.dockerfile.stages import place_of

PROGRAM = "/kaniko/.Shim/bin/with-mounts"
"""The program that such a RUN starts, with a key and the user's command as its arguments."""

BINDS = "/.imagebuild-binds"
"""Where the executor copies what a bind mount takes from a stage or an image; the step removes it."""

_KEY_LENGTH = 32


@dataclass(frozen=True, slots=True)
class MountedRun:
    """A RUN with mounts.

    Attributes:
        key: tells the shim which mounts are meant. It depends on all that the result of the RUN depends on besides
            its command, so that the cached layer of another RUN is never taken; it holds no secret.
        words: the user's program and its arguments.
        mounts: the values of its --mount flags; their variables are those of the step.
        copied: by the number of a bind mount: the path that the executor copies its content to.
        given: the instruction that the executor gets, on one line; several if the same RUN is in several stages.
        user: the USER that is in force; None if it is not known.
    """

    key: str
    words: tuple[str, ...]
    mounts: tuple[str, ...]
    copied: dict[int, str] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    user: str | None = None


def mounted_run(words: tuple[str, ...], mounts: Sequence[str], digest_of: Callable[[str], str] | None) -> MountedRun:
    """Plan a RUN with mounts.

    Args:
        words: the user's program and its arguments.
        mounts: the values of its --mount flags.
        digest_of: a digest of the content of a path in the context; None if layers are not cached.

    Raises:
        ValueError: a mount is malformed.
    """
    parts = list[str]()
    copies = list[int]()
    for number, text in enumerate(mounts):
        mount = without_values(text)
        parts.append(text)
        if mount.type is not MountType.BIND:
            continue
        if mount.origin:
            copies.append(number)
        elif digest_of is not None:
            parts.append(digest_of("." if has_variable(text) else place_of(mount.source)))
    words = tuple(map(_as_in_json, words))
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_KEY_LENGTH]
    unique = hashlib.sha256(json.dumps([key, *words]).encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_LENGTH]
    copied = {number: f"{BINDS}/{unique}-{number}" for number in copies}
    return MountedRun(key, words, tuple(mounts), copied)


def _as_in_json(word: str) -> str:
    """A word as the executor reads it: what is not UTF-8 becomes U+FFFD."""
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def with_source(text: str, expanded: Callable[[str], str | None]) -> str:
    """A mount; one from a stage or an image has its source written out, since that is copied before the step.

    Args:
        text: the value of a --mount flag.
        expanded: expands the variables of a word; None if the value of one is not known before the build.

    Raises:
        ValueError: it is not known, or means all of the stage or image.
    """
    if not has_variable(text):
        return text
    fields = [field.partition("=") for field in next(csv.reader([text]), [])]
    if all(name.lower() != "from" for name, _, _ in fields):
        return text
    made = list[str]()
    for name, equals, value in fields:
        if name.lower() in {"source", "src"} and has_variable(value):
            found = expanded(value)
            if found is None:
                raise ValueError(f"the value of {value} is not known before the build")
            if place_of(found) == ".":
                raise ValueError(f"{value} is {found!r}: the builder cannot mount all of a stage or image")
            made.append(f"{name}={found}")
        else:
            made.append(name + equals + value)
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(made)
    return line.getvalue()


def copy_before(run: MountedRun, number: int) -> str:
    """The COPY that brings the content of a bind mount from its stage or image."""
    mount = without_values(run.mounts[number])
    source = mount.source or "/"
    return f"COPY --from={mount.origin} {json.dumps([source, run.copied[number]])}"
