import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.observe.report import MAX_LOG_TAIL, MAX_WARNINGS, Image, Result, parse_result
from support.builds import DIGEST

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    "reason",
    "message",
    "hint",
    "instruction",
    "dockerfileLine",
    "logTail",
    "digest",
    "images",
    "layerBytes",
    "baseImages",
    "source",
    "timings",
    "warnings",
]


def test_a_failure_whose_log_the_kubelet_has_cut():
    tail = 'A "quoted" line,\n\x01 C:\\new \\u0041\n' * 3
    message = json.dumps({"reason": "RunCommandFailed", "message": "RUN make failed.", "logTail": tail})
    for kept in range(message.index(tail[0], message.index("logTail")), len(message)):
        found = parse_result(message[:kept])
        assert (found.reason, found.message) == (Reason.RUN_COMMAND_FAILED, "RUN make failed.")
        assert (found.log_tail or "") == "" or tail.replace("\x01", "\ufffd").startswith(found.log_tail or "")


@pytest.mark.shows("A55")
@pytest.mark.parametrize("character", [*"\x1b\x9b\x07\r\u202e\u2066\u200f\u061c\u2028\ufeff"])
def test_what_a_terminal_would_obey_reaches_no_status(character: str):
    fields = dict.fromkeys(("message", "hint", "instruction", "logTail"), f"a{character}[2Jb")
    result = parse_result(json.dumps({"reason": "RunCommandFailed", **fields, "warnings": [f"a{character}[2Jb"]}))
    texts = [result.message, result.hint, result.instruction, result.log_tail, *result.warnings]
    assert texts == ["a�[2Jb"] * 4 + ["a [2Jb"]


def test_a_message_that_is_no_report_is_a_log():
    assert parse_result('{"reason": 7 and') == Result(log_tail='{"reason": 7 and')
    assert parse_result("") == Result()


def test_a_whole_report():
    report = {
        "version": 1,
        "reason": "PushRejected",
        "message": "The registry said no.",
        "hint": "Ask it why.",
        "instruction": "RUN make",
        "dockerfileLine": 3,
        "registry": "r.example",
        "logTail": "line",
        "digest": DIGEST,
        "images": [{"reference": "r.example/a:1", "digest": DIGEST, "sizeBytes": 5}],
        "layerBytes": [2, 3],
        "source": {"url": "https://example.com", "bytes": 7, "other": 1},
        "timings": {"fetchMs": 1, "buildMs": -1, "pushMs": "2"},
        "cache": {"hits": 1, "misses": 2},
        "warnings": ["The cache\nwas not\twritten.", "", 7, "x" * 1000],
    }
    assert parse_result(json.dumps(report)) == Result(
        reason=Reason.PUSH_REJECTED,
        message="The registry said no.",
        hint="Ask it why.",
        instruction="RUN make",
        dockerfile_line=3,
        registry="r.example",
        log_tail="line",
        digest=DIGEST,
        images=(Image("r.example/a:1", DIGEST, 5),),
        layer_bytes=(2, 3),
        source={"url": "https://example.com", "bytes": 7},
        timings={"fetchMs": 1},
        cache={"hits": 1, "misses": 2},
        warnings=("The cache was not written.", "x" * 512),
    )


def test_what_is_not_a_report_is_the_end_of_a_log():
    assert parse_result("panic: oh no\n") == Result(log_tail="panic: oh no\n")
    assert parse_result("[1, 2]") == Result(log_tail="[1, 2]")
    assert parse_result("") == Result()


def test_digests_must_be_digests():
    assert parse_result(json.dumps({"digest": "sha256:abc"})).digest is None
    assert parse_result(json.dumps({"images": [{"reference": "a", "digest": "latest"}]})).images == ()


def test_base_images_are_taken_whole_or_not_at_all():
    base = {"reference": "docker.io/library/busybox:1", "digest": DIGEST}
    read = parse_result(json.dumps({"baseImages": [base, {**base, "reference": "r.example/b"}]})).base_images
    assert [(each.reference, each.digest) for each in read] == [
        *(("docker.io/library/busybox:1", DIGEST), ("r.example/b", DIGEST))
    ]
    for wrong in ([base, {**base, "digest": "latest"}], [base, {"digest": DIGEST}], [base] * 33, base, "x", [1]):
        assert parse_result(json.dumps({"baseImages": wrong})).base_images == ()


def test_sizes_of_layers_are_taken_whole_or_not_at_all():
    for sizes in ([1, "2"], [1, -2], [True], "12", {"1": 2}):
        assert parse_result(json.dumps({"layerBytes": sizes})).layer_bytes == ()


@pytest.mark.shows("A32", "F20")
@given(st.text() | st.dictionaries(st.sampled_from(FIELDS), JSON).map(json.dumps))
def test_no_message_can_break_the_operator(message: str):
    result = parse_result(message)
    for text in (result.message, result.hint, result.log_tail, result.instruction):
        assert text is None or not any(ord(c) < 32 and c not in "\n\t" for c in text)
    assert len(result.log_tail or "") <= MAX_LOG_TAIL
    assert len(result.warnings) <= MAX_WARNINGS
