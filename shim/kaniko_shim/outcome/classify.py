"""Classifies failures of the executor and crane, from their exit code and last words."""

import re
from dataclasses import replace

from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.evidence import Evidence
from kaniko_shim.outcome.explain import by_words, quote
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.tries import by_tries

_NO_SPACE = "no space left on device"
_ROOM_IS_LEFT = (
    "It printed that no space is left, but the builder's disk has room: look at the last lines of the log, at /dev/shm "
    "and at volumes that it writes to."
)
_SIGKILL = 9
# Signals by which others end a process, as opposed to those of a crash.
_FROM_OUTSIDE = {1: "SIGHUP", 2: "SIGINT", 9: "SIGKILL", 15: "SIGTERM"}
_KILLED_CHILD = 137

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
_NOT_STARTED = re.compile(r"^\[FATAL tini \(\d+\)\] exec (?P<file>.*) failed: (?P<problem>.*)$", re.MULTILINE)
_RUN_SIGNAL = re.compile(r"waiting for process to exit: signal: ([a-z0-9/ ]+)")


def classify(evidence: Evidence) -> Failure:
    """The failure that the evidence shows."""
    return _by_ending(evidence) or by_tries(evidence) or by_words(evidence) or _unknown(evidence)


def _by_ending(evidence: Evidence) -> Failure | None:
    ended = evidence.ended
    if ended.signal and evidence.out_of_memory:
        return Failure(Reason.OUT_OF_MEMORY, "The executor was killed because it ran out of memory.")
    if ended.signal in _FROM_OUTSIDE:
        return _killed(evidence)
    if match := _RUN_EXIT.search(evidence.error):
        code = int(match[1])
        if evidence.disk_full:
            return _at(evidence, Reason.DISK_FULL, "The disk is full; a RUN step could not write.")
        if evidence.out_of_memory and code == _KILLED_CHILD:
            return _at(evidence, Reason.OUT_OF_MEMORY, "A RUN step was killed because it ran out of memory.")
        if failure := _not_started(evidence, code):
            return failure
        message = f"{evidence.step} ended with exit code {code}."
        hint = _ROOM_IS_LEFT if _NO_SPACE in evidence.log.lower() else ""
        return _at(evidence, Reason.RUN_COMMAND_FAILED, message, exit_code=code or 1, hint=hint)
    if match := _RUN_SIGNAL.search(evidence.error):
        if evidence.out_of_memory:
            return _at(evidence, Reason.OUT_OF_MEMORY, "A RUN step was killed because it ran out of memory.")
        name = match[1].strip()
        message = f"{evidence.step} was stopped by a signal ({name})."
        return _at(evidence, Reason.RUN_COMMAND_FAILED, message, exit_code=128 + _SIGNALS.get(name, _SIGKILL))
    return None


def _not_started(evidence: Evidence, code: int) -> Failure | None:
    """The failure of a RUN that tini, which some executors start first, could not start."""
    for match in _NOT_STARTED.finditer(evidence.log):
        if not evidence.log[match.end() :].strip().partition("error building image: ")[0]:
            words = f"starting command: fork/exec {match['file']}: {match['problem'].lower()}"
            failure = by_words(replace(evidence, error=words))
            return replace(failure, exit_code=code or 1) if failure else None
    return None


def _killed(evidence: Evidence) -> Failure:
    """The failure of an executor that neither this shim nor the lack of memory ended."""
    message = f"The executor was killed ({_FROM_OUTSIDE[evidence.ended.signal]})"
    if evidence.out_of_memory is None:
        message += "; whether it ran out of memory can't be read from its cgroup"
    else:
        message += ", but did not run out of memory"
    hint = "Build again. If it happens again, look at the node's log, and for a RUN that ends processes of the builder."
    where = ("", 0) if evidence.pushing else (evidence.instruction, evidence.line)
    return Failure(Reason.INTERNAL, f"{message}.", hint=hint, instruction=where[0], line=where[1])


def _unknown(evidence: Evidence) -> Failure:
    ended = evidence.ended
    how = f"was stopped by signal {ended.signal}" if ended.signal else f"exited with code {ended.code}"
    words = quote(evidence.error)
    message = f"The executor {how}" + (f": {words}." if words else ".")
    return Failure(Reason.INTERNAL, message) if evidence.pushing else _at(evidence, Reason.INTERNAL, message)


def _at(evidence: Evidence, reason: Reason, message: str, exit_code: int | None = None, hint: str = "") -> Failure:
    where = (evidence.instruction, evidence.line)
    return Failure(reason, message, hint=hint, exit_code=exit_code, instruction=where[0], line=where[1])
