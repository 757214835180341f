"""Situations of the machine that the builder runs on, and of the executor itself."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.situation import row

EXHAUSTED = (
    row("disk full", r"no space left on device", Reason.DISK_FULL, "There was no space left on the disk: {error}"),
    row(
        "executor out of memory",
        r"fatal error: runtime: out of memory|cannot allocate memory",
        Reason.OUT_OF_MEMORY,
        "{error}",
    ),
    row("crash", r"^panic: (?P<panic>[^\[\n]+)", Reason.INTERNAL, "The executor crashed: {panic}"),
)

ENVIRONMENT = (
    row(
        "mount in the way",
        r"device or resource busy",
        Reason.INTERNAL,
        "Something is mounted where the image has something else: {error}",
        "Mount volumes below /kaniko only, or leave the place out with EXTRA_ARGS=--ignore-path=PATH.",
    ),
    row(
        "snapshot took too long",
        r"Timed out snapshotting FS in (?P<limit>\S+)",
        Reason.INTERNAL,
        "The executor gave up to look for changed files after {limit}",
        "Have fewer files in the image, or give the builder a faster disk.",
    ),
    row(
        "not permitted",
        r"operation not permitted",
        Reason.INTERNAL,
        "The builder may not do what the executor needs: {error}",
        "Run the builder as root with the capabilities CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETFCAP, SETGID, SETUID.",
    ),
)
