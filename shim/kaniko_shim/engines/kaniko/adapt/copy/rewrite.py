"""Rewrites COPY and ADD where the executor interprets them differently from BuildKit."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kaniko_shim.dockerfile.flags import with_flags
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.parse import parse_heredoc
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.stages import place_of
from kaniko_shim.dockerfile.words import json_words, plain_words
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.copy.differences import differences
from kaniko_shim.engines.kaniko.adapt.copy.from_context import ContextCopies
from kaniko_shim.engines.kaniko.adapt.copy.owners import with_user
from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope
from kaniko_shim.engines.kaniko.adapt.copy.words import COPYING, NO_REPOSITORIES, is_repository, words_of
from kaniko_shim.engines.kaniko.adapt.draft import Edit, replaced
from kaniko_shim.engines.kaniko.adapt.old import heredoc_file, refuse_mode
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NOT_PLAIN = re.compile(r"[$\"'\\`]")


@dataclass(frozen=True, slots=True)
class CopyInputs:
    """What COPY and ADD depend on besides the Dockerfile.

    Attributes:
        heredocs: directory for the files of heredocs, relative to the context.
        copies: rewrites copies from the context; None if nothing is known of its files.
        name: the Dockerfile's, for messages.
    """

    heredocs: str
    copies: ContextCopies | None = None
    name: str = "Dockerfile"


@dataclass(frozen=True, slots=True)
class RewrittenCopies:
    """What takes the place of COPY and ADD.

    Attributes:
        edits: the instructions to replace.
        files: the files of heredocs, by path below their directory: content and mode.
        warnings: what differs from Docker.
    """

    edits: tuple[Edit, ...]
    files: Mapping[str, tuple[str, int]]
    warnings: tuple[str, ...] = ()


def rewrite_copies(scopes: Iterable[Scope], support: Support, inputs: CopyInputs) -> RewrittenCopies:
    """The edits that replace COPY and ADD instructions.

    - `..` in a source stops at the root of the context or of the other stage, as in BuildKit.
    - A heredoc is replaced by a file, for an executor without heredocs.
    - What the executor copies from the context differently from BuildKit is named in another way.

    Raises:
        JobError: DockerfileUnsupported or CopyFailed, which names the line.
    """
    edits = list[Edit]()
    files = dict[str, tuple[str, int]]()
    warnings = list[str]()
    tree = inputs.copies.tree if inputs.copies else None
    for scope in scopes:
        instruction = scope.instruction
        trigger = instruction.trigger
        if instruction.keyword in COPYING:
            try:
                text = _rewritten(scope, support, inputs, files)
            except (LookupError, ValueError) as error:
                raise _refusal(error, instruction, inputs.name) from error
            line = instruction.line
            warnings += (f"{inputs.name} line {line}: {each}" for each in differences(scope, tree, support))
            if not text:
                warnings.append(f"{inputs.name} line {line}: {instruction.text} copies nothing: no file matches")
        elif trigger and trigger.keyword in COPYING:
            # A trigger runs in a later build, and must not climb out of that build's context.
            text = instruction.head + trigger.head + _rest(trigger, {})
        else:
            continue
        if text != instruction.head + instruction.rest:
            edits.append(replaced(instruction, text))
    return RewrittenCopies(tuple(edits), files, tuple(warnings))


def _rewritten(
    scope: Scope,
    support: Support,
    inputs: CopyInputs,
    files: dict[str, tuple[str, int]],
) -> str:
    instruction = scope.instruction
    if instruction.keyword == "ADD" and any(
        is_repository(scope.value(word) or "") for word in words_of(instruction).sources
    ):
        raise ValueError(*NO_REPOSITORIES)
    places = dict[str, str]()
    if support.is_old:
        refuse_mode(scope)
        for heredoc in instruction.heredocs:
            place, content, mode = heredoc_file(heredoc, scope)
            files[place] = content, mode
            places[heredoc.word] = f"{inputs.heredocs}/{place}"
    if scope.origin and any(place_of(scope.value(word) or "x") == "." for word in words_of(instruction).sources):
        # It would read /proc and its own files. An image is unpacked to a directory of its own.
        if not scope.image:
            raise ValueError("this executor cannot copy the root directory of another stage")
        flags = tuple((name, scope.image if name == "--from" else value) for name, value in instruction.flags)
        instruction = replace(instruction, flags=flags, head=with_flags(instruction.keyword, flags))
    text = None
    if inputs.copies and instruction.flag("--from") is None:
        text = inputs.copies.rewritten(scope, places)
    return with_user(instruction.head + _rest(instruction, places) if text is None else text)


def _refusal(error: LookupError | ValueError, instruction: Instruction, name: str) -> JobError:
    if isinstance(error, LookupError):
        problem = f"the build context has no {str(error.args[0])!r}, or it is a link that leads nowhere"
        return refusal(Reason.COPY_FAILED, name, instruction, problem, "Correct the path, or the link.")
    problem, advice, *_ = (*error.args, "Name the files or directories themselves.")
    return refusal(Reason.DOCKERFILE_UNSUPPORTED, name, instruction, problem, advice)


def _rest(instruction: Instruction, names: Mapping[str, str]) -> str:
    """Sources and destination, with other names for heredocs."""
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
