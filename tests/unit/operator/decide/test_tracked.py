"""When a TrackedImage gets a build, and when not: a pure function of what is wanted, what there is, and the time."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.time import format_time
from imagebuild_operator.api.tracked import TrackedImage
from imagebuild_operator.decide.tracked import (
    Cause,
    Decision,
    Past,
    State,
    decide,
    inputs_document,
    template_hash,
    with_published,
)
from imagebuild_operator.decide.tracked_status import next_status
from imagebuild_operator.observe.flux import Artifact
from imagebuild_operator.observe.watched import UNSEEN, Seen
from imagebuild_operator.pod.tracked import image_build

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
ONE, TWO = "1" * 40, "2" * 40
OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
BASE = "docker.io/library/busybox:latest"
GIT = {"source": {"git": {"url": "https://git.example/app", "revision": "main"}}}
Body = dict[str, Any]


def image(
    status: Body | None = None,
    requested: str = "",
    template: Body | None = None,
    age: timedelta = timedelta(days=9),
    **spec: Any,  # noqa: ANN401 - any field
) -> TrackedImage:
    return TrackedImage.of(
        {
            "metadata": {
                "namespace": "team",
                "name": "web",
                "uid": "uid-1",
                "resourceVersion": "7",
                "creationTimestamp": format_time(NOW - age),
                "annotations": {"imagebuild.dev/requested-at": requested} if requested else {},
            },
            "spec": {
                "template": {"spec": {**(template or GIT), "output": {"pushSecretRef": {"name": "push"}}}},
                "image": {"repositories": ["r.example/team/web"]},
                **spec,
            },
            "status": status or {},
        }
    )


SOURCE = {"source": {"interval": "5m"}}


def made(tracked: TrackedImage, decision: Decision, phase: str = "", ended: datetime = NOW, **status: object) -> Past:
    """The build that a decision starts, as the API server has it afterwards."""
    start = decision.start
    assert start is not None, decision
    manifest = image_build(
        tracked,
        start.number,
        start.inputs.commit,
        inputs_document(start),
        start.inputs.hash,
        cache=start.cache,
        artifact=start.artifact,
    )
    metadata = {
        **manifest["metadata"],
        "uid": f"uid-{start.number}",
        "resourceVersion": "7",
        "creationTimestamp": format_time(ended),
    }
    finished = {"completionTime": format_time(ended)} if phase in {"Succeeded", "Failed", "Cancelled"} else {}
    return Past.of({**manifest, "metadata": metadata, "status": {"phase": phase or "Pending", **finished, **status}})


def built(tracked: TrackedImage, commit: str = ONE, **status: object) -> Past:
    status = {"baseImages": [{"reference": BASE, "digest": OLD}], **status}
    return made(tracked, decide(tracked, Seen(commit), (), NOW), "Succeeded", NOW - timedelta(hours=1), **status)


def causes(decision: Decision) -> list[str]:
    return [str(cause) for cause in decision.start.causes] if decision.start else []


def test_the_first_build_waits_for_the_commit_and_gets_it_whole():
    tracked = image(triggers=SOURCE)
    waiting = decide(tracked, replace(UNSEEN, problem="it is down"), (), NOW)
    assert (waiting.state, waiting.start) == (State.SOURCE_UNKNOWN, None)
    assert "it is down" in waiting.message
    decision = decide(tracked, Seen(ONE), (), NOW)
    assert (causes(decision), decision.start and decision.start.number) == (["Initial"], 1)
    build = made(tracked, decision)
    assert build.inputs.commit == ONE
    assert decide(tracked, Seen(ONE), [build], NOW).start is None


def test_without_a_trigger_of_the_source_the_revision_stays_as_it_is():
    tracked = image()
    decision = decide(tracked, UNSEEN, (), NOW)
    assert decision.start
    manifest = image_build(tracked, 1, decision.start.inputs.commit, {"causes": []}, "h", cache=True)
    assert manifest["spec"]["source"]["git"]["revision"] == "main"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Seen(ONE), []),
        (Seen(TWO), ["Source"]),
        (UNSEEN, []),
        (Seen(None, problem="down"), []),
        (Seen(ONE, {BASE: frozenset({"a" * 16, "c" * 16})}), []),
        (Seen(ONE, {BASE: frozenset({"b" * 16})}), ["BaseImage"]),
        (Seen(TWO, {BASE: frozenset({"b" * 16})}), ["Source", "BaseImage"]),
        (Seen(ONE, {"docker.io/library/other:1": frozenset({"b" * 16})}), []),
        (Seen(ONE, {BASE: frozenset()}), []),
    ],
)
def test_what_has_changed_starts_a_build_and_nothing_else_does(seen: Seen, expected: list[str]):
    tracked = image(triggers={**SOURCE, "baseImages": {}})
    build = built(tracked)
    decision = decide(tracked, seen, [build], NOW)
    assert causes(decision) == expected
    # The same from the status, where the build is gone.
    recorded = {
        "latestImage": "r.example/team/web@sha256:1",
        "builds": 1,
        "inputs": {
            "commit": ONE,
            "templateHash": build.inputs.template,
            "baseImages": [{"reference": BASE, "digest": OLD}],
        },
    }
    again = decide(image(recorded, triggers={**SOURCE, "baseImages": {}}), seen, (), NOW)
    assert causes(again) == expected
    assert again.start is None or again.start.number == 2


def test_a_new_image_for_another_platform_starts_nothing():
    tracked = image(triggers={"baseImages": {}}, template={"source": {"url": "https://x.example/a.zip"}})
    entries = [
        {"platform": each, "baseImages": [{"reference": BASE, "digest": digest}]}
        for each, digest in (("a", OLD), ("b", NEW))
    ]
    build = built(tracked, baseImages=[], platforms=entries)
    assert causes(decide(tracked, Seen(images={BASE: frozenset({"a" * 16, "b" * 16, "d" * 16})}), [build], NOW)) == []
    assert causes(decide(tracked, Seen(images={BASE: frozenset({"a" * 16, "d" * 16})}), [build], NOW)) == ["BaseImage"]


@pytest.mark.parametrize(
    ("change", "rebuilds"),
    [
        ({"target": "final"}, True),
        ({"buildArgs": [{"name": "A", "value": "1"}]}, True),
        ({"output": {"labels": {"a": "b"}}}, True),
        ({"timeoutSeconds": 60, "priority": 5, "resources": {}, "retry": {}}, False),
        ({"output": {"pushSecretRef": {"name": "other"}}, "pullSecretRefs": [{"name": "x"}]}, False),
        ({"source": {"git": {"url": "https://git.example/app", "revision": "v2", "secretRef": {"name": "s"}}}}, False),
        ({"source": {"git": {"url": "https://git.example/other", "revision": "main"}}}, True),
    ],
)
def test_only_what_the_image_depends_on_counts(change: Body, *, rebuilds: bool):
    before, after = image(triggers=SOURCE), image(triggers=SOURCE, template={**GIT, **change})
    if "output" in change:
        after = image(triggers=SOURCE)
        spec = {**after.spec.template, **change}
        after.__dict__["spec"] = replace(after.spec, template=spec)
    assert (template_hash(before.spec) != template_hash(after.spec)) is rebuilds
    assert causes(decide(after, Seen(ONE), [built(before)], NOW)) == (["Template"] if rebuilds else [])


def test_a_commit_that_changes_nothing_that_counts_starts_nothing():
    tracked = image(triggers={"source": {"paths": ["services/web/**"]}})
    this, that = "a" * 64, "b" * 64
    first = made(tracked, decide(tracked, Seen(ONE, tree=this), (), NOW), "Succeeded", NOW - timedelta(hours=1))
    assert (first.inputs.commit, first.inputs.tree) == (ONE, this)
    assert decide(tracked, Seen(TWO, tree=this), [first], NOW).state is State.UP_TO_DATE
    decision = decide(tracked, Seen(TWO, tree=that), [first], NOW)
    assert causes(decision) == ["Source"]
    # A failure is one of these files, whatever else is committed; after a restart, too.
    failed = made(tracked, decision, "Failed", NOW)
    assert decide(tracked, Seen("3" * 40, tree=that), [first, failed], NOW).failures == 1
    assert decide(tracked, UNSEEN, [first, failed], NOW).failures == 1
    # Where paths are set, or removed, later, the commit counts.
    plain = made(image(triggers=SOURCE), decide(image(triggers=SOURCE), Seen(ONE), (), NOW), "Succeeded")
    assert decide(tracked, Seen(ONE, tree=this), [plain], NOW).state is State.UP_TO_DATE
    assert causes(decide(tracked, Seen(TWO, tree=this), [plain], NOW + timedelta(1))) == ["Source"]
    assert causes(decide(image(triggers=SOURCE), Seen(TWO), [first], NOW)) == ["Source"]


def test_a_request_counts_once_and_before_any_pause():
    tracked = image(requested="now", triggers=SOURCE, minInterval="9h")
    build = built(image(triggers=SOURCE))
    decision = decide(tracked, Seen(ONE), [build], NOW)
    assert causes(decision) == ["Requested"]
    next_build = made(tracked, decision, "Succeeded")
    assert decide(tracked, Seen(ONE), [build, next_build], NOW).state is State.UP_TO_DATE
    assert (
        decide(image({"lastRequest": "now"}, requested="now", triggers=SOURCE), Seen(ONE), [build], NOW).start is None
    )


def test_the_interval_between_builds_is_kept():
    tracked = image(triggers=SOURCE, minInterval="2h")
    build = built(tracked)
    decision = decide(tracked, Seen(TWO), [build], NOW)
    assert (decision.state, decision.causes) == (State.WAITING, (Cause.SOURCE,))
    assert decision.until == NOW + timedelta(hours=1)
    assert causes(decide(tracked, Seen(TWO), [build], NOW + timedelta(hours=1))) == ["Source"]


def test_the_same_inputs_are_tried_again_later_and_later_and_new_ones_at_once():
    tracked = image(triggers=SOURCE, failure={"backoff": {"initial": "1m", "max": "3m"}})
    builds = [built(tracked)]
    now = NOW
    for failures, minutes in ((1, 1), (2, 2), (3, 3), (4, 3)):
        builds.append(made(tracked, decide(tracked, Seen(TWO), builds, now), "Failed", now, message="RUN failed."))
        decision = decide(tracked, Seen(TWO), builds, now)
        assert (decision.state, decision.failures, decision.start) == (State.BUILD_FAILED, failures, None)
        assert "RUN failed." in decision.message
        assert decision.until == now + timedelta(minutes=minutes)
        assert causes(decide(tracked, Seen("3" * 40), builds, now)) == ["Source"]
        now += timedelta(minutes=minutes)
    # Back at the commit of the latest image, there is nothing to do.
    assert decide(tracked, Seen(ONE), builds, now).state is State.UP_TO_DATE


def test_a_build_that_somebody_cancelled_is_not_tried_again_by_itself():
    tracked = image(triggers=SOURCE)
    builds = [built(tracked)]
    builds.append(made(tracked, decide(tracked, Seen(TWO), builds, NOW), "Cancelled", NOW))
    assert decide(tracked, Seen(TWO), builds, NOW + timedelta(days=9)).start is None
    assert causes(decide(tracked, Seen("3" * 40), builds, NOW)) == ["Source"]
    assert causes(decide(image(requested="x", triggers=SOURCE), Seen(TWO), builds, NOW)) == ["Source", "Requested"]


def test_newer_inputs_replace_a_build_that_waits_and_wait_for_one_that_runs():
    tracked = image(triggers=SOURCE)
    first = built(tracked)
    waits = made(tracked, decide(tracked, Seen(TWO), [first], NOW))
    decision = decide(tracked, Seen("3" * 40), [first, waits], NOW)
    assert (decision.replaced, causes(decision), decision.start and decision.start.number) == (waits, ["Source"], 3)
    runs = made(tracked, decide(tracked, Seen(TWO), [first], NOW), "Building", podName="p")
    decision = decide(tracked, Seen("3" * 40), [first, runs], NOW)
    assert (decision.replaced, decision.start, decision.state) == (None, None, State.BUILDING)


WEEKLY = {"schedule": {"cron": "0 4 * * 1", "timeZone": "Europe/Berlin"}}
#: Monday, 04:00 in Berlin.
MONDAY = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)


def test_a_schedule_that_was_missed_runs_once():
    tracked = image(triggers=WEEKLY, age=timedelta(days=90))
    build = replace(built(image()), created=MONDAY - timedelta(days=60), finished=MONDAY - timedelta(days=60))
    late = MONDAY + timedelta(days=3, hours=5)
    decision = decide(tracked, UNSEEN, [build], late)
    assert causes(decision) == ["Schedule"]
    assert decide(tracked, UNSEEN, [build, made(tracked, decision, "Succeeded", late)], late).start is None
    after = decide(tracked, UNSEEN, [build, made(tracked, decision, "Succeeded", late)], late).until
    assert after == MONDAY + timedelta(days=7)


def test_a_schedule_for_old_images_only():
    triggers = {"schedule": {**WEEKLY["schedule"], "ifOlderThan": "7d", "cache": False}}
    tracked = image(triggers=triggers, age=timedelta(days=90))
    build = built(image())
    young = replace(build, finished=MONDAY - timedelta(days=2))
    decision = decide(tracked, UNSEEN, [young], MONDAY)
    assert (decision.start, decision.ticked) == (None, MONDAY)
    old = replace(build, created=MONDAY - timedelta(days=8), finished=MONDAY - timedelta(days=8))
    start = decide(tracked, UNSEEN, [old], MONDAY).start
    assert start
    assert start.cache is False


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        # The hour that is skipped in spring, and the one that is repeated in autumn.
        ("30 2 * * *", datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("30 2 * * *", datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("30 2 * * *", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_schedule_over_a_change_of_clocks(cron: str, after: datetime, expected: datetime):
    schedule = image(triggers={"schedule": {"cron": cron, "timeZone": "Europe/Berlin"}}).spec.schedule
    assert schedule
    assert schedule.next(after) == expected


def test_suspended_nothing_is_started_and_the_schedule_passes():
    tracked = image(triggers={**SOURCE, **WEEKLY}, suspend=True, age=timedelta(days=90))
    decision = decide(tracked, Seen(TWO), [built(image(triggers=SOURCE))], MONDAY)
    assert (decision.state, decision.start, decision.ticked) == (State.SUSPENDED, None, MONDAY)


def test_an_output_that_is_an_input_is_refused():
    tracked = image(triggers={"baseImages": {}})
    build = built(tracked, baseImages=[{"reference": "r.example/team/web:1", "digest": OLD}])
    decision = decide(tracked, UNSEEN, [build], NOW)
    assert decision.state is State.OUTPUT_IS_INPUT
    assert "r.example/team/web:1" in decision.message
    # It can't loop where nobody looks.
    assert decide(image(), UNSEEN, [build], NOW).state is not State.OUTPUT_IS_INPUT


def test_what_another_tracked_image_makes_is_known_before_anybody_looks():
    base = image(
        {
            "latestImage": f"r.example/team/web@{NEW}",
            "latestTag": "7",
            "latestBuild": {"completionTime": format_time(NOW)},
        },
        image={"repositories": ["r.example/team/web"], "movingTags": ["latest"]},
    )
    assert base.published == (frozenset({"r.example/team/web:latest", "r.example/team/web:7"}), NEW)
    bases = [("r.example/team/web:latest", OLD), (BASE, OLD)]
    seen = with_published(Seen(ONE, {BASE: frozenset({"c" * 16})}), bases, [base])
    assert seen.images == {"r.example/team/web:latest": frozenset({"b" * 16}), BASE: frozenset({"c" * 16})}
    assert with_published(Seen(ONE), [(BASE, OLD)], [base]) == Seen(ONE)
    # Who has looked since knows better: somebody else may have pushed.
    looked = Seen(at=NOW + timedelta(seconds=1))
    assert with_published(looked, bases, [base]) is looked
    assert with_published(replace(looked, at=NOW - timedelta(seconds=1)), bases, [base]).images
    # Of an index, the digests of the platforms are not known.
    several = base.raw["template"]["spec"] | {"output": {"platforms": ["linux/amd64", "linux/arm64"]}}
    assert replace_template(base, several).published == (frozenset(), "")


def replace_template(tracked: TrackedImage, template: Body) -> TrackedImage:
    raw = {**tracked.raw, "template": {"spec": template}}
    return TrackedImage(**{**{each.name: getattr(tracked, each.name) for each in fields(tracked)}, "raw": raw})


def test_the_build_as_a_whole():
    spec: Body = {
        "image": {
            "repositories": ["r.example/team/web", "s.example/web"],
            "tags": ["{branch}-{number}-{shortCommit}"],
            "movingTags": ["latest"],
        },
        "triggers": SOURCE,
    }
    tracked = image(**spec, template={**GIT, "cache": {"enabled": True}})
    decision = decide(tracked, Seen(ONE), (), NOW)
    start = decision.start
    assert start
    manifest = image_build(tracked, 1, ONE, inputs_document(start), start.inputs.hash, cache=False)
    inputs = {"causes": ["Initial"], "commit": ONE, "template": start.inputs.template}
    assert json.loads(manifest["metadata"]["annotations"]["imagebuild.dev/inputs"]) == inputs
    tags = ("main-1-11111111", "latest")
    assert manifest == {
        "apiVersion": "imagebuild.dev/v1alpha1",
        "kind": "ImageBuild",
        "metadata": {
            "name": "web-1",
            "namespace": "team",
            "labels": {
                "imagebuild.dev/tracked-image": "web",
                "imagebuild.dev/number": "1",
                "imagebuild.dev/inputs-hash": start.inputs.hash,
            },
            "annotations": manifest["metadata"]["annotations"],
            "ownerReferences": [
                {
                    "apiVersion": "imagebuild.dev/v1alpha1",
                    "kind": "TrackedImage",
                    "name": "web",
                    "uid": "uid-1",
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": {
            "source": {"git": {"url": "https://git.example/app", "revision": ONE}},
            "cache": {"enabled": False},
            "output": {
                "pushSecretRef": {"name": "push"},
                "images": [f"{each}:{tag}" for each in ("r.example/team/web", "s.example/web") for tag in tags],
            },
        },
    }


def test_builds_that_nobody_waits_for_come_last():
    def priority(*why: str, **template: object) -> object:
        tracked = image(template={**GIT, **template})
        return image_build(tracked, 1, "", {"causes": list(why)}, "h", cache=True)["spec"].get("priority")

    assert priority("BaseImage") == priority("BaseImage", "Schedule") == -100
    assert priority("Source", "BaseImage") is None
    assert priority("BaseImage", priority=7) == 7


@pytest.mark.parametrize(
    "schedule",
    [
        {"cron": "a b c d e"},
        {"cron": "* * * *"},
        {"cron": "* * * * *", "timeZone": "../x"},
        {"cron": "* * * * *", "timeZone": "Europe/Atlantis"},
    ],
)
def test_a_schedule_that_is_none(schedule: Body):
    with pytest.raises(InvalidSpecError, match=r"spec.triggers.schedule\."):
        _ = image(triggers={"schedule": schedule}).spec


SEEN = st.builds(Seen, st.sampled_from([None, ONE, TWO]), st.just({}) | st.just({BASE: frozenset({"b" * 16})}))
STEPS = st.lists(
    st.tuples(SEEN, st.sampled_from(["Succeeded", "Failed", "Building", ""]), st.integers(0, 600)), max_size=12
)


@given(STEPS)
def test_whatever_happens_no_cause_is_built_twice_and_none_is_forgotten(steps: Sequence[tuple[Seen, str, int]]):
    tracked = image(triggers={**SOURCE, "baseImages": {}})
    builds: list[Past] = []
    now = NOW
    for seen, phase, minutes in steps:
        now += timedelta(minutes=minutes)
        decision = decide(tracked, seen, builds, now)
        if decision.replaced:
            builds.remove(decision.replaced)
        if decision.start is None:
            continue
        bases = NEW if seen.images else OLD
        status = {"baseImages": [{"reference": BASE, "digest": bases}], **({"podName": "p"} if phase else {})}
        builds.append(made(tracked, decision, phase, now, **status))
        # Asked again at once, it has nothing to say.
        assert decide(tracked, seen, builds, now).start is None
        numbers = [build.number for build in builds]
        assert numbers == sorted(set(numbers))
        if phase == "Building":
            return
    if builds and builds[-1].finished:
        # In the end, what is wanted is built, or tried.
        later = now + timedelta(days=30)
        decision = decide(tracked, Seen(TWO), builds, later)
        good = [build for build in builds if build.phase == "Succeeded"]
        assert decision.start is not None or (good and good[-1].inputs.commit == TWO)


@pytest.mark.parametrize("annotation", ['{"causes": 7}', '{"causes": "Source"}', "[]", "7", "{", '{"commit": []}'])
def test_an_annotation_that_was_written_by_hand_is_a_build_without_known_inputs(annotation: str):
    body = {
        "metadata": {
            "name": "web-1",
            "uid": "uid-1",
            "resourceVersion": "7",
            "creationTimestamp": format_time(NOW),
            "annotations": {"imagebuild.dev/inputs": annotation},
        },
    }
    build = Past.of(body)
    assert (build.causes, build.inputs.commit, build.number) == ((), "", 0)


def test_builds_that_a_base_image_starts_are_spread_and_a_restart_does_not_start_the_wait_again():
    triggers = {"source": {"interval": "5m"}, "baseImages": {"interval": "1h", "spread": "2h"}}
    moved = Seen(ONE, images={BASE: frozenset({NEW.partition(":")[2][:16]})})

    def waiting(uid: str, status: Body | None = None) -> tuple[TrackedImage, Decision]:
        tracked = replace(image(status, triggers=triggers), uid=uid)
        return tracked, decide(tracked, moved, [built(tracked)], NOW)

    tracked, first = waiting("uid-1")
    assert (first.state, first.causes, first.since) == (State.WAITING, (Cause.BASE_IMAGE,), NOW)
    assert "spread over time" in first.message
    assert first.until
    assert NOW < first.until < NOW + timedelta(hours=2)
    assert first.until not in {waiting(f"uid-{number}")[1].until for number in range(2, 50)}
    # What was recorded counts, whoever decides next, and whenever.
    pending = next_status(tracked, first, [built(tracked)], moved, NOW)["pending"]
    assert pending["since"] == format_time(NOW)
    tracked, _ = waiting("uid-1", {"pending": pending})
    later = NOW + timedelta(minutes=1)
    assert decide(tracked, moved, [built(tracked)], later).until == first.until
    due = decide(tracked, moved, [built(tracked)], first.until)
    assert causes(due) == ["BaseImage"]
    # A new commit does not wait for it, nor does somebody who asks.
    assert causes(decide(tracked, replace(moved, commit=TWO), [built(tracked)], later)) == ["Source", "BaseImage"]
    asked = replace(tracked, requested="now")
    assert causes(decide(asked, moved, [built(tracked)], later)) == ["BaseImage", "Requested"]


FLUX = {"source": {"fluxRef": {"kind": "GitRepository", "name": "web"}}}
ARTIFACT = Artifact("http://source-controller.flux-system.svc/web/1.tar.gz", "c" * 64, ONE, "main")
FETCHED = Seen(ONE, at=NOW, tree=ARTIFACT.sha256, artifact=ARTIFACT)


def test_an_artifact_of_flux_is_built_by_its_checksum():
    tracked = image(template={"contextDir": "web"}, triggers=FLUX)
    decision = decide(tracked, FETCHED, [], NOW)
    assert decision.start
    manifest = image_build(
        tracked, 1, ONE, inputs_document(decision.start), "hash", cache=True, artifact=decision.start.artifact
    )
    assert manifest["spec"]["source"] == {"http": {"url": ARTIFACT.url, "sha256": ARTIFACT.sha256}}
    assert manifest["spec"]["contextDir"] == "web"


def test_what_flux_had_the_last_time_is_not_built_again():
    """After a restart nothing is known of Flux, and its old artifact may be gone."""
    tracked = image(template={"contextDir": "web"}, triggers=FLUX)
    assert decide(tracked, UNSEEN, [], NOW).message == "Waiting for the artifact of GitRepository web."
    done = made(tracked, decide(tracked, FETCHED, [], NOW), "Succeeded")
    assert decide(tracked, UNSEEN, [done], NOW).state is State.UP_TO_DATE
    asked = image(template={"contextDir": "web"}, triggers=FLUX, requested="now")
    decision = decide(asked, UNSEEN, [done], NOW)
    assert (decision.state, decision.start) == (State.SOURCE_UNKNOWN, None)
    # Nor is one that waits replaced by it.
    waiting = made(tracked, decide(tracked, FETCHED, [], NOW))
    changed = image(template={"contextDir": "other"}, triggers=FLUX)
    assert decide(changed, UNSEEN, [waiting], NOW).replaced is None
    assert decide(changed, FETCHED, [waiting], NOW).replaced is waiting


def test_another_artifact_with_the_same_content_starts_no_build():
    tracked = image(template={"contextDir": "web"}, triggers=FLUX)
    done = made(tracked, decide(tracked, FETCHED, [], NOW), "Succeeded")
    later = replace(FETCHED, commit=TWO, artifact=replace(ARTIFACT, commit=TWO))
    assert decide(tracked, later, [done], NOW).state is State.UP_TO_DATE
    other = replace(later, tree="d" * 64)
    assert decide(tracked, other, [done], NOW).causes == (Cause.SOURCE,)


def test_a_source_that_has_changed_is_built_when_its_own_commit_is_seen():
    """The last commit is one of the repository before."""
    tracked = image(triggers=SOURCE)
    done = made(tracked, decide(tracked, Seen(ONE, at=NOW), [], NOW), "Succeeded")
    moved = image(template={"source": {"git": {"url": "https://git.example/other"}}}, triggers=SOURCE)
    decision = decide(moved, UNSEEN, [done], NOW)
    assert (decision.state, decision.start) == (State.SOURCE_UNKNOWN, None)
    started = decide(moved, Seen(TWO, at=NOW), [done], NOW).start
    assert started
    assert started.inputs.commit == TWO
    # Nothing else that is due is built of a source that nobody has seen, either.
    asked = image(triggers=SOURCE, requested="now")
    assert decide(asked, Seen(problem="The server does not answer."), [done], NOW).message.endswith("does not answer.")
    # What was built stays the newest, and nothing else is said.
    assert decide(tracked, UNSEEN, [done], NOW).state is State.UP_TO_DATE
