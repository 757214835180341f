"""Finds out what the executor is and can do."""

import subprocess

from kaniko_shim.engines.kaniko.executor.abilities import FIRST, Abilities, read_abilities
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.system.paths import Paths

_TIMEOUT = 60


def probe(paths: Paths) -> Abilities:
    """The executor's abilities, from the file that was written when the image was built, or from the executor itself.

    The file's first line is the executor's size in bytes: if the executor was replaced, the file is not used.

    Raises:
        JobError: Internal; there is no executor, `--help` fails, or it is too early a version.
    """
    abilities = _abilities(paths)
    if abilities.is_too_early:
        raise JobError(
            Reason.INTERNAL,
            f"The executor is {abilities.name}, and this builder needs v{'.'.join(map(str, FIRST))} or later.",
            hint="Build the builder image with a later EXECUTOR_IMAGE.",
        )
    return abilities


def _abilities(paths: Paths) -> Abilities:
    try:
        size = paths.executor.stat().st_size
    except OSError as error:
        raise JobError(Reason.INTERNAL, f"There is no executor {paths.executor}: {error.strerror}.") from error
    try:
        head, _, text = paths.executor_help.read_text(encoding="utf-8").partition("\n")
        if head == str(size):
            return read_abilities(text)
    except OSError:
        pass
    return read_abilities(_ask(paths, "version") + _ask(paths, "--help"))


def _ask(paths: Paths, argument: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program
            [paths.executor, argument], env={}, capture_output=True, text=True, timeout=_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise JobError(Reason.INTERNAL, f"`{paths.executor} {argument}` failed: {error}.") from error
    return done.stdout + done.stderr
