"""The page of one build, and its row in the list."""

from typing import Any

import pytest
import yaml
from imagebuild import Build
from kubectl_imagebuild.dockerfile import inline_dockerfile
from kubectl_imagebuild.serve.detail import as_yaml, detail, source
from kubectl_imagebuild.serve.rows import row

DIGEST = "sha256:" + "ab" * 32
CREATED = "2026-11-25T10:00:00Z"
DOCKERFILE = "FROM a\nRUN one\nRUN two \\\n  && three\nRUN four\nRUN five\nRUN six\nRUN seven\nRUN eight\n"


def build(spec: dict[str, Any] | None = None, **status: object) -> Build:
    metadata = {"name": "app", "namespace": "team", "uid": "1", "creationTimestamp": CREATED}
    given = {"source": {"git": {"url": "https://git.example.com/a", "revision": "v1"}}, "output": {"images": ["r/a:1"]}}
    return Build({"metadata": metadata, "spec": given | (spec or {}), "status": status})


def test_a_row_has_what_the_list_shows():
    progress = {"step": 2, "steps": 5, "instruction": "RUN make"}
    assert row(build(phase="Building", message="Step 2\nof 5", startTime=CREATED, progress=progress)) == {
        "namespace": "team",
        "name": "app",
        "phase": "Building",
        "message": "Step 2 of 5",
        "image": "r/a:1",
        "images": 1,
        "step": 2,
        "steps": 5,
        "instruction": "RUN make",
        "created": CREATED,
        "started": CREATED,
    }
    assert row(build()) == {"namespace": "team", "name": "app", "image": "r/a:1", "images": 1, "created": CREATED}


def test_a_build_that_has_succeeded():
    images = [{"reference": "r/a:1", "digest": DIGEST, "sizeBytes": 12_345_678}]
    cache = {"hits": 2, "misses": 1}
    shown = detail(build(phase="Succeeded", digest=DIGEST, images=images, cache=cache, node="n", warnings=["w"]))
    assert shown["outputs"] == [{"reference": "r/a:1", "digest": DIGEST, "size": "12.3 MB"}]
    assert {"name": "Layer cache", "value": "2 of 3 steps"} in shown["facts"]
    assert (shown["finished"], shown["failure"], shown["warnings"]) == (True, None, ["w"])
    assert yaml.safe_load(shown["spec"]) == {
        "source": {"git": {"url": "https://git.example.com/a", "revision": "v1"}},
        "output": {"images": ["r/a:1"]},
    }


def test_a_build_that_has_failed_shows_the_lines_of_the_dockerfile():
    failure = {"reason": "RunCommandFailed", "message": "m", "dockerfileLine": 3, "exitCode": 2, "hint": "h"}
    failed = build({"dockerfile": {"inline": DOCKERFILE}}, phase="Failed", failure=failure)
    shown = detail(failed)["failure"]
    assert (shown["reason"], shown["hint"], shown["exitCode"]) == ("RunCommandFailed", "h", 2)
    assert [(line["number"], line["failed"]) for line in shown["lines"]] == [
        (1, False), (2, False), (3, True), (4, True), (5, False), (6, False), (7, False), (8, False),
    ]  # fmt: skip


def test_a_dockerfile_that_is_elsewhere_has_one_line():
    failure = {"reason": "r", "message": "m", "dockerfileLine": 30, "instruction": "RUN make"}
    shown = detail(build(phase="Failed", failure=failure))["failure"]
    assert shown["lines"] == [{"number": 30, "text": "RUN make", "failed": True}]
    assert detail(build(phase="Failed", failure={"reason": "r", "message": "m"}))["failure"]["lines"] == []


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"source": {"inline": {"files": {"Dockerfile": "A"}}}}, "A"),
        ({"source": {"inline": {"files": {"web/x": "B"}}}, "contextDir": "web/", "dockerfile": {"path": "./x"}}, "B"),
        ({"source": {"inline": {"files": {"x": "C"}}}, "contextDir": ".", "dockerfile": {"path": "x"}}, "C"),
        ({}, ""),
    ],
)
def test_the_dockerfile_of_a_build(spec: dict[str, Any], text: str):
    assert inline_dockerfile(build(spec)) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"git": {"url": "https://g/a", "revision": "v1"}}, "git https://g/a @ v1"),
        ({"git": {"url": "https://g/a"}}, "git https://g/a"),
        ({"upload": {}}, "Upload from a machine"),
        ({"inline": {"files": {"a": "", "b": ""}}}, "2 inline files"),
        ({"s3": {"bucket": "b", "key": "k"}}, "s3 b @ k"),
        ({}, ""),
    ],
)
def test_the_source_in_a_line(given: dict[str, Any], text: str):
    assert source(build({"source": given})) == text


def test_yaml_shows_text_with_several_lines_as_such_and_is_bounded():
    assert as_yaml({"a": "one\ntwo\n"}) == "a: |\n  one\n  two\n"
    assert as_yaml({"a": "x" * 500_000}).endswith("# … The rest is left out: 500.0 kB in all.")
