"""docs/reasons.md from the operator's table of reasons."""

from imagebuild_operator.api.reasons import TABLE, Cause
from imagebuild_operator.decide.record import EVENTS

HEAD = """\
# Reasons

<!-- Made from operator/imagebuild_operator/api/reasons.py by tools/docs/reasons.py. -->

Why a build waits or has failed: `status.reason`, the reason of its conditions, and of its Events. `status.message`
says it in a sentence, for this build, and what to do next; `status.failure` has the failing instruction, its line, the
exit code and the end of the log.

A build that succeeds although something went wrong, such as a cache that could not be written, has no reason; it is in
`status.warnings`, and in an Event of type Warning with the reason `BuildWarning`.

The last column says whether the operator tries again by itself; `spec.retry.limit: 0` forbids it. Each attempt that has
ended is in `status.attempts`.
"""

EVENTS_HEAD = """
## Events

Each change of phase or reason is one Event about the ImageBuild, and one line of the operator's log. Its reason is one
of the tables above, or one of these. It is a Warning where somebody may have to do something: not for builds that wait
for their turn or were cancelled.

| reason | what it means |
|---|---|"""

TITLES = {
    Cause.USER: "For the author of the build",
    Cause.INFRASTRUCTURE: "For whoever runs the cluster and the registries",
}


def render() -> str:
    """The page."""
    parts = [HEAD]
    for cause, title in TITLES.items():
        parts += [f"\n## {title}\n", "| reason | what it means | what to do | tried again |", "|---|---|---|---|"]
        parts += [
            f"| {reason} | {row.meaning} | {row.advice} | {row.retry} |"
            for reason, row in TABLE.items()
            if row.cause is cause
        ]
    parts += [EVENTS_HEAD, *(f"| {reason} | {meaning} |" for reason, meaning in EVENTS.items())]
    return "\n".join(parts) + "\n"
