from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.build import Platform
from imagebuild_operator.api.traceparent import TraceContext, parent, parse_traceparent, span_id, trace_of
from imagebuild_operator.telemetry.trace import Span, Trace, trace
from support.builds import DIGEST, START, UID, a_build, after

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ANNOTATED = {"annotations": {"imagebuild.dev/traceparent": GIVEN}}
STARTED = {"phase": "Building", "startTime": "2026-11-24T08:00:10Z"}
SUCCEEDED: dict[str, Any] = {
    "phase": "Succeeded",
    "digest": DIGEST,
    "completionTime": "2026-11-24T08:01:00Z",
    "attempts": [
        {
            "podName": "p",
            "node": "a",
            "reason": "NodeLost",
            "message": "Its node was lost.",
            "startTime": "2026-11-24T08:00:10Z",
            "completionTime": "2026-11-24T08:00:15Z",
        },
        {"podName": "q", "startTime": "2026-11-24T08:00:20Z", "completionTime": "2026-11-24T08:01:00Z"},
    ],
    "timings": {
        "scheduledMilliseconds": 500,
        "pulledMilliseconds": 1500,
        "fetchMilliseconds": 2000,
        "buildMilliseconds": 30000,
        "pushMilliseconds": 4000,
    },
}


def spans(made: Trace | None) -> dict[str, Span]:
    assert made
    return {
        span.name if span.name != "attempt" else f"attempt {span.attributes['imagebuild.attempt']}": span
        for span in made.spans
    }


def times(span: Span) -> tuple[datetime, datetime]:
    return span.start, span.end


@pytest.mark.parametrize("text", [GIVEN, f" {GIVEN} ", GIVEN.replace("00-4b", "42-4b") + "-more"])
def test_a_traceparent_is_read(text: str):
    read = parse_traceparent(text)
    assert read == TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", is_sampled=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        GIVEN.upper(),
        GIVEN + "-more",
        GIVEN.replace("00-4b", "ff-4b"),
        GIVEN.replace("00f067aa0ba902b7", "0" * 16),
        GIVEN.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        GIVEN.replace("4bf9", "4bfg"),
    ],
)
def test_a_malformed_one_is_as_good_as_none(text: str):
    assert parse_traceparent(text) is None


@given(st.from_regex(r"[0-9a-f]{32}", fullmatch=True), st.from_regex(r"[0-9a-f]{16}", fullmatch=True), st.booleans())
def test_what_is_written_is_read_back(trace_id: str, span: str, is_sampled: bool):  # noqa: FBT001 - drawn
    context = TraceContext(trace_id, span, is_sampled)
    if int(trace_id, 16) and int(span, 16):
        assert parse_traceparent(str(context)) == context


def test_without_an_annotation_the_uid_is_the_trace():
    build = a_build()
    assert trace_of(build).trace_id == UID.replace("-", "")
    assert parent(build) is None
    assert len(trace_of(a_build(uid="not-a-uuid")).trace_id) == 32


def test_with_one_the_build_is_a_part_of_that_trace():
    build = a_build(None, None, **ANNOTATED)
    assert trace_of(build).trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert spans(trace(build, SUCCEEDED))["ImageBuild"].parent_id == "00f067aa0ba902b7"


def test_a_success_is_told_by_where_its_time_went():
    found = spans(trace(a_build(status=STARTED), SUCCEEDED))
    root, last = found["ImageBuild"], found["attempt 2"]
    assert (root.parent_id, root.error, times(root)) == (None, None, (START, after(60)))
    assert root.attributes == {
        "cicd.pipeline.name": "app",
        "cicd.pipeline.run.id": UID,
        "cicd.pipeline.result": "success",
        "k8s.namespace.name": "team",
        "imagebuild.digest": DIGEST,
    }
    assert times(found["queue"]) == (START, after(10))
    assert (found["attempt 1"].error, times(found["attempt 1"])) == ("Its node was lost.", (after(10), after(15)))
    assert (last.error, times(last)) == (None, (after(20), after(60)))
    assert {name: times(span) for name, span in found.items() if span.parent_id == last.span_id} == {
        "schedule": (after(20), after(20.5)),
        "pull": (after(20.5), after(22)),
        "fetch": (after(24), after(26)),
        "build": (after(26), after(56)),
        "push": (after(56), after(60)),
    }


def test_a_failure_says_why():
    failed = {"phase": "Failed", "reason": "Internal", "message": "It broke.", "completionTime": "2026-11-24T08:01:00Z"}
    found = spans(trace(a_build(status=STARTED), failed))
    assert found["ImageBuild"].error == "It broke."
    assert found["ImageBuild"].attributes["error.type"] == "Internal"
    assert found["ImageBuild"].attributes["cicd.pipeline.result"] == "failure"


def test_each_platform_has_attempts_of_its_own():
    attempt = {"podName": "p", "startTime": "2026-11-24T08:00:10Z", "completionTime": "2026-11-24T08:00:40Z"}
    platforms = [
        {"platform": name, "phase": "Succeeded", "startTime": "2026-11-24T08:00:10Z", "attempts": [attempt]}
        for name in ("linux/amd64", "linux/arm64")
    ]
    made = trace(a_build(status=STARTED), {**SUCCEEDED, "attempts": None, "platforms": platforms})
    assert made
    names = [span.name for span in made.spans]
    assert names == ["ImageBuild", "queue", "platform", "attempt", "platform", "attempt"]
    assert made.spans[5].parent_id == made.spans[4].span_id
    assert len({span.span_id for span in made.spans}) == 6


def test_the_attempt_at_the_index_does_not_take_the_steps_of_the_platforms():
    attempt = {"podName": "p", "startTime": "2026-11-24T08:01:20Z", "completionTime": "2026-11-24T08:01:23Z"}
    platforms = [{"platform": "linux/amd64", "phase": "Succeeded"}]
    made = trace(a_build(status=STARTED), {**SUCCEEDED, "attempts": [attempt], "platforms": platforms})
    assert made
    assert [span.name for span in made.spans] == ["ImageBuild", "queue", "attempt"]


def test_only_the_end_makes_a_trace():
    assert trace(a_build(status=STARTED), {"phase": "Pushing"}) is None
    assert trace(a_build(status=SUCCEEDED), {"message": "more words"}) is None


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "scheduledMilliseconds",
                "pulledMilliseconds",
                "fetchMilliseconds",
                "buildMilliseconds",
                "pushMilliseconds",
            ]
        ),
        st.integers(0, 10**9),
    )
)
def test_no_span_leaves_the_one_that_it_is_a_part_of(timings: dict[str, int]):
    made = trace(a_build(status=STARTED), {**SUCCEEDED, "timings": timings})
    assert made
    by_id = {span.span_id: span for span in made.spans}
    assert len(by_id) == len(made.spans)
    for span in made.spans:
        assert span.start <= span.end
        above = by_id.get(span.parent_id or "", made.spans[0])
        assert above.start <= span.start
        assert span.end <= above.end


def test_ids_do_not_change():
    assert span_id(a_build(), "1") == span_id(a_build(status=STARTED), "1") != span_id(a_build(), "2")
    assert str(Platform("linux", "amd64")) == "linux/amd64"
