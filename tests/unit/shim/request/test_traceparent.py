import subprocess
import sys

import pytest
from kaniko_shim.request.traceparent import parse_trace_id

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("text", [f"00-{TRACE}-00f067aa0ba902b7-01", f"cc-{TRACE}-00f067aa0ba902b7-00-what-comes"])
def test_the_id_of_the_trace_is_read(text: str):
    assert parse_trace_id(text) == TRACE


@pytest.mark.parametrize(
    "text",
    [
        "",
        TRACE,
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-more",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
    ],
)
def test_a_malformed_one_is_as_good_as_none(text: str):
    assert parse_trace_id(text) == ""


@pytest.mark.parametrize(("variable", "told"), [(f"00-{TRACE}-00f067aa0ba902b7-01", True), ("nonsense", False)])
def test_the_log_names_it(variable: str, told: bool):  # noqa: FBT001 - a parameter
    done = subprocess.run(
        [sys.executable, "-m", "kaniko_shim", "push", "--dry-run"],
        env={"OUTPUT_IMAGE": "registry.example.com/app:1", "TRACEPARENT": variable},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (f"This job is part of the trace {TRACE}." in done.stdout + done.stderr) is told
