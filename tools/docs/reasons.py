"""Generates docs/reference/reasons.md from the operator's table of reasons."""

from imagebuild_operator.api.reason_rows import ROWS, Cause, Row
from imagebuild_operator.decide.record import EVENTS

HEAD = """\
# Reasons

<!-- Generated from operator/imagebuild_operator/api/reason_rows.py by tools/docs/reasons.py. -->

Reference for authors of builds and for operators of the cluster: why a build waits or has failed, and what to do next.

The reason is in `status.reason`, in the conditions and in the Events. `status.message` is a sentence about this build
that ends with what to do next. `status.failure` has the failing instruction, its line, the exit code and the end of the
log.

The spec of an ImageBuild is immutable. To build again after a failure, with or without a corrected field, run
`kubectl replace --force -f FILE`, or create an ImageBuild with another name:
[Follow a build, and build again](../how-to/follow-a-build.md#build-again).

A build that succeeds with a problem, such as a cache that could not be written, has no reason: read `status.warnings`,
or the Event of type Warning with the reason `BuildWarning`.

The last column says whether the operator retries automatically; set `spec.retry.limit: 0` to forbid it. Every attempt
that has ended is in `status.attempts`.
"""

EVENTS_HEAD = """
## Events

The operator writes one Event about the ImageBuild, and one line in its own log, for each change of phase or reason.
The Event's reason is one from the tables above, or one of these. Its type is Warning if somebody may have to act, and
Normal for builds that succeed, wait for their turn, or were cancelled.

| reason | meaning |
|---|---|"""

TITLES = {
    Cause.USER: "For the author of the build",
    Cause.INFRASTRUCTURE: "For operators of the cluster and the registries",
}


def render() -> str:
    """The page."""
    parts = [HEAD]
    for cause, title in TITLES.items():
        parts += [f"\n## {title}\n", "| reason | meaning | what to do | retried |", "|---|---|---|---|"]
        parts += [
            f"| {reason} | {row.meaning} | {_to_do(row)} | {row.retry} |"
            for reason, row in ROWS.items()
            if row.cause is cause
        ]
    parts += [EVENTS_HEAD, *(f"| {reason} | {meaning} |" for reason, meaning in EVENTS.items())]
    return "\n".join(parts) + "\n"


def _to_do(row: Row) -> str:
    """What to do about a reason, while the build waits and after it has failed."""
    match row:
        case Row(advice="", waiting=""):
            return "Wait: the build starts when its turn comes."
        case Row(advice="") | Row(waiting=""):
            return row.advice or f"While the build waits: {row.waiting}"
        case _:
            return f"While the build waits: {row.waiting}<br>After it has failed: {row.advice}"
