"""Applies the context's `.dockerignore`, and says which of its lines hides a file."""

from dataclasses import replace
from pathlib import Path

from kaniko_shim.dockerignore.prune import prune
from kaniko_shim.dockerignore.rules import IgnoreRules, parse_rules
from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason

IGNORE_FILE = ".dockerignore"
LARGEST = 4 * 1024 * 1024
"""Maximum size of a `.dockerignore` in bytes."""


def apply_ignore_file(root: Path, context: Path, dockerfile: str) -> IgnoreRules:
    """Remove from the context what is ignored, and return the rules.

    Args:
        root: the fetched tree, which the file must lie in.
        context: the context in it.
        dockerfile: the Dockerfile's path relative to the context; empty if it does not come from there.

    Raises:
        JobError: SourceInvalid; the file has a malformed line.
    """
    # As in Docker, a file beside the Dockerfile takes the place of the context's own.
    names = [f"{dockerfile}{IGNORE_FILE}"] if dockerfile else []
    for name in (*names, IGNORE_FILE):
        content = _read(root, context / name, name)
        if content is not None:
            rules = parse_rules(content, name)
            prune(context, rules)
            return rules
    return IgnoreRules()


def explain_ignored(failure: Failure, missing: str, rules: IgnoreRules) -> Failure:
    """Add to the failure of a COPY why its source is not there, if the rules say so."""
    if failure.reason is not Reason.COPY_FAILED or not missing or "--from" in failure.instruction:
        return failure
    rule = rules.ignoring(missing.strip("/"))
    if rule is None:
        return failure
    return replace(
        failure,
        message=f"{failure.message.rstrip('.')}: {rules.name} line {rule.line} ({rule.text}) ignores it.",
        hint=f"Add the line !{missing.strip('/')} to {rules.name}, or do not copy the file.",
    )


def _read(root: Path, path: Path, name: str) -> bytes | None:
    """The content of a file, links resolved; None if there is no such file in the tree."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None
    if not real.is_relative_to(root.resolve()) or not real.is_file():
        return None
    if real.stat().st_size > LARGEST:
        raise JobError(Reason.SOURCE_INVALID, f"{name} has more than {LARGEST} bytes.")
    return real.read_bytes()
