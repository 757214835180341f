"""The author of a Dockerfile chooses much of what a pod says, so it is bounded before it is parsed."""

import json
from typing import Any

import pytest
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.observe.pod import MAX_MESSAGE, MAX_REASON, MAX_TERMINATION_MESSAGE, ContainerFacts, observe
from imagebuild_operator.observe.progress import MAX_LINE, parse_progress
from imagebuild_operator.observe.report import MAX_IMAGES, MAX_LOG_TAIL, parse_result
from imagebuild_operator.observe.warnings import MAX_WARNING, latest_warning
from support.builds import DIGEST, SETTINGS, a_build, a_pod, after, ended
from support.linear import assert_linear

LONG = "word " * 100_000
PROGRESS = "progress: stage=1/1 step=1/1"


OWN_LINE = {"time": "now", "phase": "building", "stream": "shim"}


def pod_body(**status: object) -> dict[str, Any]:
    return {"metadata": {"name": "p", "uid": "u", "creationTimestamp": "2026-11-24T08:00:00Z"}, "status": status}


def test_the_messages_of_a_pod_are_bounded():
    terminated = {"exitCode": 1, "reason": LONG, "message": "line\n" * 100_000}
    facts = observe(
        pod_body(
            reason=LONG,
            message=LONG,
            conditions=[
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": LONG},
                {"type": "DisruptionTarget", "status": "True", "reason": LONG, "message": LONG},
            ],
            initContainerStatuses=[
                {"name": "check", "state": {"waiting": {"reason": LONG, "message": LONG}}},
                {"name": "build", "state": {"terminated": terminated}},
            ],
        )
    )
    reasons = (facts.reason, facts.disruption, facts.check.waiting_reason, facts.build.reason)
    assert all(0 < len(reason or "") <= MAX_REASON for reason in reasons)
    messages = (facts.message, facts.unschedulable, facts.disruption_message, facts.check.waiting_message)
    assert all(0 < len(message or "") <= MAX_MESSAGE for message in messages)
    assert 0 < len(facts.build.message) <= MAX_TERMINATION_MESSAGE


def test_an_event_is_bounded():
    assert 0 < len(latest_warning([{"type": "Warning", "message": LONG}]) or "") <= MAX_WARNING


@pytest.mark.parametrize(
    "message",
    [
        "[" * 4096,
        '{"message":' * 370,
        json.dumps({"dockerfileLine": 10**18}),
        json.dumps({"dockerfileLine": 2**31, "layerBytes": [2**63], "timings": {"fetchMs": 10**30}}),
        json.dumps({"message": "\ud800", "logTail": "\udfff"}),
        json.dumps({"images": [{"reference": f"r/{n}", "digest": DIGEST} for n in range(100)]}),
        "x" * 100_000,
    ],
)
def test_no_termination_message_makes_a_status_that_the_api_server_refuses(message: str):
    pod = a_pod(phase="Failed", build=ended(1, message))
    plan = decide(ReconcileInput(a_build({"retry": {"limit": 0}}), [pod], SETTINGS, after(60)))
    assert plan.status
    assert plan.status["phase"] == "Failed"
    failure = plan.status["failure"]
    assert failure.get("dockerfileLine", 0) < 2**31
    assert len(failure.get("logTail", "")) <= MAX_LOG_TAIL
    json.dumps(plan.status, ensure_ascii=False).encode()
    assert all(number < 2**63 for number in numbers(plan.status))
    assert len(parse_result(message).images) <= MAX_IMAGES


def numbers(value: object) -> list[int]:
    if isinstance(value, dict):
        return [found for item in value.values() for found in numbers(item)]
    if isinstance(value, list):
        return [found for item in value for found in numbers(item)]
    return [value] if isinstance(value, int) else []


def test_a_line_too_long_to_be_the_shims_is_passed_over():
    assert parse_progress(f'{PROGRESS} instruction="{"A" * MAX_LINE}-----END "') is None
    assert parse_progress(f'{PROGRESS}\n{PROGRESS} instruction="{"A" * MAX_LINE}"')
    assert parse_progress(json.dumps({**OWN_LINE, "message": f'{PROGRESS} instruction="\ud800"'}))


@pytest.mark.parametrize(
    "line",
    [
        f'{PROGRESS} instruction="',
        f'{PROGRESS} instruction="{"A" * 3000}-----END \n',
        f'{PROGRESS} instruction="{"eyJaaaaaaaa." * 300}"x\n',
        '{"message": "progress: ' + "[" * 2000 + "\n",
        "progress: ",
        '"',
    ],
)
@pytest.mark.shows("F30")
def test_a_log_is_read_in_linear_time(line: str):
    assert_linear(parse_progress, lambda size: line * (size // len(line) + 1), 16_384)


@pytest.mark.parametrize("piece", ["-----BEGIN PRIVATE KEY", "A" * 16 + "\n", "-eyJ", "[", '{"a":', "\\u0001", '"'])
def test_a_termination_message_is_read_in_linear_time(piece: str):
    for before, after_it in (("", ""), ('{"message": "', '"}'), ('{"warnings": ["', '"]}'), ("", "-----END ")):

        def make(size: int, before: str = before, after_it: str = after_it) -> ContainerFacts:
            message = before + piece * (size // len(piece)) + after_it
            state = {"terminated": {"exitCode": 1, "message": message}}
            return observe(pod_body(initContainerStatuses=[{"name": "build", "state": state}])).build

        assert_linear(lambda facts: parse_result(facts.message), make, 1000)
