import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.log.phases import Timings
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.report import summary
from kaniko_shim.outcome.result import LIMIT, CacheReport, PushedImage, Result, SourceReport, clean_text, encode


def same(text: str) -> str:
    return text


FAILED = Result(
    "all",
    Failure(Reason.RUN_COMMAND_FAILED, "The RUN failed.", exit_code=7, instruction="RUN make", line=12),
    log_tail="one\ntwo",
    source=SourceReport("https://***@h/x", sha256="ab", size=5),
    timings=Timings(fetch=1, build=0, total=9),
    cache=CacheReport(0, 3),
)


def test_a_failure():
    assert json.loads(encode(FAILED, same)) == {
        "version": 1,
        "command": "all",
        "outcome": "Failed",
        "exitCode": 7,
        "reason": "RunCommandFailed",
        "message": "The RUN failed.",
        "hint": "Look at the last lines of the log.",
        "instruction": "RUN make",
        "dockerfileLine": 12,
        "logTail": "one\ntwo",
        "source": {"url": "https://***@h/x", "sha256": "ab", "bytes": 5},
        "timings": {"fetchMs": 1, "buildMs": 0, "totalMs": 9},
        "cache": {"hits": 0, "misses": 3},
    }


def test_a_failure_says_whether_memory_ran_out():
    assert json.loads(encode(replace(FAILED, oom_kills=0), same))["memory"] == {"oomKills": 0}
    assert json.loads(encode(replace(FAILED, oom_kills=2), same))["memory"] == {"oomKills": 2}
    assert "memory" not in json.loads(encode(Result("push", oom_kills=2), same))


def test_a_success():
    result = Result("push", images=(PushedImage("r/a:1", "sha256:1", 10, (3, 6)), PushedImage("r/b:1", "sha256:1")))
    assert json.loads(encode(result, same)) == {
        "version": 1,
        "command": "push",
        "outcome": "Succeeded",
        "exitCode": 0,
        "digest": "sha256:1",
        "images": [
            {"reference": "r/a:1", "digest": "sha256:1", "sizeBytes": 10},
            {"reference": "r/b:1", "digest": "sha256:1"},
        ],
        "layerBytes": [3, 6],
    }


def test_many_layers_are_left_out_before_anything_else():
    image = PushedImage("r/a:1", "sha256:1", 10, (1_000_000,) * 1000)
    document = json.loads(encode(Result("push", images=(image,), warnings=("w",)), same))
    assert "layerBytes" not in document
    assert (document["images"], document["warnings"]) == (
        [{"reference": "r/a:1", "digest": "sha256:1", "sizeBytes": 10}],
        ["w"],
    )


def test_the_log_tail_is_the_first_to_be_cut_and_from_its_beginning():
    result = replace(FAILED, log_tail="\n".join(f"line {number}" for number in range(2000)))
    content = encode(result, same)
    document = json.loads(content)
    assert LIMIT - 20 < len(content) <= LIMIT
    assert document["logTail"].endswith("line 1998\nline 1999")
    assert document["message"] == "The RUN failed."
    # The kubelet cuts off what is too long for a pod with containers of others.
    assert list(document)[-1] == "logTail"


ANYTHING = st.text(max_size=9000)


@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING, st.integers(0, 60), st.lists(ANYTHING, max_size=3))
def test_it_always_fits_and_is_clean(
    message: str, instruction: str, tail: str, url: str, images: int, warnings: list[str]
):
    result = Result(
        "all",
        Failure(Reason.INTERNAL, message, instruction=instruction),
        log_tail=tail,
        images=tuple(PushedImage(f"r.example/{index}" * 5, "sha256:" + "a" * 64) for index in range(images)),
        source=SourceReport(url),
        warnings=tuple(warnings),
    )
    content = encode(result, same)
    assert len(content) <= LIMIT
    document = json.loads(content)
    assert (document["outcome"], document["reason"], document["exitCode"]) == ("Failed", "Internal", 84)
    for value in document.values():
        if isinstance(value, str):
            assert clean_text(value) == value


@pytest.mark.shows("A32")
def test_control_characters_and_broken_unicode_are_taken_out():
    assert clean_text("a\x1b[31mb\x00c\td\ne\udc80") == "a[31mbc\td\ne?"


def test_secrets_are_masked_in_every_text():
    result = replace(FAILED, log_tail="tail s3cret", warnings=("warn s3cret",))
    content = encode(result, lambda text: text.replace("s3cret", "***").replace("RUN make", "RUN ***"))
    assert b"s3cret" not in content
    assert json.loads(content)["instruction"] == "RUN ***"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (
            FAILED,
            [
                "FAILED after 0.0 s, RunCommandFailed: The RUN failed.",
                "at line 12: RUN make",
                "Look at the last lines of the log.",
            ],
        ),
        (
            Result("all", images=(PushedImage("r/a:1", "sha256:1", 1_500_000),), timings=Timings(total=1500)),
            [
                "pushed r/a:1 (sha256:1, 1.5 MB)",
                "done in 1.5 s; to run exactly this image, name r/a:1@sha256:1",
            ],
        ),
        (
            Result("build", warnings=("one", "two")),
            ["done in 0.0 s, with 2 warnings (see above); kaniko-shim push takes the image from here"],
        ),
    ],
)
def test_the_summary_for_people(result: Result, expected: list[str]):
    assert summary(result, str) == expected
