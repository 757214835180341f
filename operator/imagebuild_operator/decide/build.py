"""Decide about a build as a whole. A multi-platform build has one pod for each platform, and one for the index. Pure.

Each platform follows the rules of a build without platforms, with its entry in `status.platforms` as the status. This
module adds how platforms make one build: they start together; if one fails, the others are stopped; and when all are
built, the build's own pod pushes the index.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.build import ImageBuild, known_phase
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_platforms, parse_spec
from imagebuild_operator.api.reasons import REASONS, Reason
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.cancel import cause
from imagebuild_operator.decide.lifecycle import wait_for_admission
from imagebuild_operator.decide.phase import failed_outcome
from imagebuild_operator.decide.plan import DeletePod, Plan
from imagebuild_operator.decide.queue import BEGIN, Admission
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.record import record, recorded_reason
from imagebuild_operator.status.outcome import Outcome
from imagebuild_operator.status.platforms import Platforms, failed_platform, platform_entry, revisions

#: Phases of a platform, in order.
ORDER: Final = (Phase.PENDING, Phase.QUEUED, Phase.PREPARING, Phase.BUILDING, Phase.PUSHING)


def parts(build: ImageBuild) -> tuple[ImageBuild, ...]:
    """Everything that may have a pod: each platform of a multi-platform build, and the build itself."""
    try:
        platforms = parse_platforms(build.spec)
    except InvalidSpecError:
        platforms = ()  # The error is reported where the whole spec is parsed.
    if len(platforms) <= 1:
        return (build,)
    entries: dict[str, Any] = {entry["platform"]: entry for entry in build.status.get("platforms") or ()}
    views = (
        replace(
            build,
            platform=platform,
            status=entries.get(str(platform), {}),
            whole_started=build.started,
            whole_waiting_since=build.waiting_since,
        )
        for platform in platforms
    )
    return (*views, build)


def decide_build(inputs: ReconcileInput) -> Plan:
    """Decide about one build as a whole."""
    build, pods = inputs.build, inputs.pods
    *platforms, _ = parts(build)
    if not platforms or build.is_finished:
        return decide(inputs)
    why = cause(build, inputs.admission)
    if build.started is None and not pods and why is None and inputs.admission != BEGIN:
        # They start together, or not at all.
        return wait_for_admission(inputs)

    def plan(platform: ImageBuild, failed: Mapping[str, Any] | None) -> Plan:
        own = [pod for pod in pods if platform.platform and pod.platform == platform.platform.label]
        admission = why or _stop(platform, failed) or BEGIN
        return decide(replace(inputs, build=platform, pods=own, admission=admission))

    failed = failed_platform(build.status.get("platforms") or ())
    plans = [plan(platform, failed) for platform in platforms]
    if failed is None and (failed := failed_platform(_entries(platforms, plans))) is not None:
        # It failed just now; the others are stopped in the same write.
        plans = [
            made if known_phase(entry["phase"]).is_final else plan(platform, failed)
            for platform, made, entry in zip(platforms, plans, _entries(platforms, plans), strict=True)
        ]
    if creates := tuple(create for made in plans for create in made.create):
        return Plan(create=creates)
    deletes = tuple(delete for made in plans for delete in made.delete)
    if all(platform.phase is Phase.SUCCEEDED for platform in platforms) and parse_spec(build.spec).push:
        index = decide(replace(inputs, pods=[pod for pod in pods if pod.is_index]))
        return replace(index, delete=(*index.delete, *deletes))
    return _merge(inputs, _entries(platforms, plans), plans, deletes, why)


def _stop(platform: ImageBuild, failed: Mapping[str, Any] | None) -> Admission | None:
    """Why a platform is stopped: another has failed, unless it is being stopped for the deadline already."""
    if failed is None or recorded_reason(platform) is Reason.DEADLINE_EXCEEDED:
        return None
    return Admission(Reason.CANCELLED, f"{failed['platform']} failed, and the image needs every platform.")


def _entries(platforms: Sequence[ImageBuild], plans: Sequence[Plan]) -> list[dict[str, Any]]:
    return [
        platform_entry(str(platform.platform), platform.status, plan.status or {})
        for platform, plan in zip(platforms, plans, strict=True)
    ]


def _merge(
    inputs: ReconcileInput,
    entries: Platforms,
    plans: Sequence[Plan],
    deletes: tuple[DeletePod, ...],
    why: Admission | None,
) -> Plan:
    """Record the outcome of each platform, and on the build."""
    left = [entry for entry in entries if not known_phase(entry["phase"]).is_final]
    outcome = _under_way(entries, left, why) if left else _ended(inputs.build, entries, why)
    waits = [plan.requeue_after for plan in plans if plan.requeue_after is not None]
    # The index is next, once they are recorded as built.
    requeue_after = 0.0 if outcome.phase is Phase.PUSHING and not left else min(waits, default=None)
    outcome = replace(outcome, platforms=entries)
    return record(inputs, outcome, requeue_after=requeue_after, delete=deletes)


def _under_way(entries: Platforms, left: Platforms, why: Admission | None) -> Outcome:
    """The outcome of a build whose platforms have not all ended: that of the one that has progressed least."""
    worst = min(left, key=lambda entry: ("reason" not in entry, ORDER.index(known_phase(entry["phase"]))))
    phase = known_phase(worst["phase"])
    if why is not None:
        return Outcome(phase, f"{why.message} Its pods are being stopped.", why.reason)
    failed = failed_platform(entries)
    if failed is not None:
        message = f"{failed['platform']}: {failed['message']} The other platforms are being stopped."
        return Outcome(phase, message, _reason(failed))
    if "reason" in worst:
        return Outcome(phase, f"{worst['platform']}: {worst['message']}", _reason(worst))
    return Outcome(phase, ", ".join(f"{entry['platform']} {entry['phase']}" for entry in entries) + ".")


def _ended(build: ImageBuild, entries: Platforms, why: Admission | None) -> Outcome:
    """The outcome of a build whose platforms have all ended."""
    failed = failed_platform(entries)
    if why is None and failed is not None:
        message = f"{failed['platform']}: {failed['message']}"
        return Outcome(Phase.FAILED, message, _reason(failed), failed.get("failure", {}).get("hint"))
    if any(entry["phase"] != Phase.SUCCEEDED for entry in entries):
        why = why or Admission(Reason.CANCELLED, "The build was cancelled.")
        reason = why.reason or Reason.CANCELLED
        return Outcome(Phase.CANCELLED, f"{why.message} {reason.row.advice}", reason, reason.row.advice)
    spec = parse_spec(build.spec)
    commits = revisions(entries)
    if len(commits) > 1:
        found = ", ".join(commits)
        return failed_outcome(Reason.SOURCE_CHANGED, f"{Reason.SOURCE_CHANGED.row.meaning} Commits: {found}", spec)
    names = ", ".join(str(entry["platform"]) for entry in entries)
    if not spec.push:
        return Outcome(Phase.SUCCEEDED, f"Built for {names}; not pushed.")
    return Outcome(Phase.PUSHING, f"Built for {names}. The index is pushed next.")


def _reason(entry: Mapping[str, Any]) -> Reason | None:
    reason = entry.get("reason")
    return REASONS.get(reason)
