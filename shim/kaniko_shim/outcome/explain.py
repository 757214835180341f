"""Explains an error of the executor or crane by the table of situations."""

import re
from dataclasses import replace

from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.evidence import Evidence
from kaniko_shim.outcome.names import CUT, cut_names
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.registry_answer import parse_answer
from kaniko_shim.outcome.situations.situation import Situation
from kaniko_shim.outcome.situations.table import PULLING, PUSHING

LONGEST_QUOTE = 700

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
_MISSING_FILE = re.compile(r"lstat /kaniko/(?:buildcontext|deps/\d+|[^/\s]+)/(\S+): no such file")
_LINE = re.compile(r"(?:parse error on line |dockerfile parse error line |line )(\d+)")

# The file that can't be started is not tini: what it says is of WORKDIR or USER.
_STARTS_TINI = "starting command: fork/exec /kaniko/tini: "

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


def by_words(evidence: Evidence) -> Failure | None:
    """The failure that the error's words mean; None if no row of the table of situations matches."""
    evidence = replace(evidence, error=evidence.error.replace(_STARTS_TINI, "starting command: "))
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
        "error": quote(evidence.error),
        "registry": registry or "The registry",
        "image": evidence.image or "the image",
        "missing": evidence.missing or missing_file(evidence.error),
        "step": evidence.step,
        **_groups(row, evidence.error),
    }
    hint = row.hint.format(**words)
    if row.reason is Reason.REGISTRY_UNAUTHORIZED and not hint and not evidence.pushing and _is_cache(evidence):
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
        remedy=row.remedy,
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


def missing_file(error: str) -> str:
    """The file that an error says is missing, relative to its context or stage; empty if none."""
    match = _MISSING_FILE.search(error)
    return match[1] if match else ""


def _is_cache(evidence: Evidence) -> bool:
    return bool(evidence.cache_repo) and evidence.cache_repo in evidence.error


def _registry(error: str) -> str:
    for pattern in (_REGISTRY, _QUOTED_IMAGE, _DIALLED):
        if match := pattern.search(error):
            return match[1]
    return ""


def quote(error: str, longest: int = LONGEST_QUOTE) -> str:
    """An error for a message: without the parts that say only that something failed, and not too long."""
    text = _NOISE.sub("", " ".join(error.split())).rstrip(".")
    return text if len(text) <= longest else text[: longest - 1] + "…"
