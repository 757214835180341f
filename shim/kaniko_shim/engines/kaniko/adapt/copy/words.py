"""The words of COPY and ADD: their sources and their destination."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.words import json_words, plain_words

COPYING = frozenset({"COPY", "ADD"})
"""The instructions that copy."""

USUAL_DIRECTORIES = re.compile(
    r"/|/(?:bin|boot|etc|home|lib|mnt|opt|root|run|sbin|srv|tmp|usr|var)"
    r"|/usr/(?:bin|lib|local|sbin|share)|/usr/local/(?:bin|etc|lib|sbin|share)|/var/(?:lib|log)"
)
"""Directories that nearly every base image has."""

NO_REPOSITORIES = (
    "this executor does not clone repositories; it would store the web page",
    "Make the repository the build context, or clone it in a RUN.",
)
"""Why ADD of a repository is refused, and what to do instead."""

_GIT = re.compile(r"(?:git@|git://|ssh://)\S+|https?://[^\s?#]+\.git/?(?:[?#]\S*)?")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SPECIAL = re.compile(r"""[\\$"'<]""")


@dataclass(frozen=True, slots=True)
class Words:
    """The words as they are written, with variables, quotes and escapes.

    Attributes:
        sources: what is copied, heredocs among them.
        destination: where to.
        json: whether they are in JSON form.
    """

    sources: tuple[str, ...]
    destination: str
    json: bool = False


def words_of(instruction: Instruction) -> Words:
    """The words of a COPY or ADD."""
    words = json_words(instruction.rest)
    every = plain_words(instruction.rest) if words is None else words
    return Words(every[:-1], every[-1] if every else "", words is not None)


def json_form(sources: Sequence[str], destination: str) -> str:
    """The words in JSON form, which any name can stand in."""
    return json.dumps([*sources, destination], ensure_ascii=False)


def literal(path: str) -> str:
    """A path as a word that the executor's shell words read as it is."""
    return _SPECIAL.sub(r"\\\g<0>", path)


def is_repository(source: str) -> bool:
    """Whether a source of ADD is a Git repository to BuildKit."""
    return bool(_GIT.fullmatch(source))


def is_url(source: str) -> bool:
    """Whether a source is a URL."""
    return bool(_URL.match(source))
