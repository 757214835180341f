"""What buildctl says: real output of builds, and what could be in its place."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.engines.buildkit.status import LARGEST, Output, Place, Reader, Text, Vertex, Warned

LOGS = Path(__file__).with_name("logs")


def events(*lines: str) -> list[Vertex | Output | Warned | Text]:
    reader = Reader()
    return [event for line in lines for event in reader.read(line)]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("[1/3] FROM docker.io/library/busybox", Place("", 1, 3, "FROM docker.io/library/busybox")),
        ("[stage-1  2/10] RUN a", Place("stage-1", 2, 10, "RUN a")),
        ("[linux/arm64 build 2/2] COPY a b", Place("build", 2, 2, "COPY a b")),
        ("[linux/amd64->arm64 build 2/2] RUN a", Place("build", 2, 2, "RUN a")),
        ("[build 1/1] RUN <<E\nfoo\nE", Place("build", 1, 1, "RUN <<E\nfoo\nE")),
        ("[internal] load .dockerignore", None),
        ("exporting to oci image format", None),
    ],
)
def test_where_a_vertex_is(name: str, place: Place | None):
    assert Vertex("d", name, started=False, completed=False, cached=False, error="").place == place


def test_a_real_build_in_order():
    seen = events(*(LOGS / "built.log").read_text().splitlines())
    vertices = [event for event in seen if isinstance(event, Vertex) and event.place and event.completed]
    assert [vertex.name.partition("@")[0] for vertex in {each.digest: each for each in vertices}.values()] == [
        "[one 1/2] FROM docker.io/library/busybox:latest",
        "[one 2/2] RUN echo first && sleep 0.2 && echo second",
        "[stage-1 2/3] COPY --from=one /bin/busybox /b",
        "[stage-1 3/3] RUN printf 'no end of line' >&2",
    ]
    assert b"".join(event.content for event in seen if isinstance(event, Output)) == b"first\nsecond\nno end of line"


@given(st.lists(st.integers(1, 400), max_size=8))
def test_a_long_line_that_arrives_in_parts(cuts: list[int]):
    line = json.dumps({"vertexes": [{"digest": f"d{number}", "name": "n" * 40} for number in range(20)]})
    parts, rest = list[str](), line
    for cut in cuts:
        parts, rest = [*parts, rest[:cut]], rest[cut:]
    assert events(*filter(None, (*parts, rest))) == events(line)


def test_what_is_no_object_is_text_and_a_line_without_end_is_dropped():
    assert events("error: failed", "[1, 2]", "{}") == [Text("error: failed"), Text("[1, 2]")]
    assert events('{"logs": "x"}'[:-2], "y" * LARGEST, "error: later") == [Text("error: later")]


@pytest.mark.parametrize("data", ["%%%", None, "YQ"])
def test_damaged_output(data: str | None):
    assert events(json.dumps({"logs": [{"vertex": "d", "data": data}]})) == [Output("d", b"")]
