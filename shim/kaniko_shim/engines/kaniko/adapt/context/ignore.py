"""Applies the context's `.dockerignore`, and says which of its lines hides a file."""

from dataclasses import replace
from pathlib import Path

from imagebuild_dockerignore.rules import IgnoreRules

from kaniko_shim.dockerignore.find import find_rules
from kaniko_shim.dockerignore.prune import prune
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.reasons import Reason


def apply_ignore_file(root: Path, context: Path, dockerfile: str) -> IgnoreRules:
    """Remove from the context what is ignored, and return the rules.

    Args:
        root: the fetched tree, which the file must lie in.
        context: the context in it.
        dockerfile: the Dockerfile's path relative to the context; empty if it does not come from there.

    Raises:
        JobError: SourceInvalid; the file has a malformed line.
    """
    rules = find_rules(root, context, dockerfile)
    prune(context, rules)
    return rules


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
