"""Rewrites COPY and ADD where the executor interprets them differently from BuildKit."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping

from kaniko_shim.dockerfile.capabilities import Feature, Support
from kaniko_shim.dockerfile.edits import Edit, replaced
from kaniko_shim.dockerfile.heredocs import place_of_file
from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.parse import parse_heredoc
from kaniko_shim.dockerfile.syntax.stages import Stages, place_of
from kaniko_shim.dockerfile.syntax.words import json_words, plain_words

_COPYING = frozenset({"COPY", "ADD"})
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NOT_PLAIN = re.compile(r"[$\"'\\`]")


def rewrite_copies(stages: Stages, support: Support, heredocs: str, context: str) -> Iterator[Edit]:
    """The edits that replace COPY and ADD instructions.

    - `..` in a source stops at the root of the context or of the other stage, as in BuildKit.
    - A heredoc is replaced by the file that it was converted to.

    Args:
        stages: the Dockerfile's.
        support: the executor's.
        heredocs: the directory with the files that heredocs were converted to.
        context: the context's directory, which COPY reads from.
    """
    files = "" if support.has(Feature.HEREDOCS) else posixpath.relpath(heredocs, context)
    for stage in stages.stages:
        for instruction in stage.instructions:
            trigger = instruction.trigger
            if instruction.keyword in _COPYING:
                text = instruction.head + _rest(instruction, files)
            elif trigger and trigger.keyword in _COPYING:
                # A trigger runs in a later build, and must not climb out of that build's context.
                text = instruction.head + trigger.head + _rest(trigger, "")
            else:
                continue
            if text != instruction.head + instruction.rest:
                yield replaced(instruction, text)


def _rest(instruction: Instruction, heredocs: str) -> str:
    """Sources and destination; `heredocs` is the directory of heredoc files relative to the context, or empty."""
    names = {each.word: f"{heredocs}/{place_of_file(each)}" for each in instruction.heredocs} if heredocs else {}
    words = json_words(instruction.rest)
    sources = (plain_words(instruction.rest) if words is None else words)[:-1]
    made = [_source(source, names, instruction.keyword) for source in sources]
    if made == list(sources):
        return instruction.rest
    if words is not None:
        return json.dumps([*made, words[-1]], ensure_ascii=False)
    return " ".join([*made, plain_words(instruction.rest)[-1]])


def _source(source: str, names: Mapping[str, str], keyword: str) -> str:
    if heredoc := parse_heredoc(source):
        return names.get(heredoc[1], source)
    if _URL.match(source) or ("$" not in source and ".." not in source.strip("\"'").split("/")):
        return source
    if not _NOT_PLAIN.search(source):
        return place_of(source) + ("/" if source.endswith("/") else "")
    if keyword == "ADD" and _may_be_url(source):
        return source
    # The executor cleans the path after it has expanded variables, so nothing climbs above a leading /.
    return source if source.startswith("/") else f"/{source}"


def _may_be_url(source: str) -> bool:
    known = source.partition("$")[0]
    return ":" in known or "/" not in known
