"""Classifies failures of the executor and crane, from their exit code and last words."""

import re
from dataclasses import dataclass, replace

from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.names import CUT, cut_names
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.registry_answer import parse_answer
from kaniko_shim.outcome.situations.situation import Situation
from kaniko_shim.outcome.situations.table import PULLING, PUSHING
from kaniko_shim.system.process import Ended

_SIGKILL = 9
_KILLED_CHILD = 137
_LONGEST_QUOTE = 700

# As Go calls them.
_SIGNALS = {
    "hangup": 1,
    "interrupt": 2,
    "quit": 3,
    "illegal instruction": 4,
    "trace/breakpoint trap": 5,
    "aborted": 6,
    "bus error": 7,
    "floating point exception": 8,
    "killed": 9,
    "user defined signal 1": 10,
    "segmentation fault": 11,
    "user defined signal 2": 12,
    "broken pipe": 13,
    "alarm clock": 14,
    "terminated": 15,
}
_RUN_EXIT = re.compile(r"waiting for process to exit: exit status (\d+)\s*$")
_RUN_SIGNAL = re.compile(r"waiting for process to exit: signal: ([a-z0-9/ ]+)")
_REGISTRY = re.compile(r"https?://([A-Za-z0-9.:\[\]-]+)/v2/")
_QUOTED_IMAGE = re.compile(r'(?:push permission for "|to destination |pushing to )([A-Za-z0-9.-]+(?::\d+)?)/')
_DIALLED = re.compile(r"(?:lookup|dial tcp) ([A-Za-z0-9.-]+)(?::\d+)?")
# An error of the instruction that the evidence names, even if it says nothing of registries and files.
_OF_A_STEP = ("failed to execute command: ", "invalid signal: ")
# Parts that say only that something failed; the message says it better.
_NOISE = re.compile(
    r"^(?:(?:Error|fatal|error building image|error building stage|error pushing image|failed to execute command"
    r"|failed to get files used from context|failed to optimize instructions|parsing dockerfile|starting command"
    r"|error checking push permissions(?: -- make sure you entered the correct tag name, and that you are "
    r"authenticated correctly, and try again)?|checking push permission for \"[^\"]*\""
    r"|creating push check transport for \S+ failed|downloading remote source file"
    r"|failed to push to destination \S+|unable to complete operation after \d+ attempts, last error): )+"
    r"|; \[?map\[.*$"
)
_NO_MIRROR = re.compile(r"not found on any configured mapped registries")
_MISSING_FILE = re.compile(r"lstat /kaniko/(?:buildcontext|deps/\d+|[^/\s]+)/(\S+): no such file")
_LINE = re.compile(r"(?:parse error on line |dockerfile parse error line |line )(\d+)")

_OF_REGISTRIES = frozenset(
    {
        Reason.RATE_LIMITED,
        Reason.REGISTRY_TLS,
        Reason.REGISTRY_UNAUTHORIZED,
        Reason.REGISTRY_UNAVAILABLE,
        Reason.PUSH_REJECTED,
        Reason.BASE_IMAGE_NOT_FOUND,
        Reason.BASE_IMAGE_UNAUTHORIZED,
    }
)
_OF_STEPS = frozenset(
    {Reason.RUN_COMMAND_FAILED, Reason.COPY_FAILED, Reason.DISK_FULL, Reason.SOURCE_UNAVAILABLE, Reason.INTERNAL}
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a program that failed.

    Attributes:
        ended: how it ended.
        error: its last words.
        log: the last lines of its output.
        pushing: whether it was pushing, as opposed to pulling base images.
        out_of_memory: whether the kernel killed a process meanwhile because memory ran out; None if that is unknown.
        instruction: the Dockerfile's current instruction.
        line: the line of the instruction; 0 if unknown.
        image: the image that it was requesting from a registry, or empty.
        registry: that image's registry, or empty.
        mirrors: errors of the mirrors of that image.
        missing: the file to copy that does not exist, or empty.
        cache_repo: the repository of the cache, if there is one.
        names: images that the error may name; their names say nothing about what failed.
    """

    ended: Ended
    error: str
    log: str = ""
    pushing: bool = False
    out_of_memory: bool | None = False
    instruction: str = ""
    line: int = 0
    image: str = ""
    registry: str = ""
    mirrors: tuple[str, ...] = ()
    missing: str = ""
    cache_repo: str = ""
    names: tuple[str, ...] = ()


def classify(evidence: Evidence) -> Failure:
    """The failure that the evidence shows."""
    return _by_ending(evidence) or _by_mirrors(evidence) or _by_words(evidence) or _unknown(evidence)


def missing_file(error: str) -> str:
    """The file that an error says is missing, relative to its context or stage; empty if none."""
    match = _MISSING_FILE.search(error)
    return match[1] if match else ""


def _by_ending(evidence: Evidence) -> Failure | None:
    ended = evidence.ended
    if ended.signal and evidence.out_of_memory:
        return Failure(Reason.OUT_OF_MEMORY, "The executor was killed because it ran out of memory.")
    if ended.signal == _SIGKILL:
        return _killed(evidence)
    if match := _RUN_EXIT.search(evidence.error):
        code = int(match[1])
        if "no space left on device" in evidence.log.lower():
            return _at(evidence, Reason.DISK_FULL, "The disk is full; a RUN step could not write.")
        if evidence.out_of_memory and code == _KILLED_CHILD:
            return _at(evidence, Reason.OUT_OF_MEMORY, "A RUN step was killed because it ran out of memory.")
        message = f"{_step(evidence)} ended with exit code {code}."
        return _at(evidence, Reason.RUN_COMMAND_FAILED, message, exit_code=code or 1)
    if match := _RUN_SIGNAL.search(evidence.error):
        if evidence.out_of_memory:
            return _at(evidence, Reason.OUT_OF_MEMORY, "A RUN step was killed because it ran out of memory.")
        name = match[1].strip()
        message = f"{_step(evidence)} was stopped by a signal ({name})."
        return _at(evidence, Reason.RUN_COMMAND_FAILED, message, exit_code=128 + _SIGNALS.get(name, _SIGKILL))
    return None


def _killed(evidence: Evidence) -> Failure:
    """The failure of an executor that something else than this shim ended by SIGKILL."""
    message = "The executor was killed (SIGKILL) from outside of the build"
    if evidence.out_of_memory is None:
        message = "The executor was killed (SIGKILL); whether it ran out of memory can't be read from its cgroup"
    else:
        message += ": it did not run out of memory"
    hint = "Build again. If it happens again, look at the log of the node, and at who may end processes there."
    where = ("", 0) if evidence.pushing else (evidence.instruction, evidence.line)
    return Failure(Reason.INTERNAL, f"{message}.", hint=hint, instruction=where[0], line=where[1])


def _by_mirrors(evidence: Evidence) -> Failure | None:
    """The failure of the mirrors, where the executor says only that none of them has the image."""
    if not _NO_MIRROR.search(evidence.error):
        return None
    found = [_by_words(replace(evidence, error=error)) for error in evidence.mirrors]
    failures = [failure for failure in found if failure]
    others = [failure for failure in failures if failure.reason is not Reason.BASE_IMAGE_NOT_FOUND]
    return next(iter(others or failures), None)


def _by_words(evidence: Evidence) -> Failure | None:
    pushing = evidence.pushing or evidence.error.startswith(("error pushing image", "error checking push permissions"))
    answer = parse_answer(evidence.error)
    names = tuple(filter(None, (*evidence.names, evidence.image, evidence.cache_repo)))
    words = cut_names(answer.request if answer else evidence.error, names)
    if answer:
        answer = replace(answer, message=cut_names(answer.message, names))
    for row in PUSHING if pushing else PULLING:
        if row.matches(words, answer):
            return _explain(row, evidence, pushing=pushing)
    return None


def _explain(row: Situation, evidence: Evidence, *, pushing: bool) -> Failure:
    registry = _registry(evidence.error) or ("" if pushing else evidence.registry)
    words = {
        "error": _quote(evidence.error),
        "registry": registry or "The registry",
        "image": evidence.image or "the image",
        "missing": evidence.missing or missing_file(evidence.error),
        "step": _step(evidence),
        **_groups(row, evidence.error),
    }
    hint = row.hint.format(**words)
    if row.reason is Reason.REGISTRY_UNAUTHORIZED and not evidence.pushing and _is_cache(evidence):
        hint = "Add credentials for CACHE_REPO to DOCKER_CONFIG_JSON, or set CACHE_READ_ONLY=true."
    of_registry = row.reason in _OF_REGISTRIES
    at_step = not pushing and (
        row.reason in _OF_STEPS
        or (of_registry and bool(evidence.image))
        or any(words in evidence.error for words in _OF_A_STEP)
    )
    line = evidence.line if at_step else 0
    if row.reason is Reason.DOCKERFILE_INVALID and (found := _LINE.search(evidence.error)):
        line = int(found[1])
    return Failure(
        row.reason,
        row.message.format(**words).rstrip(".: ") + ".",
        hint=hint,
        instruction=evidence.instruction if at_step else "",
        line=line,
        registry=registry if of_registry else "",
        situation=row.name,
    )


def _groups(row: Situation, error: str) -> dict[str, str]:
    """The words for the message, from the error as it is."""
    if row.pattern is None:
        return {}
    match = row.pattern.search(error)
    names = row.pattern.groupindex
    return {name: (match[name] or "").strip() if match else CUT for name in names}


def _unknown(evidence: Evidence) -> Failure:
    ended = evidence.ended
    how = f"was stopped by signal {ended.signal}" if ended.signal else f"exited with code {ended.code}"
    quote = _quote(evidence.error)
    message = f"The executor {how}" + (f": {quote}." if quote else ".")
    return Failure(Reason.INTERNAL, message) if evidence.pushing else _at(evidence, Reason.INTERNAL, message)


def _at(evidence: Evidence, reason: Reason, message: str, exit_code: int | None = None) -> Failure:
    return Failure(reason, message, exit_code=exit_code, instruction=evidence.instruction, line=evidence.line)


def _step(evidence: Evidence) -> str:
    return f"The RUN in line {evidence.line}" if evidence.line else "A RUN step"


def _is_cache(evidence: Evidence) -> bool:
    return bool(evidence.cache_repo) and evidence.cache_repo in evidence.error


def _registry(error: str) -> str:
    for pattern in (_REGISTRY, _QUOTED_IMAGE, _DIALLED):
        if match := pattern.search(error):
            return match[1]
    return ""


def _quote(error: str) -> str:
    text = _NOISE.sub("", " ".join(error.split())).rstrip(".")
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
