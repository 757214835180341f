"""Situations of the machine that the builder runs on, and of the executor itself."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.situation import row

EXHAUSTED = (
    row("disk full", r"no space left on device", Reason.DISK_FULL, "The disk is full: {error}"),
    row(
        "executor out of memory",
        r"fatal error: runtime: out of memory|cannot allocate memory",
        Reason.OUT_OF_MEMORY,
        "{error}",
    ),
    row(
        "assertion",
        r"^panic: Assertion violated \[(?P<assertion>[^\]]+)\]: (?P<problem>[^\n]+)",
        Reason.INTERNAL,
        "The executor stopped, because its own check {assertion} failed: {problem}",
        "This is a bug of the executor. Report it, with the log and the Dockerfile.",
    ),
    row("crash", r"^panic: (?P<panic>[^\[\n]+)", Reason.INTERNAL, "The executor crashed: {panic}"),
)

ENVIRONMENT = (
    row(
        "mount in the way",
        r"device or resource busy",
        Reason.INTERNAL,
        "A mount is in the way of the image's files: {error}",
        "Mount volumes only below /kaniko, or exclude the path with EXTRA_ARGS=--ignore-path=PATH.",
    ),
    row(
        "snapshot took too long",
        r"Timed out snapshotting FS in (?P<limit>\S+)",
        Reason.INTERNAL,
        "The executor gave up looking for changed files after {limit}",
        "Reduce the number of files in the image, or give the builder a faster disk.",
    ),
    row(
        "not permitted",
        r"operation not permitted",
        Reason.INTERNAL,
        "The builder lacks a permission that the executor needs: {error}",
        "Run the builder as root; add capabilities CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETFCAP, SETGID, SETUID.",
    ),
)
